//! DescribeServices: which target groups a service has, and what its tag asks for.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html>

use std::collections::BTreeSet;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::types::{Failure as EcsFailure, LoadBalancer, Service as EcsService, ServiceField, TaskSet};
use spotdrain_core::arn::{ArnError, ClusterArn, ServiceName, TargetGroupArn};
use spotdrain_core::finding::{Service, ServiceFinding, ServiceGroup, ServiceTag};
use spotdrain_core::outcome::Failure;
use spotdrain_engine::{Answer, Services};

use super::error::{call_error, not_described};

const CALL: &str = "DescribeServices";

pub(super) async fn describe(client: &Client, cluster: &ClusterArn, names: &[ServiceName]) -> Answer<Services> {
    let request = client.describe_services().cluster(cluster.as_str()).include(ServiceField::Tags);
    let request = request.set_services(Some(names.iter().map(ToString::to_string).collect()));
    let answer = request.send().await.map_err(|error| call_error(&error))?;
    let finding = |name| read_one(name, answer.services(), answer.failures());
    Ok(names.iter().map(|name| (name.clone(), finding(name))).collect())
}

fn read_one(name: &ServiceName, services: &[EcsService], failures: &[EcsFailure]) -> ServiceFinding {
    if let Some(service) = services.iter().find(|service| service.service_name() == Some(name.as_str())) {
        return read(service).map_or_else(ServiceFinding::Unknown, ServiceFinding::Found);
    }
    let is_this = |failure: &&EcsFailure| failure.arn().and_then(|arn| arn.rsplit('/').next()) == Some(name.as_str());
    not_described(CALL, &format!("service {name}"), failures.iter().find(is_this))
}

/// Every target group that a task of the service may be in. One ARN that cannot be read fails the whole: without its group,
/// targets would be forgotten.
fn read(service: &EcsService) -> Result<Service, Failure> {
    let of_task_sets = service.task_sets().iter().flat_map(TaskSet::load_balancers);
    let balancers = service.load_balancers().iter().chain(of_task_sets);
    let groups = balancers.flat_map(groups_of).collect::<Result<BTreeSet<_>, _>>()?;
    let tag = service.tags().iter().find(|tag| tag.key() == Some(ServiceTag::KEY));
    let tag = tag.map(|tag| ServiceTag::from_value(tag.value().unwrap_or_default()));
    Ok(Service { groups: groups.into_iter().collect(), tag })
}

/// A Classic Load Balancer has no target group; a blue/green service has two, between which its tasks change.
fn groups_of(balancer: &LoadBalancer) -> Vec<Result<ServiceGroup, Failure>> {
    let alternate = balancer.advanced_configuration().and_then(|advanced| advanced.alternate_target_group_arn());
    let port = balancer.container_port().and_then(|port| u16::try_from(port).ok());
    let arns = balancer.target_group_arn().into_iter().chain(alternate);
    arns.map(|arn| Ok(ServiceGroup { arn: read_arn(arn)?, port })).collect()
}

fn read_arn(text: &str) -> Result<TargetGroupArn, Failure> {
    let failure = |error: ArnError| Failure { call: CALL, problem: error.to_string(), retryable: false };
    TargetGroupArn::parse(text).map_err(failure)
}

//! DescribeServices and DescribeServiceRevisions: a service's target groups and tag. DescribeTasks: a task's status and
//! addresses. ListTasks: the tasks that are stopping.
//! Sources: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html>,
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html>

use std::collections::BTreeSet;
use std::net::IpAddr;

use aws_sdk_ecs::Client;
use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types::{
    Container, DesiredStatus, EcsManagedResources, Failure as EcsFailure, GatewayConnection, LoadBalancer,
    ManagedIngressPath, ManagedTargetGroup, ResolvedConfiguration, ResourceManagementType, Service as EcsService,
    ServiceField, ServiceRevision, ServiceRevisionLoadBalancer, Task, TaskSet,
};
use jiff::Timestamp;
use spotdrain_core::model::arn::{ArnError, ClusterArn, ServiceName, TargetGroupArn, TaskArn, last_segment};
use spotdrain_core::model::observed::{
    DescribedTask, Revision, Service, ServiceGroup, ServiceObservation, ServiceTag, TaskObservation,
};
use spotdrain_core::model::outcome::Failure;
use spotdrain_core::model::task_status::TaskStatus;
use spotdrain_core::read::event::{is_address_detail, is_detached, is_network_interface};
use spotdrain_engine::{Answer, CallError, CallErrorKind, ListedTasks, Services, Tasks};

use super::error::{call_error, not_described};

const SERVICES_CALL: &str = "DescribeServices";
const TASKS_CALL: &str = "DescribeTasks";

pub(super) async fn describe_services(
    client: &Client,
    cluster: &ClusterArn,
    names: &[ServiceName],
    tags: bool,
) -> Answer<Services> {
    let request = client.describe_services().cluster(cluster.as_str());
    let request = request.set_include(tags.then(|| vec![ServiceField::Tags]));
    let request = request.set_services(Some(names.iter().map(ToString::to_string).collect()));
    let answer = request.send().await.map_err(|error| call_error(&error))?;
    let observation = |name| read_service(name, answer.services(), answer.failures());
    Ok(names.iter().map(|name| (name.clone(), observation(name))).collect())
}

fn read_service(name: &ServiceName, services: &[EcsService], failures: &[EcsFailure]) -> ServiceObservation {
    if let Some(service) = services.iter().find(|service| service.service_name() == Some(name.as_str())) {
        return target_groups_and_tag(service).map_or_else(ServiceObservation::Unknown, ServiceObservation::Found);
    }
    let is_this = |failure: &&EcsFailure| failure.arn().map(last_segment) == Some(name.as_str());
    not_described(SERVICES_CALL, &format!("service {name}"), failures.iter().find(is_this))
}

/// Returns every target group that a task of the service may be in. One unreadable ARN is an error: without its group, targets
/// would be missed.
fn target_groups_and_tag(service: &EcsService) -> Result<Service, Failure> {
    let of_task_sets = service.task_sets().iter().flat_map(TaskSet::load_balancers);
    let balancers: Vec<_> = service.load_balancers().iter().chain(of_task_sets).collect();
    let groups = balancers.iter().flat_map(|balancer| groups_of(balancer)).collect::<Result<BTreeSet<_>, _>>()?;
    let tag = service.tags().iter().find(|tag| tag.key() == Some(ServiceTag::KEY));
    let is_managed = service.resource_management_type() == Some(&ResourceManagementType::Ecs);
    let revisions = service.current_service_revisions().iter().filter_map(|revision| revision.arn().map(str::to_owned));
    Ok(Service {
        groups: groups.into_iter().collect(),
        tag: tag.map(|tag| ServiceTag::from_value(tag.value().unwrap_or_default())),
        revisions: revisions.collect(),
        is_managed,
        has_balancer: is_managed || !balancers.is_empty(),
        ..Service::default()
    })
}

pub(super) async fn describe_service_revisions(client: &Client, arns: &[String]) -> Answer<Vec<Revision>> {
    let request = client.describe_service_revisions().set_service_revision_arns(Some(arns.to_vec()));
    let answer = request.send().await.map_err(|error| call_error(&error))?;
    let read = answer.service_revisions().iter().map(read_revision).collect::<Result<Vec<_>, _>>();
    read.map_err(|failure| CallError { kind: CallErrorKind::Other, problem: failure.problem })
}

/// Returns the groups of a revision: of its load balancers, as requested and as ECS resolved them, and of the ingress paths and
/// gateways that ECS manages.
fn read_revision(revision: &ServiceRevision) -> Result<Revision, Failure> {
    let balancers = revision.load_balancers();
    let mut groups = balancers.iter().flat_map(groups_of).collect::<Result<Vec<_>, _>>()?;
    let resolved = revision.resolved_configuration().map(ResolvedConfiguration::load_balancers).unwrap_or_default();
    let managed = revision.ecs_managed_resources();
    let resolved = resolved.iter().filter_map(ServiceRevisionLoadBalancer::target_group_arn);
    for arn in managed.into_iter().flat_map(managed_groups).chain(resolved) {
        groups.push(ServiceGroup { arn: read_arn(arn)?, port: None });
    }
    let has_managed = managed.is_some_and(|of| !of.ingress_paths().is_empty() || !of.gateway_connections().is_empty());
    let has_balancer = has_managed || !revision.gateway_connectors().is_empty() || !balancers.is_empty();
    Ok(Revision { arn: revision.service_revision_arn().unwrap_or_default().to_owned(), groups, has_balancer })
}

fn managed_groups(managed: &EcsManagedResources) -> impl Iterator<Item = &str> {
    let of_ingress = managed.ingress_paths().iter().flat_map(ManagedIngressPath::target_groups);
    let resources = managed.gateway_connections().iter().filter_map(GatewayConnection::resources);
    let albs = resources.filter_map(|resources| resources.as_host_shared_alb().ok()).flatten();
    let of_gateways = albs.flat_map(|alb| [alb.target_group_arn(), alb.alternate_target_group_arn()]);
    of_ingress.filter_map(ManagedTargetGroup::arn).chain(of_gateways.flatten())
}

/// A Classic Load Balancer has no target group; a blue/green service has two, and each deployment moves its tasks from one to
/// the other.
fn groups_of(balancer: &LoadBalancer) -> Vec<Result<ServiceGroup, Failure>> {
    let alternate = balancer.advanced_configuration().and_then(|advanced| advanced.alternate_target_group_arn());
    let port = balancer.container_port().and_then(|port| u16::try_from(port).ok());
    let arns = balancer.target_group_arn().into_iter().chain(alternate);
    arns.map(|arn| Ok(ServiceGroup { arn: read_arn(arn)?, port })).collect()
}

fn read_arn(text: &str) -> Result<TargetGroupArn, Failure> {
    let failure = |error: ArnError| Failure { call: SERVICES_CALL, problem: error.to_string(), retryable: false };
    TargetGroupArn::parse(text).map_err(failure)
}

pub(super) async fn describe_tasks(client: &Client, cluster: &ClusterArn, tasks: &[TaskArn]) -> Answer<Tasks> {
    let request = client.describe_tasks().cluster(cluster.as_str());
    let request = request.set_tasks(Some(tasks.iter().map(ToString::to_string).collect()));
    let answer = request.send().await.map_err(|error| call_error(&error))?;
    let finding = |task| read_task(task, answer.tasks(), answer.failures());
    Ok(tasks.iter().map(|task| (task.clone(), finding(task))).collect())
}

/// Lists a page of the tasks that are stopping or have stopped. An ARN that cannot be read is left out: such a task has no
/// address that this program could know.
pub(super) async fn list_stopping_tasks(
    client: &Client,
    cluster: &ClusterArn,
    service: Option<&ServiceName>,
    page: Option<&str>,
) -> Answer<ListedTasks> {
    let request = client.list_tasks().cluster(cluster.as_str()).desired_status(DesiredStatus::Stopped);
    let request = request.set_service_name(service.map(ToString::to_string)).set_next_token(page.map(str::to_owned));
    let answer = request.send().await.map_err(|error| call_error(&error))?;
    let tasks = answer.task_arns().iter().filter_map(|arn| TaskArn::parse(arn).ok()).collect();
    Ok(ListedTasks { tasks, next: answer.next_token().map(str::to_owned) })
}

/// Compares the ids, because ECS answers with the new ARN format even if the event has the old one.
fn is_this(task: &TaskArn, arn: Option<&str>) -> bool {
    arn.map(last_segment) == Some(task.id())
}

fn read_task(task: &TaskArn, tasks: &[Task], failures: &[EcsFailure]) -> TaskObservation {
    if let Some(found) = tasks.iter().find(|found| is_this(task, found.task_arn())) {
        return task_observation(found);
    }
    let failure = failures.iter().find(|failure| is_this(task, failure.arn()));
    not_described(TASKS_CALL, &format!("task {}", task.id()), failure)
}

fn task_observation(task: &Task) -> TaskObservation {
    let Some(status) = task.last_status().map(TaskStatus::from_text) else {
        let problem = "the task has no lastStatus".to_owned();
        return TaskObservation::Unknown(Failure { call: TASKS_CALL, problem, retryable: true });
    };
    let desired_status = task.desired_status().map_or(TaskStatus::Running, TaskStatus::from_text);
    TaskObservation::Found(DescribedTask {
        last_status: status,
        desired_status,
        addresses: task_addresses(task),
        stopping_at: task.stopping_at().and_then(timestamp),
        stopped_at: task.stopped_at().and_then(timestamp),
    })
}

fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}

/// Returns the addresses of a task's attached network interfaces, without unreadable ones.
#[must_use]
pub fn task_addresses(task: &Task) -> Vec<IpAddr> {
    let (gone, attached): (Vec<_>, Vec<_>) =
        task.attachments().iter().partition(|attachment| attachment.status().is_some_and(is_detached));
    let gone: Vec<_> = gone.iter().filter_map(|attachment| attachment.id()).collect();
    let interfaces = attached.iter().filter(|attachment| attachment.r#type().is_some_and(is_network_interface));
    let details = interfaces.flat_map(|attachment| attachment.details());
    let of_attachments = details.filter(|detail| detail.name().is_some_and(is_address_detail));
    let of_containers = task.containers().iter().flat_map(Container::network_interfaces);
    let of_containers = of_containers.filter(|one| one.attachment_id().is_none_or(|id| !gone.contains(&id)));
    let texts = of_attachments.filter_map(|detail| detail.value());
    let texts = texts.chain(of_containers.flat_map(|one| [one.private_ipv4_address(), one.ipv6_address()]).flatten());
    let mut addresses: Vec<_> = texts.filter_map(|text| text.parse().ok()).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

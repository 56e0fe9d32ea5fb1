//! Services: counts, capacity provider strategies, target groups and tags.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html>

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{
    AvailabilityZoneRebalancing, Container, Deployment, DeploymentCircuitBreaker, DeploymentConfiguration,
    LoadBalancer, ResourceManagementType, SchedulingStrategy, Service as EcsService, ServiceField, Task, TaskSet,
};
use spotdrain_core::model::arn::last_segment;
use spotdrain_doctor::model::group::Group;
use spotdrain_doctor::model::root::{Deployment as Examined, Place, Unread};
use spotdrain_doctor::model::service::{Balancer, Capacity, Reach, Service};
use spotdrain_doctor::model::setting::Setting;
use spotdrain_doctor::model::subject::ServiceSubject;

use super::clusters::{Cluster, strategy_item};
use super::paced_client::{CallBudget, PacedClient};
use super::unknown;

/// The most services in one DescribeServices.
const MAX_PER_CALL: usize = 10;

/// The services that were read, and what could not be read.
#[derive(Debug, Default)]
pub(crate) struct FoundServices {
    pub(crate) found: Vec<FoundService>,
    pub(crate) unread: Vec<Unread>,
}

/// A service, with the ARNs of what is read for it later.
#[derive(Debug)]
pub(crate) struct FoundService {
    pub(crate) service: Service,
    /// The ARN of its task definition.
    pub(crate) definition: Option<String>,
    /// For each of its load balancers, the target group and the alternate target group.
    pub(crate) groups: Vec<Vec<String>>,
    /// The ARNs of its current revisions.
    pub(crate) revisions: Vec<String>,
    /// Whether it is an Express Mode service, whose resources ECS manages.
    pub(crate) is_managed: bool,
}

/// Returns all services of the clusters, or those with these names.
pub(crate) async fn find(
    client: &PacedClient<'_>,
    clusters: &BTreeMap<String, Cluster>,
    names: &[String],
) -> Result<FoundServices, String> {
    let (mut services, is_named) = (FoundServices::default(), !names.is_empty());
    for (arn, cluster) in clusters {
        let names = if names.is_empty() { list(client, arn).await? } else { names.to_vec() };
        client.progress.expect(names.len());
        for names in names.chunks(MAX_PER_CALL) {
            describe(client, arn, cluster, names, is_named, &mut services).await?;
        }
    }
    Ok(services)
}

async fn list(client: &PacedClient<'_>, cluster: &str) -> Result<Vec<String>, String> {
    let (mut arns, mut token) = (Vec::new(), None);
    loop {
        let request = client.aws.ecs.list_services().cluster(cluster).max_results(100).set_next_token(token);
        let answer = client.call("ListServices", CallBudget::Other, || request.clone().send()).await;
        let answer = answer.map_err(|failure| failure.message)?;
        arns.extend(answer.service_arns().iter().cloned());
        token = answer.next_token().map(str::to_owned);
        if token.is_none() {
            return Ok(arns);
        }
    }
}

async fn describe(
    client: &PacedClient<'_>,
    arn: &str,
    cluster: &Cluster,
    names: &[String],
    is_named: bool,
    services: &mut FoundServices,
) -> Result<(), String> {
    let request = client.aws.ecs.describe_services().cluster(arn).include(ServiceField::Tags);
    let request = request.set_services(Some(names.to_vec()));
    let answer = match client.call("DescribeServices", CallBudget::Other, || request.clone().send()).await {
        Ok(answer) => answer,
        Err(failure) => {
            let subject = |name: &String| format!("service {}", last_segment(name));
            services
                .unread
                .extend(names.iter().map(|name| Unread { subject: subject(name), why: failure.message.clone() }));
            return Ok(());
        }
    };
    for missing in answer.failures().iter().filter_map(|failure| failure.arn()) {
        if is_named {
            return Err(no_such_service(last_segment(missing), last_segment(arn)));
        }
        let why = "it was deleted while the cluster was read".to_owned();
        services
            .unread
            .push(Unread { subject: format!("service {}/{}", last_segment(arn), last_segment(missing)), why });
    }
    for service in answer.services().iter().filter(|service| service.status() != Some("INACTIVE")) {
        let found = read(service, arn, cluster);
        client.progress.step(&found.service.place.name);
        services.found.push(found);
    }
    Ok(())
}

fn no_such_service(service: &str, cluster: &str) -> String {
    format!("there is no service {service} in cluster {cluster}: aws ecs list-services --cluster {cluster} shows them")
}

/// Returns whether tasks of the service may be on Spot. The other services are not examined, and reading more of them costs calls.
pub(crate) fn may_be_on_spot(found: &FoundService) -> bool {
    let deployment = Examined::default();
    ServiceSubject { deployment: &deployment, service: &found.service }.may_be_on_spot()
}

/// Reads a service. With another deployment controller than ECS, the settings of its primary task set apply.
fn read(service: &EcsService, cluster_arn: &str, cluster: &Cluster) -> FoundService {
    let name = service.service_name().unwrap_or_default();
    let set = service.task_sets().iter().find(|set| set.status() == Some("PRIMARY"));
    let balancers: Vec<_> =
        service.load_balancers().iter().chain(set.into_iter().flat_map(TaskSet::load_balancers)).collect();
    let count = |value: i32| Setting::Set(u32::try_from(value).unwrap_or_default());
    let deployment = service.deployment_configuration();
    let percent = |value: Option<i32>| value.map_or(Setting::Default, count);
    let breaker = deployment.and_then(|deployment| deployment.deployment_circuit_breaker());
    let rebalancing = service.availability_zone_rebalancing().map(AvailabilityZoneRebalancing::as_str);
    FoundService {
        service: Service {
            place: Place::live(format!("service {}/{name}", last_segment(cluster_arn))),
            name: name.to_owned(),
            arn: service.service_arn().unwrap_or_default().to_owned(),
            cluster: Setting::Set(cluster_arn.to_owned()),
            capacity: capacity(service, set, cluster),
            desired: count(service.desired_count()),
            scaling: Setting::Default,
            minimum_healthy: percent(deployment.and_then(DeploymentConfiguration::minimum_healthy_percent)),
            maximum: percent(deployment.and_then(DeploymentConfiguration::maximum_percent)),
            circuit_breaker: breaker.map(DeploymentCircuitBreaker::enable).into(),
            grace_period: percent(service.health_check_grace_period_seconds()),
            zone_rebalancing: rebalancing.map(str::to_owned).into(),
            uses_ec2_placement: uses_ec2_placement(service).into(),
            reached_by: Setting::Set(reached_by(service)),
            platform_version: set
                .and_then(TaskSet::platform_version)
                .or(service.platform_version())
                .map(str::to_owned)
                .into(),
            balancers: Setting::Set(balancers.iter().map(|one| balancer(one)).collect()),
            tag: tag(service),
            has_ipv6: Setting::Default,
            task_definition: Setting::Default,
        },
        definition: set.and_then(TaskSet::task_definition).or(service.task_definition()).map(str::to_owned),
        groups: balancers.iter().map(|one| groups_of(one)).collect(),
        revisions: service.current_service_revisions().iter().filter_map(|one| one.arn().map(str::to_owned)).collect(),
        is_managed: service.resource_management_type() == Some(&ResourceManagementType::Ecs),
    }
}

fn uses_ec2_placement(service: &EcsService) -> Option<bool> {
    let is_placed = !service.placement_strategy().is_empty() || !service.placement_constraints().is_empty();
    let is_daemon = service.scheduling_strategy() == Some(&SchedulingStrategy::Daemon);
    (is_placed || is_daemon).then_some(true)
}

/// Returns how clients find the service, according to its primary deployment.
fn reached_by(service: &EcsService) -> Vec<Reach> {
    let deployment = service.deployments().iter().find(|one| one.status() == Some("PRIMARY"));
    let connect = deployment.and_then(Deployment::service_connect_configuration);
    let all = [
        (connect.is_some_and(|one| one.enabled() && !one.services().is_empty()), Reach::ServiceConnect),
        (!service.service_registries().is_empty(), Reach::CloudMap),
        (deployment.is_some_and(|one| !one.vpc_lattice_configurations().is_empty()), Reach::Lattice),
    ];
    all.into_iter().filter(|(is_so, _)| *is_so).map(|(_, reach)| reach).collect()
}

fn capacity(service: &EcsService, set: Option<&TaskSet>, cluster: &Cluster) -> Capacity {
    let own = set.map_or(service.capacity_provider_strategy(), TaskSet::capacity_provider_strategy);
    let launch_type = set.map_or(service.launch_type(), TaskSet::launch_type);
    let listed = |items: Vec<_>| if items.is_empty() { Setting::Default } else { Setting::Set(items) };
    Capacity {
        launch_type: launch_type.map(|kind| kind.as_str().to_owned()).into(),
        strategy: listed(own.iter().map(strategy_item).collect()),
        cluster_strategy: listed(cluster.strategy.clone()),
        providers: Setting::Set(cluster.providers.clone()),
    }
}

fn balancer(balancer: &LoadBalancer) -> Balancer {
    let port = balancer.container_port().and_then(|port| u16::try_from(port).ok());
    Balancer {
        container: balancer.container_name().map(str::to_owned).into(),
        port: port.into(),
        ..Balancer::default()
    }
}

fn groups_of(balancer: &LoadBalancer) -> Vec<String> {
    let alternate = balancer.advanced_configuration().and_then(|advanced| advanced.alternate_target_group_arn());
    balancer.target_group_arn().into_iter().chain(alternate).map(str::to_owned).collect()
}

fn tag(service: &EcsService) -> Setting<String> {
    let tag = service.tags().iter().find(|tag| tag.key() == Some("spotdrain"));
    tag.map(|tag| tag.value().unwrap_or_default().to_owned()).into()
}

/// Adds the target groups to every service.
pub(crate) fn put_groups(services: &mut FoundServices, groups: &BTreeMap<String, Setting<Group>>) {
    let of = |arn: Option<&String>| arn.map_or(Setting::Default, |arn| groups.get(arn).cloned().unwrap_or_default());
    for found in &mut services.found {
        if let Setting::Set(balancers) = &mut found.service.balancers {
            for (balancer, arns) in balancers.iter_mut().zip(&found.groups) {
                balancer.group = of(arns.first());
                balancer.alternate = of(arns.get(1));
            }
        }
    }
}

/// Reads whether tasks have an IPv6 address, for services with an IPv6 target group.
pub(crate) async fn fill_families(client: &PacedClient<'_>, services: &mut FoundServices) {
    for found in &mut services.found {
        let has_ipv6_group = found.service.balancers.known().is_some_and(|all| all.iter().any(takes_ipv6));
        if has_ipv6_group {
            found.service.has_ipv6 = family(client, &found.service).await;
        }
    }
}

fn takes_ipv6(balancer: &Balancer) -> bool {
    let takes = |group: &Setting<Group>| {
        group.known().is_some_and(|group| group.ip_address_type == Setting::Set("ipv6".to_owned()))
    };
    takes(&balancer.group) || takes(&balancer.alternate)
}

async fn family(client: &PacedClient<'_>, service: &Service) -> Setting<bool> {
    let cluster = service.cluster.known().cloned().unwrap_or_default();
    let request = client.aws.ecs.list_tasks().cluster(&cluster).service_name(&service.name).max_results(100);
    let arns = match client.call("ListTasks", CallBudget::Other, || request.clone().send()).await {
        Ok(answer) if answer.task_arns().is_empty() => {
            return unknown("the service has no task whose addresses could be read");
        }
        Ok(answer) => answer.task_arns().to_vec(),
        Err(failure) => return unknown(&failure.message),
    };
    let request = client.aws.ecs.describe_tasks().cluster(&cluster).set_tasks(Some(arns));
    match client.call("DescribeTasks", CallBudget::Other, || request.clone().send()).await {
        Ok(answer) => {
            let interfaces = answer.tasks().iter().flat_map(Task::containers).flat_map(Container::network_interfaces);
            Setting::Set(interfaces.into_iter().any(|interface| interface.ipv6_address().is_some()))
        }
        Err(failure) => unknown(&failure.message),
    }
}

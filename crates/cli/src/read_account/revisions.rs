//! The target groups of ingress that ECS manages: Express Mode and ECS Gateway. DescribeServices does not show them; they are in
//! the service's current revisions.
//! Sources: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServiceRevisions.html>,
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ECSManagedResources.html>

use std::collections::BTreeMap;

use aws_sdk_ecs::operation::describe_service_revisions::DescribeServiceRevisionsOutput;
use aws_sdk_ecs::types::{
    EcsManagedResources, GatewayConnection, GatewayConnectionAlbResources, ManagedIngressPath, ManagedTargetGroup,
    ServiceRevision,
};
use spotdrain_doctor::model::service::{Balancer, Container, Reach, TaskDefinition};
use spotdrain_doctor::model::setting::Setting;

use super::paced_client::{CallBudget, PacedClient};
use super::services::{FoundService, FoundServices, may_be_on_spot};
use super::unknown;

/// The most revisions in one DescribeServiceRevisions.
const MAX_PER_CALL: usize = 20;

const NOT_NAMED: &str = "DescribeServiceRevisions does not name the container behind a target group that ECS manages";

/// What ECS manages for a revision.
#[derive(Debug, Clone, Default)]
struct Managed {
    /// Whether ECS manages ingress, even if it has no target group yet.
    has_ingress: bool,
    groups: Vec<ManagedGroup>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct ManagedGroup {
    /// The ARN of the target group, and of the other one if there is one.
    arns: Vec<String>,
    /// The port that it sends to.
    port: Option<u16>,
}

type ManagedByRevision = BTreeMap<String, Result<Managed, String>>;

/// Adds the managed target groups to the services that may be on Spot.
pub(crate) async fn fill(client: &PacedClient<'_>, services: &mut FoundServices) {
    let on_spot = services.found.iter().filter(|found| may_be_on_spot(found));
    let arns: Vec<_> = on_spot.flat_map(|found| found.revisions.iter().cloned()).collect();
    let mut managed = ManagedByRevision::new();
    for arns in arns.chunks(MAX_PER_CALL) {
        managed.extend(describe(client, arns).await);
    }
    for found in &mut services.found {
        let of_it: Vec<_> = found.revisions.iter().filter_map(|arn| managed.get(arn)).collect();
        add(found, &of_it);
    }
}

async fn describe(client: &PacedClient<'_>, arns: &[String]) -> ManagedByRevision {
    let request = client.aws.ecs.describe_service_revisions().set_service_revision_arns(Some(arns.to_vec()));
    let answer = client.call("DescribeServiceRevisions", CallBudget::Other, || request.clone().send()).await;
    let missing = match &answer {
        Ok(_) => "DescribeServiceRevisions did not return the service's revision",
        Err(failure) => &failure.message,
    };
    let mut managed: ManagedByRevision = arns.iter().map(|arn| (arn.clone(), Err(missing.to_owned()))).collect();
    for revision in answer.iter().flat_map(DescribeServiceRevisionsOutput::service_revisions) {
        managed.extend(revision.service_revision_arn().map(|arn| (arn.to_owned(), Ok(read(revision)))));
    }
    managed
}

fn read(revision: &ServiceRevision) -> Managed {
    let groups: Vec<_> = revision.ecs_managed_resources().map(groups_of).unwrap_or_default();
    Managed { has_ingress: !groups.is_empty() || !revision.gateway_connectors().is_empty(), groups }
}

fn groups_of(managed: &EcsManagedResources) -> Vec<ManagedGroup> {
    let of_paths = managed.ingress_paths().iter().flat_map(ManagedIngressPath::target_groups).filter_map(of_path);
    let resources = managed.gateway_connections().iter().filter_map(GatewayConnection::resources);
    let balancers = resources.filter_map(|resources| resources.as_host_shared_alb().ok()).flatten();
    of_paths.chain(balancers.filter_map(of_gateway)).collect()
}

fn of_path(group: &ManagedTargetGroup) -> Option<ManagedGroup> {
    Some(ManagedGroup { arns: vec![group.arn()?.to_owned()], port: u16::try_from(group.port()).ok() })
}

/// The port of a gateway's group is not in the answer.
fn of_gateway(balancer: &GatewayConnectionAlbResources) -> Option<ManagedGroup> {
    let arns = [Some(balancer.target_group_arn()?), balancer.alternate_target_group_arn()];
    Some(ManagedGroup { arns: arns.into_iter().flatten().map(str::to_owned).collect(), port: None })
}

/// Adds what ECS manages for the revisions to their service.
fn add(found: &mut FoundService, revisions: &[&Result<Managed, String>]) {
    let managed: Vec<_> = revisions.iter().filter_map(|revision| revision.as_ref().ok()).collect();
    if found.is_managed || managed.iter().any(|one| one.has_ingress) {
        found.service.reached_by =
            found.service.reached_by.clone().map(|reached| [reached, vec![Reach::ManagedIngress]].concat());
    } else if let Some(why) = revisions.iter().find_map(|revision| revision.as_ref().err()) {
        found.service.reached_by = unknown(why);
    }
    for group in managed.iter().flat_map(|one| &one.groups) {
        add_group(found, group);
    }
    if let (Some(why), []) = (revisions.iter().find_map(|revision| revision.as_ref().err()), found.groups.as_slice()) {
        found.service.balancers = unknown(why);
    }
}

/// Adds a group, unless another revision or the service itself names it too.
fn add_group(found: &mut FoundService, group: &ManagedGroup) {
    let Setting::Set(balancers) = &mut found.service.balancers else { return };
    let known = found.groups.iter().position(|arns| arns.first() == group.arns.first());
    if let Some(balancer) = known.and_then(|index| balancers.get_mut(index)) {
        balancer.is_managed = true;
        return;
    }
    balancers.push(Balancer { port: group.port.into(), is_managed: true, ..Balancer::default() });
    found.groups.push(group.arns.clone());
}

/// Adds the container behind each managed group, which DescribeServiceRevisions does not name: the only one with its port.
pub(crate) fn fill_containers(services: &mut FoundServices) {
    for found in &mut services.found {
        let definition = &found.service.task_definition;
        let Setting::Set(balancers) = &mut found.service.balancers else { continue };
        let unnamed = balancers.iter_mut().filter(|one| one.is_managed && one.container == Setting::Default);
        for balancer in unnamed {
            let serving = definition.known().and_then(|known| serving(known, balancer.port.known().copied()));
            (balancer.container, balancer.port) = match serving {
                Some((name, port)) => (Setting::Set(name), Setting::Set(port)),
                None => (
                    unknown(NOT_NAMED),
                    balancer.port.known().map_or_else(|| unknown(NOT_NAMED), |port| Setting::Set(*port)),
                ),
            };
        }
    }
}

/// Returns the name and port of the only container with this port, or with any port if none is given.
fn serving(definition: &TaskDefinition, port: Option<u16>) -> Option<(String, u16)> {
    let containers = definition.containers.known()?.iter();
    let ports =
        containers.flat_map(|one: &Container| one.ports.known().into_iter().flatten().map(move |port| (one, *port)));
    let mut fitting = ports.filter(|(_, own)| port.is_none_or(|port| port == *own));
    let (container, port) = fitting.next()?;
    fitting.next().is_none().then(|| (container.name.clone(), port))
}

//! What deployment controllers other than ECS add to a service: task sets, and `CodeDeploy`'s pairs of target groups.
//! Sources: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-taskset.html>,
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-codedeploy-deploymentgroup.html>

use crate::model::root::Place;
use crate::model::service::Balancer;
use crate::model::setting::Setting;
use crate::template::convert::groups::{TARGET_GROUP, group};
use crate::template::evaluate::value::{Data, Value};
use crate::template::resources::{Resource, Resources};

const TASK_SET: &[&str] = &["AWS::ECS::TaskSet"];
const DEPLOYMENT_GROUP: &[&str] = &["AWS::CodeDeploy::DeploymentGroup"];

/// The properties that a task set has in place of its service.
const OF_TASK_SET: [&str; 7] = [
    "CapacityProviderStrategy",
    "LaunchType",
    "LoadBalancers",
    "NetworkConfiguration",
    "PlatformVersion",
    "ServiceRegistries",
    "TaskDefinition",
];

/// Returns a service as each of its task sets runs it; the service itself where it has none.
pub(crate) fn with_task_sets(resources: &Resources, service: &Resource) -> Vec<Resource> {
    let is_its = |set: &&Resource| {
        let named = set.properties.text("Service");
        named.known().is_some_and(|name| [&service.reference, &service.arn, &service.name].contains(&name))
    };
    let sets: Vec<_> = resources.of(TASK_SET).filter(is_its).map(|set| merged(service, set)).collect();
    if sets.is_empty() { vec![service.clone()] } else { sets }
}

fn merged(service: &Resource, set: &Resource) -> Resource {
    let of_set = set.properties.entries().iter().filter(|(key, _)| OF_TASK_SET.contains(&key.as_str()));
    let is_own = |key: &str| !of_set.clone().any(|(name, _)| name == key);
    let own = service.properties.entries().iter().filter(|(key, _)| is_own(key));
    let data = Data::Map(own.chain(of_set.clone()).cloned().collect());
    let name = format!("{}, {}", service.place.name, set.place.name);
    Resource {
        place: Place { name, ..set.place.clone() },
        properties: Value { line: set.properties.line, data },
        ..service.clone()
    }
}

/// Adds the other target group of a `CodeDeploy` deployment group to a balancer that has none.
pub(crate) fn alternate_groups(resources: &Resources, balancer: Balancer) -> Balancer {
    let Some(own) = balancer.group.known().map(|group| group.arn.clone()) else { return balancer };
    if balancer.alternate != Setting::Default {
        return balancer;
    }
    let is_own = |name: &String| resources.named(TARGET_GROUP, name).is_some_and(|group| group.arn == own);
    let mut pairs = resources.of(DEPLOYMENT_GROUP).flat_map(pairs);
    let pair = pairs.find(|names| names.iter().any(is_own));
    let other = pair.into_iter().flatten().find(|name| !is_own(name)).map(|name| group(resources, &name));
    Balancer { alternate: other.unwrap_or_default(), ..balancer }
}

/// The names of the target groups of each pair.
fn pairs(deployment_group: &Resource) -> Vec<Vec<String>> {
    let pairs = deployment_group.properties.path(&["LoadBalancerInfo", "TargetGroupPairInfoList"]);
    let pairs = pairs.known().map_or(Vec::new(), |pairs| pairs.as_items());
    let names = |pair: &Value| {
        let groups = pair.items("TargetGroups");
        groups.known().into_iter().flatten().filter_map(|group| group.text("Name").known().cloned()).collect()
    };
    pairs.into_iter().map(names).collect()
}

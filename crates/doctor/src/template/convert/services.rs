//! Services.
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-service.html>

use crate::model::service::{Balancer, Reach, Service};
use crate::model::setting::Setting;

use crate::template::convert::capacity::{capacity, cluster};
use crate::template::convert::controllers::{alternate_groups, with_task_sets};
use crate::template::convert::groups::group;
use crate::template::convert::network::has_ipv6;
use crate::template::convert::scaling::scaling;
use crate::template::convert::tasks::task_definition;
use crate::template::evaluate::value::{Value, all};
use crate::template::resources::{Resource, Resources};

const SERVICE: &[&str] = &["AWS::ECS::Service"];

/// Returns every service; one with task sets once for each of them.
pub(crate) fn services(resources: &Resources) -> Vec<Service> {
    resources
        .of(SERVICE)
        .flat_map(|service| with_task_sets(resources, service))
        .map(|one| read(resources, &one))
        .collect()
}

fn read(resources: &Resources, resource: &Resource) -> Service {
    let properties = &resource.properties;
    let deployment = |key: &str| properties.path(&["DeploymentConfiguration", key]);
    Service {
        place: resource.place.clone(),
        name: resource.name.clone(),
        arn: resource.arn.clone(),
        cluster: cluster_arn(resources, properties),
        capacity: capacity(resources, properties),
        desired: properties.number("DesiredCount"),
        scaling: scaling(resources, resource),
        minimum_healthy: deployment("MinimumHealthyPercent").and_then(Value::as_number),
        maximum: deployment("MaximumPercent").and_then(Value::as_number),
        circuit_breaker: deployment("DeploymentCircuitBreaker")
            .and_then(|value| value.text("Enable"))
            .map(|text| text == "true"),
        grace_period: properties.number("HealthCheckGracePeriodSeconds"),
        zone_rebalancing: properties.text("AvailabilityZoneRebalancing"),
        uses_ec2_placement: uses_ec2_placement(properties),
        reached_by: reached_by(properties),
        platform_version: properties.text("PlatformVersion"),
        balancers: balancers(resources, properties),
        tag: tag(properties),
        has_ipv6: has_ipv6(resources, properties),
        task_definition: task_definition(resources, properties),
    }
}

fn cluster_arn(resources: &Resources, properties: &Value) -> Setting<String> {
    match properties.text("Cluster") {
        Setting::Set(text) if text.starts_with("arn:") => Setting::Set(text),
        Setting::Set(_) => cluster(resources, properties).map(|cluster| cluster.arn.clone()),
        Setting::Default => Setting::Set(resources.location.arn("ecs", "cluster/default")),
        Setting::Unknown(why) => Setting::Unknown(why),
    }
}

/// Whether it has what only EC2 accepts; an empty list does not count.
/// Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html>
fn uses_ec2_placement(properties: &Value) -> Setting<bool> {
    let lists = ["PlacementStrategies", "PlacementConstraints"];
    let is_placed = lists.iter().any(|list| properties.items(list).known().is_some_and(|items| !items.is_empty()));
    let is_daemon = properties.text("SchedulingStrategy").known().is_some_and(|strategy| strategy == "DAEMON");
    if is_placed || is_daemon { Setting::Set(true) } else { Setting::Default }
}

fn reached_by(properties: &Value) -> Setting<Vec<Reach>> {
    let has_items = |key: &str| properties.items(key).map(|items| !items.is_empty());
    let connects =
        properties.path(&["ServiceConnectConfiguration", "Services"]).map(|services| !services.as_items().is_empty());
    let all = [
        (connects, Reach::ServiceConnect),
        (has_items("ServiceRegistries"), Reach::CloudMap),
        (has_items("VpcLatticeConfigurations"), Reach::Lattice),
        (has_items("GatewayConnectors"), Reach::ManagedIngress),
    ];
    let mut reached = Vec::new();
    for (has, reach) in all {
        match has {
            Setting::Set(true) => reached.push(reach),
            Setting::Unknown(why) => return Setting::Unknown(why),
            _ => {}
        }
    }
    Setting::Set(reached)
}

fn balancers(resources: &Resources, properties: &Value) -> Setting<Vec<Balancer>> {
    let own = properties.items("LoadBalancers");
    own.map(|items| items.into_iter().map(|item| alternate_groups(resources, balancer(resources, item))).collect())
}

fn balancer(resources: &Resources, item: &Value) -> Balancer {
    let of = |fact: Setting<String>| fact.and_then(|text| group(resources, &text));
    Balancer {
        group: of(item.text("TargetGroupArn")),
        alternate: of(item.get("AdvancedConfiguration").and_then(|value| value.text("AlternateTargetGroupArn"))),
        container: item.name("ContainerName"),
        port: item.number("ContainerPort"),
        is_managed: false,
    }
}

fn tag(properties: &Value) -> Setting<String> {
    let tag = |item: &Value| item.text("Key").and_then(|key| item.text("Value").map(|value| (key, value)));
    let tags = properties.items("Tags").and_then(|items| all(items.into_iter().map(tag)));
    tags.and_then(|tags| tags.into_iter().find(|(key, _)| key == "spotdrain").map(|(_, value)| value).into())
}

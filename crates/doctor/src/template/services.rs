//! Services.
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-service.html>

use crate::model::service::{Balancer, Service};
use crate::model::setting::Fact;

use crate::template::capacity::{capacity, cluster};
use crate::template::groups::group;
use crate::template::network::has_ipv6;
use crate::template::pseudo::arn;
use crate::template::resources::{Resource, Resources};
use crate::template::tasks::task_definition;
use crate::template::value::{Value, all};

const SERVICE: &[&str] = &["AWS::ECS::Service"];
const SCALABLE: &[&str] = &["AWS::ApplicationAutoScaling::ScalableTarget"];

/// Every service.
pub(crate) fn services(resources: &Resources) -> Vec<Service> {
    resources.of(SERVICE).map(|resource| read(resources, resource)).collect()
}

fn read(resources: &Resources, resource: &Resource) -> Service {
    let properties = &resource.properties;
    Service {
        place: resource.place.clone(),
        name: resource.name.clone(),
        arn: resource.arn.clone(),
        cluster: cluster_arn(resources, properties),
        capacity: capacity(resources, properties),
        desired: desired(resources, resource),
        minimum_healthy: properties
            .get("DeploymentConfiguration")
            .and_then(|value| value.number("MinimumHealthyPercent")),
        platform_version: properties.text("PlatformVersion"),
        balancers: balancers(resources, properties),
        tag: tag(properties),
        has_ipv6: has_ipv6(resources, properties),
        task_definition: task_definition(resources, properties),
    }
}

fn cluster_arn(resources: &Resources, properties: &Value) -> Fact<String> {
    match properties.text("Cluster") {
        Fact::Known(text) if text.starts_with("arn:") => Fact::Known(text),
        Fact::Known(_) => cluster(resources, properties).map(|cluster| cluster.arn.clone()),
        Fact::Absent => Fact::Known(arn("ecs", "cluster/default")),
        Fact::NotKnown(why) => Fact::NotKnown(why),
    }
}

/// The count that the service names; else the least that its auto scaling makes of it.
fn desired(resources: &Resources, service: &Resource) -> Fact<u32> {
    let own = service.properties.number("DesiredCount");
    if own != Fact::Absent {
        return own;
    }
    let is_its = |target: &&Resource| {
        let id = target.properties.text("ResourceId");
        id.known().is_some_and(|id| id.ends_with(&format!("/{}", service.name)))
    };
    resources.of(SCALABLE).find(is_its).map_or(Fact::Absent, |target| target.properties.number("MinCapacity"))
}

fn balancers(resources: &Resources, properties: &Value) -> Fact<Vec<Balancer>> {
    properties.items("LoadBalancers").map(|items| items.into_iter().map(|item| balancer(resources, item)).collect())
}

fn balancer(resources: &Resources, item: &Value) -> Balancer {
    let of = |fact: Fact<String>| fact.and_then(|text| group(resources, &text));
    Balancer {
        group: of(item.text("TargetGroupArn")),
        alternate: of(item.get("AdvancedConfiguration").and_then(|value| value.text("AlternateTargetGroupArn"))),
        container: item.text("ContainerName"),
        port: item.number("ContainerPort"),
    }
}

fn tag(properties: &Value) -> Fact<String> {
    let tag = |item: &Value| item.text("Key").and_then(|key| item.text("Value").map(|value| (key, value)));
    let tags = properties.items("Tags").and_then(|items| all(items.into_iter().map(tag)));
    tags.and_then(|tags| tags.into_iter().find(|(key, _)| key == "spotdrain").map(|(_, value)| value).into())
}

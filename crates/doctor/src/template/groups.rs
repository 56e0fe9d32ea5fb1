//! Target groups.
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancingv2-targetgroup.html>

use crate::model::group::{Attributes, Group, HealthCheck};
use crate::model::setting::Fact;

use crate::template::balancing::{attribute, load_balancer};
use crate::template::resources::{Resource, Resources};
use crate::template::value::{Value, all};

const TARGET_GROUP: &[&str] = &["AWS::ElasticLoadBalancingV2::TargetGroup"];

/// The target group that a text refers to.
pub(crate) fn group(resources: &Resources, text: &str) -> Fact<Group> {
    let elsewhere = || Fact::NotKnown(format!("target group {text} is not in this template"));
    resources.named(TARGET_GROUP, text).map_or_else(elsewhere, |resource| Fact::Known(read(resources, resource)))
}

fn read(resources: &Resources, resource: &Resource) -> Group {
    let properties = &resource.properties;
    Group {
        place: resource.place.clone(),
        arn: resource.arn.clone(),
        protocol: properties.text("Protocol"),
        port: properties.number("Port"),
        ip_address_type: properties.text("IpAddressType"),
        health_check: HealthCheck {
            interval: properties.number("HealthCheckIntervalSeconds"),
            threshold: properties.number("UnhealthyThresholdCount"),
            port: properties.text("HealthCheckPort"),
        },
        attributes: attributes(properties),
        cross_zone: cross_zone(resources, resource),
        zones: load_balancer(resources, resource).and_then(|balancer| zones(&balancer.properties)),
        healthy_in_zones: Fact::Absent,
        unused: Fact::Absent,
        listeners: Fact::Absent,
        tags: tags(properties),
    }
}

fn attributes(properties: &Value) -> Attributes {
    let of = |key| attribute(properties, "TargetGroupAttributes", key);
    Attributes {
        delay: of("deregistration_delay.timeout_seconds").and_then(|text| {
            text.parse().map_or_else(|_| Fact::NotKnown(format!("a deregistration delay of {text:?}")), Fact::Known)
        }),
        cuts_after_delay: of("deregistration_delay.connection_termination.enabled").map(|text| text == "true"),
        cuts_unhealthy: of("target_health_state.unhealthy.connection_termination.enabled").map(|text| text == "true"),
    }
}

/// The group's own setting, or else its load balancer's, which is off for a Network Load Balancer unless it is set.
fn cross_zone(resources: &Resources, group: &Resource) -> Fact<bool> {
    let key = "load_balancing.cross_zone.enabled";
    match attribute(&group.properties, "TargetGroupAttributes", key) {
        Fact::Known(text) if text == "true" || text == "false" => Fact::Known(text == "true"),
        Fact::NotKnown(why) => Fact::NotKnown(why),
        _ => load_balancer(resources, group)
            .and_then(|balancer| attribute(&balancer.properties, "LoadBalancerAttributes", key))
            .map(|text| text == "true"),
    }
}

/// A load balancer has one subnet in each of its zones.
fn zones(balancer: &Value) -> Fact<u32> {
    let count = |key| balancer.items(key).and_then(|items| all(items.into_iter().map(|_| Fact::Known(()))));
    let listed = if count("Subnets") == Fact::Absent { count("SubnetMappings") } else { count("Subnets") };
    listed.map(|items| u32::try_from(items.len()).unwrap_or(u32::MAX))
}

fn tags(properties: &Value) -> Fact<Vec<(String, String)>> {
    let tag = |item: &Value| item.text("Key").and_then(|key| item.text("Value").map(|value| (key, value)));
    properties.items("Tags").and_then(|items| all(items.into_iter().map(tag)))
}

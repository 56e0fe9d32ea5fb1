//! Target groups.
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancingv2-targetgroup.html>

use crate::model::group::{Attributes, Group, HealthCheck};
use crate::model::setting::Setting;

use crate::template::convert::balancing::{attribute, load_balancer};
use crate::template::evaluate::value::{Value, all};
use crate::template::resources::{Resource, Resources};

pub(crate) const TARGET_GROUP: &[&str] = &["AWS::ElasticLoadBalancingV2::TargetGroup"];

/// The target group that a text refers to.
pub(crate) fn group(resources: &Resources, text: &str) -> Setting<Group> {
    let elsewhere = || Setting::Unknown(resources.not_here("target group", text));
    resources.named(TARGET_GROUP, text).map_or_else(elsewhere, |resource| Setting::Set(read(resources, resource)))
}

fn read(resources: &Resources, resource: &Resource) -> Group {
    let properties = &resource.properties;
    Group {
        place: resource.place.clone(),
        arn: resource.arn.clone(),
        protocol: properties.text("Protocol"),
        protocol_version: properties.text("ProtocolVersion"),
        target_type: properties.text("TargetType"),
        port: properties.number("Port"),
        ip_address_type: properties.text("IpAddressType"),
        health_check: HealthCheck {
            interval: properties.number("HealthCheckIntervalSeconds"),
            threshold: properties.number("UnhealthyThresholdCount"),
            port: properties.text("HealthCheckPort"),
            protocol: properties.text("HealthCheckProtocol"),
        },
        attributes: attributes(properties),
        cross_zone: cross_zone(resources, resource),
        zones: load_balancer(resources, resource).and_then(|balancer| zones(&balancer.properties)),
        healthy_in_zones: Setting::Default,
        unused: Setting::Default,
        listeners: Setting::Default,
        tags: tags(properties),
    }
}

fn attributes(properties: &Value) -> Attributes {
    let of = |key: &str| attribute(properties, "TargetGroupAttributes", key);
    let number = |key: &str| {
        of(key).and_then(|text| {
            let wrong = || Setting::Unknown(format!("{key} is {text:?}, which is not a number in range"));
            text.parse().map_or_else(|_| wrong(), Setting::Set)
        })
    };
    let percentage = of("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage");
    Attributes {
        delay: number("deregistration_delay.timeout_seconds"),
        draining_interval: number("target_health_state.unhealthy.draining_interval_seconds"),
        minimum_healthy_count: number("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count"),
        minimum_healthy_percentage: match percentage {
            Setting::Set(text) if text == "off" => Setting::Default,
            _ => number("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage"),
        },
        slow_start: number("slow_start.duration_seconds"),
        cuts_after_delay: of("deregistration_delay.connection_termination.enabled").map(|text| text == "true"),
        cuts_unhealthy: of("target_health_state.unhealthy.connection_termination.enabled").map(|text| text == "true"),
    }
}

/// The group's own setting, or else its load balancer's, which is off for a Network Load Balancer unless it is set.
fn cross_zone(resources: &Resources, group: &Resource) -> Setting<bool> {
    let key = "load_balancing.cross_zone.enabled";
    match attribute(&group.properties, "TargetGroupAttributes", key) {
        Setting::Set(text) if text == "true" || text == "false" => Setting::Set(text == "true"),
        Setting::Unknown(why) => Setting::Unknown(why),
        _ => load_balancer(resources, group)
            .and_then(|balancer| attribute(&balancer.properties, "LoadBalancerAttributes", key))
            .map(|text| text == "true"),
    }
}

/// A load balancer has one subnet in each of its zones.
fn zones(balancer: &Value) -> Setting<u32> {
    let count = |key| balancer.items(key).and_then(|items| all(items.into_iter().map(|_| Setting::Set(()))));
    let listed = if count("Subnets") == Setting::Default { count("SubnetMappings") } else { count("Subnets") };
    listed.map(|items| u32::try_from(items.len()).unwrap_or(u32::MAX))
}

fn tags(properties: &Value) -> Setting<Vec<(String, String)>> {
    let tag = |item: &Value| item.text("Key").and_then(|key| item.text("Value").map(|value| (key, value)));
    properties.items("Tags").and_then(|items| all(items.into_iter().map(tag)))
}

//! Target groups, load balancers, listeners and their rules.
//! Source: <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/lb_target_group>

use crate::plan::kinds::ResourceKind;
use crate::plan::translate::{Names, at, list_of, map, renamed, tags};
use crate::template::evaluate::value::{Data, Value};

pub(super) const KINDS: &[ResourceKind] = &[
    ResourceKind::new("aws_lb_target_group", "AWS::ElasticLoadBalancingV2::TargetGroup", target_group),
    ResourceKind::new("aws_lb", "AWS::ElasticLoadBalancingV2::LoadBalancer", load_balancer),
    ResourceKind::new("aws_lb_listener", "AWS::ElasticLoadBalancingV2::Listener", listener),
    ResourceKind::new("aws_lb_listener_rule", "AWS::ElasticLoadBalancingV2::ListenerRule", listener_rule),
];

const TARGET_GROUP: Names = &[
    ("name", "Name"),
    ("protocol", "Protocol"),
    ("protocol_version", "ProtocolVersion"),
    ("port", "Port"),
    ("target_type", "TargetType"),
    ("ip_address_type", "IpAddressType"),
    ("health_check.interval", "HealthCheckIntervalSeconds"),
    ("health_check.unhealthy_threshold", "UnhealthyThresholdCount"),
    ("health_check.port", "HealthCheckPort"),
    ("health_check.protocol", "HealthCheckProtocol"),
];

/// Attributes in the API that are separate properties in the provider.
const ATTRIBUTES: Names = &[
    ("deregistration_delay", "deregistration_delay.timeout_seconds"),
    ("connection_termination", "deregistration_delay.connection_termination.enabled"),
    ("slow_start", "slow_start.duration_seconds"),
    ("load_balancing_cross_zone_enabled", "load_balancing.cross_zone.enabled"),
    (
        "target_health_state.enable_unhealthy_connection_termination",
        "target_health_state.unhealthy.connection_termination.enabled",
    ),
    ("target_health_state.unhealthy_draining_interval", "target_health_state.unhealthy.draining_interval_seconds"),
    (
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets_count",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count",
    ),
    (
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets_percentage",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage",
    ),
];

fn target_group(from: &Value) -> Vec<(String, Value)> {
    let mut properties = renamed(from, TARGET_GROUP);
    properties.push(("TargetGroupAttributes".to_owned(), attributes(from, ATTRIBUTES)));
    properties.extend(tags(from).map(|tags| ("Tags".to_owned(), tags)));
    properties
}

fn load_balancer(from: &Value) -> Vec<(String, Value)> {
    let mut properties = renamed(from, &[("name", "Name"), ("subnet_mapping", "SubnetMappings")]);
    // If one of the two forms is set, the provider computes the other one.
    let subnets = at(from, "subnets").filter(|all| !matches!(&all.data, Data::List(items) if items.is_empty()));
    properties.extend(subnets.map(|subnets| ("Subnets".to_owned(), subnets)));
    let names: Names = &[("enable_cross_zone_load_balancing", "load_balancing.cross_zone.enabled")];
    properties.push(("LoadBalancerAttributes".to_owned(), attributes(from, names)));
    properties
}

/// A list of keys and values.
fn attributes(from: &Value, names: Names) -> Value {
    let attribute = |(attribute, key): &(&str, &str)| {
        let value = at(from, attribute)?;
        Some(map(vec![("Key".to_owned(), Value::text_of(0, *key)), ("Value".to_owned(), value)]))
    };
    Value { line: 0, data: Data::List(names.iter().filter_map(attribute).collect()) }
}

fn listener(from: &Value) -> Vec<(String, Value)> {
    let mut properties = renamed(from, &[("load_balancer_arn", "LoadBalancerArn")]);
    properties.push(("DefaultActions".to_owned(), list_of(from, "default_action", action)));
    properties
}

fn listener_rule(from: &Value) -> Vec<(String, Value)> {
    let mut properties = renamed(from, &[("listener_arn", "ListenerArn")]);
    properties.push(("Actions".to_owned(), list_of(from, "action", action)));
    properties
}

fn action(action: &Value) -> Value {
    let groups = list_of(action, "forward.target_group", |group| map(renamed(group, &[("arn", "TargetGroupArn")])));
    let forward = map(vec![("TargetGroups".to_owned(), groups)]);
    let mut properties = renamed(action, &[("target_group_arn", "TargetGroupArn")]);
    properties.push(("ForwardConfig".to_owned(), forward));
    map(properties)
}

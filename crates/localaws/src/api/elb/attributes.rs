//! Which attributes has a target group, and which has a load balancer?
//!
//! AWS shows those that are not set with their defaults (`ELBv2` API, `TargetGroupAttribute` and `LoadBalancerAttribute`).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::call::action::Action;
use crate::call::error::ApiError;
use crate::model::elb::group::Group;
use crate::model::world::World;
use crate::protocol::query::{self, Members};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AttributesResult {
    attributes: Members<AttributeShape>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AttributeShape {
    key: String,
    value: String,
}

/// The attributes of a target group or of a load balancer.
pub(crate) fn describe(world: &World, action: Action, arn: &str) -> Result<String, ApiError> {
    let mut attributes = match action {
        Action::DescribeTargetGroupAttributes => of_group(world.groups.get(arn).ok_or_else(ApiError::group_not_found)?),
        _ if world.groups.values().any(|group| group.load_balancers.iter().any(|known| known == arn)) => {
            of_balancer(arn)
        }
        _ => return Err(ApiError::bad("LoadBalancerNotFound", "One or more load balancers not found")),
    };
    attributes.extend(world.canned.attributes.get(arn).cloned().unwrap_or_default());
    let attributes = attributes.into_iter().map(|(key, value)| AttributeShape { key, value }).collect();
    query::result(action, &AttributesResult { attributes })
}

fn map<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

fn of_group(group: &Group) -> BTreeMap<String, String> {
    let delay = group.delay().as_secs().to_string();
    let common = [
        ("deregistration_delay.timeout_seconds", delay.as_str()),
        ("load_balancing.cross_zone.enabled", "use_load_balancer_configuration"),
        ("stickiness.enabled", "false"),
    ];
    let mut attributes = map(common);
    if !matches!(group.protocol.as_str(), "HTTP" | "HTTPS") {
        attributes.extend(map([
            ("deregistration_delay.connection_termination.enabled", "false"),
            ("preserve_client_ip.enabled", "false"),
            ("proxy_protocol_v2.enabled", "false"),
            ("target_health_state.unhealthy.connection_termination.enabled", "true"),
            ("target_health_state.unhealthy.draining_interval_seconds", "0"),
        ]));
    }
    attributes
}

fn of_balancer(arn: &str) -> BTreeMap<String, String> {
    let is_network = arn.contains("loadbalancer/net/");
    let cross_zone = if is_network { "false" } else { "true" };
    map([("deletion_protection.enabled", "false"), ("load_balancing.cross_zone.enabled", cross_zone)])
}

//! How does `ELBv2` show a target group and a target's health in XML?
//!
//! The shapes are those of the API's `TargetGroup` and `TargetHealthDescription` (botocore, `elbv2`, 2015-12-01), without the
//! fields that nothing here needs. What has no value is left out.

use serde::Serialize;

use crate::model::elb::group::{Group, IpAddressType, TargetType};
use crate::model::elb::target::Registered;
use crate::protocol::query::Members;

/// The answer of a call that only acts.
#[derive(Serialize)]
pub(crate) struct Nothing {}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HealthResult {
    pub(crate) target_health_descriptions: Members<HealthShape>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HealthShape {
    target: TargetShape,
    health_check_port: String,
    target_health: StateShape,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TargetShape {
    id: String,
    port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    availability_zone: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StateShape {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'static str>,
}

impl HealthShape {
    /// A target's health, as checked on a port of its group, or on the target's own.
    pub(crate) fn of(found: Registered, check_port: Option<u16>) -> Self {
        let Registered { id, port, zone, health } = found;
        let target_health =
            StateShape { state: health.state.name(), reason: health.reason, description: health.description };
        let target = TargetShape { id, port, availability_zone: zone };
        Self { target, health_check_port: check_port.unwrap_or(port).to_string(), target_health }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GroupsResult<'a> {
    pub(crate) target_groups: Members<GroupShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GroupShape<'a> {
    target_group_arn: &'a str,
    target_group_name: &'a str,
    protocol: &'a str,
    port: u16,
    vpc_id: &'a str,
    health_check_protocol: &'a str,
    health_check_port: String,
    health_check_enabled: bool,
    health_check_interval_seconds: u32,
    unhealthy_threshold_count: u32,
    load_balancer_arns: Members<&'a String>,
    target_type: &'a str,
    ip_address_type: &'a str,
}

impl<'a> GroupShape<'a> {
    pub(crate) fn of(arn: &'a str, group: &'a Group) -> Self {
        Self {
            target_group_arn: arn,
            target_group_name: &group.name,
            protocol: &group.protocol,
            port: group.port,
            vpc_id: "vpc-0a1b2c3d4e5f60718",
            health_check_protocol: "TCP",
            health_check_port: group.check_port.map_or("traffic-port".to_owned(), |port| port.to_string()),
            health_check_enabled: true,
            health_check_interval_seconds: group.health_check.0,
            unhealthy_threshold_count: group.health_check.1,
            load_balancer_arns: group.load_balancers.iter().collect(),
            target_type: match group.target_type {
                TargetType::Ip => "ip",
                TargetType::Instance => "instance",
            },
            ip_address_type: match group.ip_address_type {
                IpAddressType::Ipv4 => "ipv4",
                IpAddressType::Ipv6 => "ipv6",
            },
        }
    }
}

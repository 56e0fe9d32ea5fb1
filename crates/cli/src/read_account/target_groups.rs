//! Target groups, with their attributes and the health of their targets: two calls for each group.
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroups.html>

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_elasticloadbalancingv2::types::{TargetGroup, TargetGroupAttribute};
use spotdrain_doctor::model::group::{Attributes, Group, HealthCheck};
use spotdrain_doctor::model::root::Place;
use spotdrain_doctor::model::setting::Setting;

use super::cross_zone::cross_zone;
use super::paced_client::{CallBudget, PacedClient};
use super::target_health::{self, TargetCounts};
use super::{listeners, tags, unknown};

/// The most groups in one call. If one of them does not exist, the call fails for all.
const MAX_PER_CALL: usize = 20;

/// Returns the groups of these ARNs. Tags are read only if a permission depends on them.
pub(crate) async fn find(
    client: &PacedClient<'_>,
    arns: BTreeSet<String>,
    tags_are_needed: bool,
) -> BTreeMap<String, Setting<Group>> {
    client.progress.expect(arns.len());
    let arns: Vec<_> = arns.into_iter().collect();
    let mut load_balancers = LoadBalancerCache::default();
    let mut groups = BTreeMap::new();
    for arns in arns.chunks(MAX_PER_CALL) {
        let mut described = describe(client, arns).await;
        let mut tags = if tags_are_needed { tags::find(client, &existing(&described)).await } else { BTreeMap::new() };
        for arn in arns {
            let described = described.remove(arn).unwrap_or_else(|| unknown("DescribeTargetGroups did not return it"));
            let group = match described {
                Setting::Set(group) => {
                    let tags = tags.remove(arn).unwrap_or_else(|| unknown("the tags of target groups were not read"));
                    Setting::Set(Group { tags, ..complete(client, arn, &group, &mut load_balancers).await })
                }
                Setting::Default => unknown("the target group does not exist"),
                Setting::Unknown(why) => Setting::Unknown(why),
            };
            groups.insert(arn.clone(), group);
            client.progress.step(&name(arn));
        }
    }
    groups
}

fn name(arn: &str) -> String {
    format!("target group {}", arn.rsplit('/').nth(1).unwrap_or(arn))
}

/// Describes all groups in one call, or one by one if one of them does not exist.
async fn describe(client: &PacedClient<'_>, arns: &[String]) -> BTreeMap<String, Setting<TargetGroup>> {
    let request = client.aws.elb.describe_target_groups().set_target_group_arns(Some(arns.to_vec()));
    match client.call("DescribeTargetGroups", CallBudget::Elb, || request.clone().send()).await {
        Ok(answer) => {
            let groups = answer.target_groups().iter();
            groups
                .filter_map(|group| Some((group.target_group_arn()?.to_owned(), Setting::Set(group.clone()))))
                .collect()
        }
        Err(failure) if failure.code.as_deref() == Some("TargetGroupNotFound") && arns.len() > 1 => {
            let mut all = BTreeMap::new();
            for arn in arns {
                all.extend(Box::pin(describe(client, std::slice::from_ref(arn))).await);
            }
            all
        }
        Err(failure) => arns.iter().map(|arn| (arn.clone(), unknown(&failure.message))).collect(),
    }
}

fn existing(described: &BTreeMap<String, Setting<TargetGroup>>) -> Vec<String> {
    described.iter().filter(|(_, group)| group.known().is_some()).map(|(arn, _)| arn.clone()).collect()
}

/// What was read about load balancers, so that each is read once.
#[derive(Default)]
struct LoadBalancerCache {
    cross_zone: BTreeMap<String, Setting<bool>>,
    listeners: listeners::ListenersByLoadBalancer,
}

/// Reads the group's attributes, load balancer and targets.
async fn complete(
    client: &PacedClient<'_>,
    arn: &str,
    group: &TargetGroup,
    load_balancers: &mut LoadBalancerCache,
) -> Group {
    let request = client.aws.elb.describe_target_group_attributes().target_group_arn(arn);
    let attributes = client.call("DescribeTargetGroupAttributes", CallBudget::Elb, || request.clone().send()).await;
    let attributes = attributes.map(|answer| answer.attributes().to_vec()).map_err(|failure| failure.message);
    let cross_zone = match (own_cross_zone(&attributes), group.load_balancer_arns().first()) {
        (Setting::Default, Some(arn)) => cross_zone(client, arn, &mut load_balancers.cross_zone).await,
        (own, _) => own,
    };
    let TargetCounts { healthy_in_zones, unused } = target_health::find(client, arn).await;
    let listeners = match unused {
        Setting::Set(1..) => listeners::find(client, arn, group, &mut load_balancers.listeners).await,
        _ => Setting::Default,
    };
    let attributes = read_attributes(&attributes);
    Group { cross_zone, attributes, healthy_in_zones, unused, listeners, ..read(arn, group) }
}

fn read(arn: &str, group: &TargetGroup) -> Group {
    let number = |value: Option<i32>| Setting::from(value.and_then(|value| u32::try_from(value).ok()));
    Group {
        place: Place::live(name(arn)),
        arn: arn.to_owned(),
        target_type: group.target_type().map(|target_type| target_type.as_str().to_owned()).into(),
        protocol: group.protocol().map(|protocol| protocol.as_str().to_owned()).into(),
        protocol_version: group.protocol_version().map(str::to_owned).into(),
        port: group.port().and_then(|port| u16::try_from(port).ok()).into(),
        ip_address_type: group.ip_address_type().map(|family| family.as_str().to_owned()).into(),
        health_check: HealthCheck {
            interval: number(group.health_check_interval_seconds()),
            threshold: number(group.unhealthy_threshold_count()),
            port: group.health_check_port().map(str::to_owned).into(),
            protocol: group.health_check_protocol().map(|protocol| protocol.as_str().to_owned()).into(),
        },
        ..Group::default()
    }
}

type GroupAttributes = Result<Vec<TargetGroupAttribute>, String>;

fn attribute(attributes: &GroupAttributes, key: &str) -> Setting<String> {
    match attributes {
        Ok(all) => all.iter().find(|one| one.key() == Some(key)).and_then(|one| one.value()).map(str::to_owned).into(),
        Err(why) => unknown(why),
    }
}

fn read_attributes(attributes: &GroupAttributes) -> Attributes {
    let is_true = |key: &str| attribute(attributes, key).map(|text| text == "true");
    // A percentage may be `off`.
    let number = |key: &str| match attribute(attributes, key) {
        Setting::Set(text) if text == "off" => Setting::Default,
        text => text.and_then(|text| text.parse().map_or_else(|_| unknown(&text), Setting::Set)),
    };
    let minimum = "target_group_health.unhealthy_state_routing.minimum_healthy_targets";
    Attributes {
        delay: number("deregistration_delay.timeout_seconds"),
        draining_interval: number("target_health_state.unhealthy.draining_interval_seconds"),
        minimum_healthy_count: number(&format!("{minimum}.count")),
        minimum_healthy_percentage: number(&format!("{minimum}.percentage")),
        slow_start: number("slow_start.duration_seconds"),
        cuts_after_delay: is_true("deregistration_delay.connection_termination.enabled"),
        cuts_unhealthy: is_true("target_health_state.unhealthy.connection_termination.enabled"),
    }
}

/// The group's own setting; `Default` if it inherits the load balancer's.
fn own_cross_zone(attributes: &GroupAttributes) -> Setting<bool> {
    match attribute(attributes, "load_balancing.cross_zone.enabled") {
        Setting::Set(text) if text == "true" || text == "false" => Setting::Set(text == "true"),
        Setting::Unknown(why) => Setting::Unknown(why),
        _ => Setting::Default,
    }
}

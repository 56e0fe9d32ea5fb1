//! The targets of a group: the healthy ones by Availability Zone, and those that the load balancer does not use.
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html>

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::{
    TargetHealthDescription, TargetHealthReasonEnum, TargetHealthStateEnum as State,
};
use spotdrain_doctor::model::setting::Setting;

use super::paced_client::{PacedClient, RateLimit};
use super::unknown;

/// The counts of a group's targets.
#[derive(Debug)]
pub(crate) struct TargetCounts {
    pub(crate) healthy_in_zones: Setting<Vec<u32>>,
    pub(crate) unused: Setting<u32>,
}

/// Counts the targets of a group.
pub(crate) async fn find(client: &PacedClient<'_>, arn: &str) -> TargetCounts {
    let request = client.aws.elb.describe_target_health().target_group_arn(arn);
    match client.call("DescribeTargetHealth", RateLimit::Elb, || request.clone().send()).await {
        Ok(answer) => read(answer.target_health_descriptions()),
        Err(failure) => TargetCounts { healthy_in_zones: unknown(&failure.message), unused: unknown(&failure.message) },
    }
}

fn read(targets: &[TargetHealthDescription]) -> TargetCounts {
    let mut zones: BTreeMap<&str, u32> = BTreeMap::new();
    let mut unused = 0;
    for description in targets {
        let health = description.target_health();
        let state = health.and_then(|health| health.state());
        if let (Some(State::Healthy), Some(zone)) =
            (state, description.target().and_then(|one| one.availability_zone()))
        {
            *zones.entry(zone).or_default() += 1;
        }
        let reason = health.and_then(|health| health.reason());
        unused += u32::from(state == Some(&State::Unused) && reason == Some(&TargetHealthReasonEnum::NotInUse));
    }
    TargetCounts { healthy_in_zones: Setting::Set(zones.into_values().collect()), unused: Setting::Set(unused) }
}

#[cfg(test)]
mod tests {
    use aws_sdk_elasticloadbalancingv2::types::{TargetDescription, TargetHealth};

    use super::*;

    fn target(zone: Option<&str>, state: State, reason: Option<TargetHealthReasonEnum>) -> TargetHealthDescription {
        let target = TargetDescription::builder().id("10.0.0.1").set_availability_zone(zone.map(str::to_owned)).build();
        let health = TargetHealth::builder().state(state).set_reason(reason).build();
        TargetHealthDescription::builder().target(target).target_health(health).build()
    }

    #[test]
    fn healthy_targets_are_counted_by_zone_and_unused_targets_by_reason() {
        use TargetHealthReasonEnum::{DeregistrationInProgress, FailedHealthChecks, InvalidState, NotInUse};
        let table: [(&[TargetHealthDescription], &[u32], u32); 5] = [
            (&[], &[], 0),
            (&[target(Some("b"), State::Healthy, None), target(Some("a"), State::Healthy, None)], &[1, 1], 0),
            (&[target(Some("a"), State::Healthy, None), target(Some("a"), State::Healthy, None)], &[2], 0),
            (
                &[
                    target(Some("a"), State::Unused, Some(NotInUse)),
                    target(Some("c"), State::Unused, Some(NotInUse)),
                    target(Some("a"), State::Unused, Some(InvalidState)),
                ],
                &[],
                2,
            ),
            (
                &[
                    target(Some("a"), State::Unhealthy, Some(FailedHealthChecks)),
                    target(Some("a"), State::Draining, Some(DeregistrationInProgress)),
                    target(None, State::Healthy, None),
                ],
                &[],
                0,
            ),
        ];
        for (targets, zones, unused) in table {
            let health = read(targets);
            assert_eq!((health.healthy_in_zones, health.unused), (Setting::Set(zones.to_vec()), Setting::Set(unused)));
        }
    }
}

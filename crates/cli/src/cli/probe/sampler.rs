//! Samples the health of a group's targets once a second, and notes every change.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{TargetDescription, TargetHealthDescription};
use spotdrain_drill::probe::estimate::Interval;
use spotdrain_drill::probe::record::StateChange;
use spotdrain_drill::probe::run::RunningProbe;
use spotdrain_function::Aws;
use tokio::time::{MissedTickBehavior, interval};

use super::note;
use crate::read_account::{CallBudget, PacedClient, attempt_once};

/// ELB's other calls share a limit of ten a second; the sampler uses one of them.
const INTERVAL: Duration = Duration::from_secs(1);

/// A target's state and reason.
type SampledState = (Option<String>, Option<String>);

/// Reads the group once, so that a missing permission or a wrong ARN is an error before the probe begins.
pub(crate) async fn check_access(aws: &Aws, group: &str) -> Result<(), String> {
    let request = aws.elb.describe_target_health().target_group_arn(group);
    let answer = PacedClient::new(aws).call("DescribeTargetHealth", CallBudget::Elb, || request.clone().send()).await;
    answer.map(drop).map_err(|failure| failure.message)
}

/// Samples until it is dropped. A failed call leaves a gap, in which the time of a change is known less precisely.
pub(crate) async fn sample(probe: &RunningProbe, aws: &Aws, group: &str) {
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known: Option<(f64, BTreeMap<String, SampledState>)> = None;
    let mut has_failed = false;
    loop {
        ticks.tick().await;
        let request = aws.elb.describe_target_health().target_group_arn(group);
        let from = probe.now();
        let Ok(answer) = attempt_once(|| request.clone().send()).await else {
            if !has_failed {
                note("DescribeTargetHealth fails: changes of the targets' states are seen late, or not at all");
            }
            has_failed = true;
            continue;
        };
        has_failed = false;
        let states = states(answer.target_health_descriptions());
        let seen = Interval { from: known.as_ref().map_or(from, |(before, _)| *before), to: probe.now() };
        let before = known.map(|(_, states)| states).unwrap_or_default();
        for change in changes(&before, &states, seen) {
            probe.record_state(change);
        }
        known = Some((from, states));
    }
}

fn states(targets: &[TargetHealthDescription]) -> BTreeMap<String, SampledState> {
    let state = |target: &TargetHealthDescription| {
        let health = target.target_health();
        let state = health.and_then(|health| health.state()).map(|state| state.as_str().to_owned());
        let reason = health.and_then(|health| health.reason()).map(|reason| reason.as_str().to_owned());
        Some((name(target.target()?), (state, reason)))
    };
    targets.iter().filter_map(state).collect()
}

/// `ADDRESS:PORT`.
pub(crate) fn name(target: &TargetDescription) -> String {
    let port = target.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", target.id().unwrap_or_default())
}

fn changes(
    before: &BTreeMap<String, SampledState>,
    now: &BTreeMap<String, SampledState>,
    seen: Interval,
) -> Vec<StateChange> {
    let change =
        |target: &String, (state, reason): SampledState| StateChange { seen, target: target.clone(), state, reason };
    let changed = now.iter().filter(|(target, state)| before.get(*target) != Some(state));
    let gone = before.keys().filter(|target| !now.contains_key(*target));
    changed
        .map(|(target, state)| change(target, state.clone()))
        .chain(gone.map(|target| change(target, (None, None))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_are_noted() {
        let state = |name: &str| (Some(name.to_owned()), None);
        let map =
            |states: &[(&str, &str)]| states.iter().map(|(target, name)| ((*target).to_owned(), state(name))).collect();
        let (before, now) = (
            map(&[("a", "healthy"), ("b", "healthy"), ("c", "draining")]),
            map(&[("a", "healthy"), ("b", "draining")]),
        );
        let seen = Interval { from: 1.0, to: 2.0 };
        let texts: Vec<_> = changes(&before, &now, seen).iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["target b: draining", "target c: not in the group"]);
    }
}

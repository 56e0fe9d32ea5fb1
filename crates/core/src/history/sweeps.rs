//! Sweeps: interruptions that follow each other closely. How many tasks does AWS take back at once?

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::interruption::PastInterruption;

/// An interruption belongs to the sweep of the one before if it comes within this time.
pub const GAP: SignedDuration = SignedDuration::from_secs(60);

/// How many sweeps a report lists.
const MOST: usize = 5;

/// Several interruptions of one Region, each at most [`GAP`] after the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sweep {
    pub from: Timestamp,
    pub seconds: u64,
    pub tasks: usize,
    pub services: BTreeSet<String>,
    pub zones: BTreeSet<String>,
}

/// Returns the largest sweeps. `interruptions`: the earliest first. Each Region has its own sweeps, because its capacity is its own.
pub(crate) fn largest(interruptions: &[PastInterruption]) -> Vec<Sweep> {
    let mut regions: BTreeMap<&str, Vec<&PastInterruption>> = BTreeMap::new();
    for one in interruptions {
        regions.entry(region(&one.task)).or_default().push(one);
    }
    let is_next = |one: &&PastInterruption, next: &&PastInterruption| next.at.duration_since(one.at) <= GAP;
    let mut sweeps: Vec<_> = regions.values().flat_map(|all| all.chunk_by(is_next)).filter_map(sweep).collect();
    sweeps.sort_by_key(|sweep| std::cmp::Reverse((sweep.tasks, sweep.from)));
    sweeps.truncate(MOST);
    sweeps
}

/// Returns the Region in `arn:aws:ecs:REGION:ACCOUNT:task/...`.
fn region(task: &str) -> &str {
    task.split(':').nth(3).unwrap_or_default()
}

fn sweep(group: &[&PastInterruption]) -> Option<Sweep> {
    let [first, .., last] = group else { return None };
    Some(Sweep {
        from: first.at,
        seconds: u64::try_from(last.at.duration_since(first.at).as_secs()).unwrap_or(0),
        tasks: group.len(),
        services: group.iter().map(|one| one.service_name()).collect(),
        zones: group.iter().filter_map(|one| one.zone.clone()).collect(),
    })
}

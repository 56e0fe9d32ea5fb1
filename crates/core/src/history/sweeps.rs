//! Sweeps: interruptions that follow each other closely. How many tasks does AWS take back at once?

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::interruption::PastInterruption;

/// An interruption belongs to the sweep of the one before if it comes within this time.
pub const GAP: SignedDuration = SignedDuration::from_secs(60);

/// How many sweeps a report lists.
const MOST: usize = 5;

/// Several interruptions, each at most [`GAP`] after the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sweep {
    pub from: Timestamp,
    pub seconds: u64,
    pub tasks: usize,
    pub services: BTreeSet<String>,
    pub zones: BTreeSet<String>,
}

/// Returns the largest sweeps. `interruptions`: the earliest first.
pub(crate) fn largest(interruptions: &[PastInterruption]) -> Vec<Sweep> {
    let groups = interruptions.chunk_by(|one, next| next.at.duration_since(one.at) <= GAP);
    let mut sweeps: Vec<_> = groups.filter_map(sweep).collect();
    sweeps.sort_by_key(|sweep| std::cmp::Reverse((sweep.tasks, sweep.from)));
    sweeps.truncate(MOST);
    sweeps
}

fn sweep(group: &[PastInterruption]) -> Option<Sweep> {
    let [first, .., last] = group else { return None };
    Some(Sweep {
        from: first.at,
        seconds: u64::try_from(last.at.duration_since(first.at).as_secs()).unwrap_or(0),
        tasks: group.len(),
        services: group.iter().map(PastInterruption::service_name).collect(),
        zones: group.iter().filter_map(|one| one.zone.clone()).collect(),
    })
}

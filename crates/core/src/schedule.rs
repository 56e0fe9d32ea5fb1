//! In which order are the notices of a batch handled, and which of them not at all this time?
//!
//! A group costs a read and a write, and both have a pace. So the services are taken in waves, the earliest deadline first:
//! each wave is looked up, planned and executed before the next, and no read is made long before the write that rests on it.
//! What cannot be done before the function's deadline costs no call: it goes back at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use crate::arn::TargetGroupArn;
use crate::candidates::{Configured, candidates, service_key};
use crate::finding::{ServiceFinding, ServiceKey};
use crate::notice::Incoming;
use crate::pace::Budget;
use crate::settings::Settings;

/// A wave is not smaller than this, though its last groups have to wait for their turn: each costs a few calls of its own.
const LEAST_A_WAVE: usize = 4;

/// Deadlines within the same so many seconds count as one. The queue deals the notices of a service to both sandboxes: when
/// both take the services in the same order, each group is written to twice in a storm, and else once more each time that what
/// is left is dealt again.
const SAME_TIME: i64 = 10;

/// What of a batch is handled, and in which order.
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    /// One after the other. All notices of a service are in the same.
    pub waves: Vec<Vec<Incoming>>,
    /// Not this time.
    pub postponed: Vec<Incoming>,
}

/// How many groups the pace lets through.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// At once.
    pub first: usize,
    /// In all the time that there is.
    pub most: usize,
    /// In a wave, though some have to wait.
    pub least: usize,
}

impl Allowance {
    /// The allowance of a budget for this time.
    #[must_use]
    pub fn of(budget: &Budget, now: Duration, time: Duration) -> Self {
        Self { first: budget.groups_at_once(now), most: budget.groups_within(now, time), least: LEAST_A_WAVE }
    }
}

/// The notices of one service, or those of none; then those of a wave.
struct Part {
    deadline: Timestamp,
    groups: BTreeSet<TargetGroupArn>,
    notices: Vec<Incoming>,
}

impl Part {
    fn has_room(&self, other: &Self, size: usize) -> bool {
        self.groups.union(&other.groups).count() <= size || other.groups.is_empty()
    }

    fn add(&mut self, other: Self) {
        self.groups.extend(other.groups);
        self.notices.extend(other.notices);
    }
}

/// Puts the notices in order. The first wave is always tried, however little time there is: its calls know the deadline.
#[must_use]
pub fn schedule(
    notices: Vec<Incoming>,
    (services, configured): (&BTreeMap<ServiceKey, ServiceFinding>, &Configured),
    settings: &Settings,
    allowance: Allowance,
) -> Schedule {
    let mut schedule = Schedule::default();
    let mut groups = 0;
    for wave in waves(of_services(notices, (services, configured), settings), allowance) {
        groups += wave.groups.len();
        if groups <= allowance.most || schedule.waves.is_empty() {
            schedule.waves.push(wave.notices);
        } else {
            schedule.postponed.extend(wave.notices);
        }
    }
    schedule
}

fn waves(parts: Vec<Part>, allowance: Allowance) -> Vec<Part> {
    let mut waves: Vec<Part> = Vec::new();
    for part in parts {
        let size = if waves.len() <= 1 { allowance.first.max(allowance.least) } else { allowance.least };
        let size = size.min(allowance.most);
        match waves.last_mut().filter(|wave| wave.has_room(&part, size)) {
            Some(wave) => wave.add(part),
            None => waves.push(part),
        }
    }
    waves
}

/// The notices by their service, the earliest deadline first.
fn of_services(
    notices: Vec<Incoming>,
    (services, configured): (&BTreeMap<ServiceKey, ServiceFinding>, &Configured),
    settings: &Settings,
) -> Vec<Part> {
    let mut parts: BTreeMap<Option<ServiceKey>, Part> = BTreeMap::new();
    for incoming in notices {
        let deadline = incoming.notice.deadline();
        let of_service = parts.entry(service_key(&incoming.notice, settings)).or_insert_with(|| {
            let groups = candidates(&incoming.notice, settings, services, configured).groups;
            Part { deadline, groups: groups.into_keys().collect(), notices: Vec::new() }
        });
        of_service.deadline = of_service.deadline.min(deadline);
        of_service.notices.push(incoming);
    }
    let mut parts: Vec<_> = parts.into_values().collect();
    // Those of the same time stay in the order of their names.
    parts.sort_by_key(|part| part.deadline.as_second().div_euclid(SAME_TIME));
    parts
}

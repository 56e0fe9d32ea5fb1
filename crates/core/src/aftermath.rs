//! What does a read after a write show of a target?
//!
//! AWS says success also of a target that is not there, or that stands there under another port: only a read tells.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::outcome::Outcome;
use crate::plan::OwnedTarget;
use crate::target::{RegisteredTarget, Target, TargetState};

/// What a read shows of a target that was to be deregistered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It is gone, or on its way.
    Settled(Outcome),
    /// It is still registered, under these ports, and not draining.
    Stays(Vec<Target>),
    /// The same, and it is a healthy one without which the group would have none.
    LastHealthy,
}

/// What a group is to keep, when it is read only after a write.
#[derive(Debug, Clone, Copy)]
pub struct Guard<'a> {
    /// `SPOTDRAIN_KEEP_LAST`
    pub keep_last: bool,
    /// The targets of the call: they go away.
    pub doomed: &'a [OwnedTarget],
    /// What else goes away.
    pub going: &'a BTreeSet<IpAddr>,
}

impl Guard<'_> {
    fn forbids(&self, registered: &[RegisteredTarget]) -> bool {
        let goes = |address: IpAddr| {
            self.going.contains(&address) || self.doomed.iter().any(|owned| owned.target.address == address)
        };
        let stays = |found: &RegisteredTarget| found.state == TargetState::Healthy && !goes(found.address);
        self.keep_last && !registered.iter().any(stays)
    }
}

/// Looks a target up among those of its group.
#[must_use]
pub fn seen(target: Target, registered: &[RegisteredTarget], guard: Guard<'_>) -> Seen {
    let own: Vec<_> = registered.iter().filter(|found| found.address == target.address).collect();
    let stays = own.iter().filter(|found| found.state != TargetState::Draining);
    if stays.clone().any(|found| found.state == TargetState::Healthy) && guard.forbids(registered) {
        return Seen::LastHealthy;
    }
    let stays: Vec<_> = stays.map(|found| Target { address: found.address, port: Some(found.port) }).collect();
    match (own.is_empty(), stays.is_empty()) {
        (true, _) => Seen::Settled(Outcome::NotRegistered),
        (false, true) => Seen::Settled(Outcome::Deregistered),
        (false, false) => Seen::Stays(stays),
    }
}

//! What does a read after a write show of a target?
//!
//! AWS says success also of a target that is not there, or that stands there under another port: only a read tells.

use crate::outcome::Outcome;
use crate::target::{RegisteredTarget, Target, TargetState};

/// What a read shows of a target that was to be deregistered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It is gone, or on its way.
    Settled(Outcome),
    /// It is still registered, under these ports, and not draining.
    Stays(Vec<Target>),
}

/// Looks a target up among those of its group.
#[must_use]
pub fn seen(target: Target, registered: &[RegisteredTarget]) -> Seen {
    let own: Vec<_> = registered.iter().filter(|found| found.address == target.address).collect();
    let stays = own.iter().filter(|found| found.state != TargetState::Draining);
    let stays: Vec<_> = stays.map(|found| Target { address: found.address, port: Some(found.port) }).collect();
    match (own.is_empty(), stays.is_empty()) {
        (true, _) => Seen::Settled(Outcome::NotRegistered),
        (false, true) => Seen::Settled(Outcome::Deregistered),
        (false, false) => Seen::Stays(stays),
    }
}

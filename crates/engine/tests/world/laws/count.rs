//! Counts what the laws would not notice.

use spotdrain_core::model::notice::Ignored;
use spotdrain_core::model::observed::TargetState;
use spotdrain_core::model::outcome::Outcome;
use spotdrain_core::report::Report;

use crate::world::delivery::queue::Message;
use crate::world::fleet::Entry;
use crate::world::world::World;

/// Counts notices whose address another task's target has by now.
pub fn count_wrong_addresses(world: &mut World, now: u64, messages: &[Message]) {
    let is_wrong = |message: &&Message| {
        let Some(truth) = message.truth.filter(|truth| truth.is_notice) else { return false };
        let address = world.fleet.tasks[truth.task].address;
        let serves = |entry: &&Entry| entry.state != TargetState::Draining && entry.address == address;
        let mut serving = world.fleet.groups.iter().flat_map(|group| &group.entries).filter(serves);
        serving.any(|entry| !world.fleet.tasks[entry.owner].is_interrupted(now))
    };
    let count = messages.iter().filter(is_wrong).count();
    world.tally.wrong_address += count as u64;
}

/// Counts what the engine records.
pub fn count_outcomes(world: &mut World, report: &Report) {
    let rows = report.notices.iter().flat_map(|notice| &notice.registrations);
    let kept = rows.filter(|row| row.outcome == Outcome::KeptLastHealthy);
    let kept: Vec<_> = kept.filter_map(|row| world.fleet.group(&row.target_group)).collect();
    world.kept.extend(kept);
    let tally = &mut world.tally;
    tally.repeated += report.ignored.iter().filter(|event| event.reason == Ignored::Repeated).count() as u64;
    tally.looked_again += report.notices.iter().filter(|notice| notice.look_again_seconds.is_some()).count() as u64;
    tally.emptied += report.emptied.len() as u64;
    tally.postponed += report.notices.iter().filter(|notice| notice.postponed).count() as u64;
    for row in report.notices.iter().flat_map(|notice| &notice.registrations) {
        match row.outcome {
            Outcome::Stale => tally.stale += 1,
            Outcome::KeptLastHealthy => tally.kept += 1,
            Outcome::LeftToHold => tally.held += 1,
            Outcome::Deregistered => tally.deregistered += 1,
            Outcome::AlreadyDraining => tally.draining += 1,
            Outcome::NotRegistered => tally.not_registered += 1,
            Outcome::AlreadyGone => tally.gone += 1,
            Outcome::Failed(_) => tally.failed += 1,
            Outcome::WouldDeregister => tally.restricted += 1,
        }
    }
}

//! The laws of a message that is deleted, by the function or by Lambda, and of the answer.

use std::collections::BTreeSet;

use spotdrain_core::model::arn::TargetGroupArn;
use spotdrain_core::model::observed::TargetState;
use spotdrain_core::model::outcome::Outcome;
use spotdrain_core::settings::Mode;

use super::Law;
use crate::world::bounds::{CACHE_VALID, READ_LAG};
use crate::world::delivery::queue::{Message, Truth};
use crate::world::environment::{Invocation, Received, Record};
use crate::world::fleet::{Entry, GroupId, TaskId};
use crate::world::time::Ms;
use crate::world::world::World;

/// The answer names only messages that Lambda delivered: one that it does not know fails the whole batch.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>
pub fn answer_names_delivered(world: &mut World, now: Ms, delivered: &[Message], named: &BTreeSet<String>) {
    let is_delivered = |id: &&String| delivered.iter().any(|message| message.id.to_string() == **id);
    if let Some(id) = named.iter().find(|id| !is_delivered(id)) {
        world.break_law(Law::AnswerNamesDelivered, now, format!("message {id}"));
    }
}

/// A message whose groups never got a turn does not become a dead letter.
pub fn tried_before_dead(world: &mut World, now: Ms, dead: &[Message]) {
    let is_untried = |message: &&Message| message.postponed >= message.receives;
    for message in dead.iter().filter(is_untried) {
        world.break_law(Law::TriedBeforeDead, now, format!("message {}", message.id));
    }
}

/// Checks a message that an invocation handled and that is now deleted.
pub fn deleted(world: &mut World, now: Ms, id: u64, invocation: &Invocation) {
    world.tally.records += 1;
    let (Some(received), Some(record)) = (invocation.message(id), invocation.record_of(id)) else {
        world.break_law(Law::RecordedBeforeDeleted, now, format!("message {id} has no record"));
        return;
    };
    let handled = Handled { received, record, invocation };
    let Some(truth) = handled.notice_to_drain(world, now) else { return };
    let is_excused_repeat = world.excused.get(&truth.task).is_some_and(|excused| truth.version <= *excused);
    if !is_excused_repeat || matches!(record, Record::Notice(_)) {
        its_targets_are_drained(world, now, truth, &handled);
    }
}

/// Notes what a record excuses. A message with the same or an older version may be deleted as a repeat after it.
pub fn recorded(world: &mut World, now: Ms, id: u64, invocation: &Invocation) {
    let (Some(received), Some(record)) = (invocation.message(id), invocation.record_of(id)) else { return };
    let handled = Handled { received, record, invocation };
    let Some(Truth { task, version, .. }) = handled.notice_to_drain(world, now) else { return };
    let left = targets_left(world, now, task);
    if left.iter().any(|(group, entry)| handled.excuse(world, *group, entry, now).is_some()) {
        let excused = world.excused.entry(task).or_insert(version);
        *excused = version.max(*excused);
    }
}

/// The task's targets must be draining or gone in every group that it may be in.
fn its_targets_are_drained(world: &mut World, now: Ms, truth: Truth, handled: &Handled<'_>) {
    for (group, entry) in targets_left(world, now, truth.task) {
        match handled.excuse(world, group, &entry, now) {
            Some(Excuse::Kept) => {}
            Some(Excuse::New) => world.tally.excused_new += 1,
            Some(Excuse::Believed) => world.tally.excused_cache += 1,
            None => {
                let (id, task) = (handled.received.message.id, truth.task);
                let name = world.fleet.groups[group].arn.name();
                let what = format!("message {id}: {}:{} of task-{task} stays in {name}", entry.address, entry.port);
                world.break_law(Law::NeverALostNotice, now, what);
            }
        }
    }
}

/// The task's targets that still serve, in the groups that the configuration or its service names.
fn targets_left(world: &World, now: Ms, task: TaskId) -> Vec<(GroupId, Entry)> {
    let service = &world.fleet.services[world.fleet.tasks[task].service];
    let configured = world.settings.target_groups.iter().filter_map(|group| world.fleet.group(&group.arn));
    let named = service.groups_at(now).map(|(group, _)| group).filter(|_| world.settings.discover);
    let groups: BTreeSet<_> = configured.chain(named).collect();
    let is_left = |entry: &&Entry| entry.owner == task && entry.state != TargetState::Draining;
    let of = |group: GroupId| {
        let left = world.fleet.groups[group].entries.iter().filter(is_left);
        left.map(move |entry| (group, entry.clone())).collect::<Vec<_>>()
    };
    groups.into_iter().flat_map(of).collect()
}

/// Why a target may stay.
enum Excuse {
    /// It was kept on purpose.
    Kept,
    /// It was registered so recently that a read within its lag could not show it.
    New,
    /// Its service has had the group for less time than an answer is believed.
    Believed,
}

/// A message that an invocation handled.
struct Handled<'a> {
    received: &'a Received,
    record: &'a Record,
    invocation: &'a Invocation,
}

impl Handled<'_> {
    /// What is true of the message, if it is a notice whose targets must be drained.
    fn notice_to_drain(&self, world: &World, now: Ms) -> Option<Truth> {
        let truth = self.received.message.truth.filter(|truth| truth.is_notice)?;
        let task = &world.fleet.tasks[truth.task];
        let service = &world.fleet.services[task.service];
        let is_in_scope = service.is_drained() && world.settings.in_scope(&service.key.cluster);
        (is_in_scope && world.settings.mode == Mode::Enforce && !task.is_down_at(now)).then_some(truth)
    }

    fn excuse(&self, world: &World, group: GroupId, entry: &Entry, now: Ms) -> Option<Excuse> {
        let of_group = &world.fleet.groups[group];
        let service = &world.fleet.services[world.fleet.tasks[entry.owner].service];
        if self.is_kept(&of_group.arn, service.is_held_in(of_group)) {
            return Some(Excuse::Kept);
        }
        let started_at = self.invocation.started_at;
        let read_at = self.invocation.first_read(&of_group.arn, self.received.at).unwrap_or(started_at);
        if entry.since + READ_LAG > read_at {
            return Some(Excuse::New);
        }
        let (added_at, _) = service.added.as_ref().filter(|(_, groups)| groups.iter().any(|(id, _)| *id == group))?;
        (added_at + CACHE_VALID + READ_LAG > started_at && *added_at <= now).then_some(Excuse::Believed)
    }

    /// Whether the record says that a target of the group stays on purpose.
    fn is_kept(&self, group: &TargetGroupArn, is_held: bool) -> bool {
        let Record::Notice(record) = self.record else { return false };
        record.registrations.iter().filter(|row| row.target_group == *group).any(|row| match row.outcome {
            Outcome::KeptLastHealthy => true,
            Outcome::LeftToHold => is_held,
            _ => false,
        })
    }
}

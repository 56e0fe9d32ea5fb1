//! The laws, each a function that looks at one moment of a history. What a lagging read excuses is said where it is
//! excused, and counted.

use std::fmt;
use std::net::IpAddr;

use spotdrain_core::report::{NoticeRecord, Report};
use spotdrain_core::target::TargetState;

use super::api::Write;
use super::bounds::READ_LAG;
use super::fleet::{Entry, GroupId, TaskId};
use super::queue::Message;
use super::sandbox::Answer;
use super::time::{Ms, SECOND};
use super::world::World;

/// How long what DescribeServices said is believed.
const BELIEVED: Ms = 60 * SECOND;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    NeverTheWrongTarget,
    DownOutweighsAll,
    NeverALostNotice,
    NeverTheLastHealthy,
    NeverAHeldTarget,
    TwiceIsOnce,
    OrderDoesNotMatter,
    EveryMessageEnds,
}

impl Law {
    pub const ALL: [Self; 8] = [
        Self::NeverTheWrongTarget,
        Self::DownOutweighsAll,
        Self::NeverALostNotice,
        Self::NeverTheLastHealthy,
        Self::NeverAHeldTarget,
        Self::TwiceIsOnce,
        Self::OrderDoesNotMatter,
        Self::EveryMessageEnds,
    ];
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NeverTheWrongTarget => {
                "a target that belongs to a task which is not interrupted is never deregistered"
            }
            Self::DownOutweighsAll => "after an event that a task is down, its sandbox writes nothing for it",
            Self::NeverALostNotice => "a notice that is acknowledged is done, or need not be",
            Self::NeverTheLastHealthy => "a group's last healthy target is never removed after a read that succeeded",
            Self::NeverAHeldTarget => "what a hold takes care of is never deregistered",
            Self::TwiceIsOnce => "handling a history twice ends in the same state as once",
            Self::OrderDoesNotMatter => "the order of a batch does not matter to the final state",
            Self::EveryMessageEnds => "when the API answers again, every message is acknowledged or a dead letter",
        })
    }
}

#[derive(Debug, Clone)]
pub struct Violation {
    pub law: Law,
    pub at: Ms,
    pub what: String,
}

impl World {
    pub fn break_law(&mut self, law: Law, at: Ms, what: String) {
        self.tell(at, |_| format!("VIOLATION of \"{law}\": {what}"));
        self.violations.push(Violation { law, at, what });
    }
}

fn is_written(write: &Write, own_port: u16, entry: &Entry) -> bool {
    let names = |address: IpAddr, port: Option<u16>| address == entry.address && port.unwrap_or(own_port) == entry.port;
    write.targets.iter().any(|owned| names(owned.target.address, owned.target.port))
}

/// Laws on whom a write hits, at the moment at which it takes effect.
pub fn before_write(world: &mut World, now: Ms, group: GroupId, write: &Write) {
    a_target_of_a_task_that_is_not_interrupted_is_never_deregistered(world, now, group, write);
    after_an_event_that_a_task_is_down_nothing_is_written_for_it(world, now, write);
    what_a_hold_takes_care_of_is_never_deregistered(world, now, group, write);
}

fn a_target_of_a_task_that_is_not_interrupted_is_never_deregistered(
    world: &mut World,
    now: Ms,
    group: GroupId,
    write: &Write,
) {
    let of_group = &world.fleet.groups[group];
    let is_hit = |entry: &&Entry| entry.state != TargetState::Draining && is_written(write, of_group.ports[0], entry);
    let hit = of_group.entries.iter().filter(is_hit);
    let mut wrong = hit.filter(|entry| !world.fleet.tasks[entry.owner].is_interrupted(now));
    if let Some(entry) = wrong.next() {
        let what = format!("{}:{} in {} is task-{}'s", entry.address, entry.port, of_group.arn.name(), entry.owner);
        world.break_law(Law::NeverTheWrongTarget, now, what);
    }
}

fn after_an_event_that_a_task_is_down_nothing_is_written_for_it(world: &mut World, now: Ms, write: &Write) {
    if let Some(owned) = write.targets.iter().find(|owned| write.basis.seen_down.contains(&owned.task)) {
        let what = format!("{} for {}", owned.target, owned.task.id());
        world.break_law(Law::DownOutweighsAll, now, what);
    }
}

/// Also where the group could not be read: the hold gives the time to read it later. Without discovery no tag is known.
fn what_a_hold_takes_care_of_is_never_deregistered(world: &mut World, now: Ms, group: GroupId, write: &Write) {
    if !world.settings.discover {
        return;
    }
    let of_group = &world.fleet.groups[group];
    let service = |entry: &Entry| &world.fleet.services[world.fleet.tasks[entry.owner].service];
    let hit = of_group.entries.iter().filter(|entry| is_written(write, of_group.ports[0], entry));
    let mut held = hit.filter(|entry| entry.state != TargetState::Draining && service(entry).is_held_in(of_group));
    if let Some(entry) = held.next() {
        let what = format!("{}:{} in {} has a hold", entry.address, entry.port, of_group.arn.name());
        world.break_law(Law::NeverAHeldTarget, now, what);
    }
}

/// The guard, after a write that left a group of `healthy` targets without any.
pub fn after_write(world: &mut World, now: Ms, group: GroupId, write: &Write, healthy: usize) {
    if !world.settings.keep_last || healthy == 0 || world.fleet.groups[group].healthy() > 0 || write.is_unread {
        // Where the group could not be read, acting wins.
        if write.is_second && healthy > 0 && world.fleet.groups[group].healthy() == 0 {
            world.tally.excused_second += 1;
        }
        return;
    }
    a_groups_last_healthy_target_is_never_removed_after_a_read(world, now, group, write);
}

/// The read must have shown a healthy target that stays: one of no task of the batch. What became of that target between
/// the moment that the read tells of and the write is not ours to know: that is all that a lagging read excuses. And a
/// target that was not healthy when it was read may have become so since.
fn a_groups_last_healthy_target_is_never_removed_after_a_read(
    world: &mut World,
    now: Ms,
    group: GroupId,
    write: &Write,
) {
    let Some((_, read)) = write.basis.read.get(&write.group) else { return };
    let holders = |address: IpAddr| world.fleet.tasks.iter().filter(move |task| task.address == address);
    let of_batch =
        |address: IpAddr| holders(address).next_back().is_some_and(|task| write.basis.tasks.contains(&task.arn));
    let is_healthy = |state: &TargetState| *state == TargetState::Healthy;
    let stays = read.iter().any(|target| is_healthy(&target.state) && !of_batch(target.address));
    let written = |address, port| {
        write.targets.iter().any(|owned| (owned.target.address, owned.target.port) == (address, Some(port)))
    };
    let was_healthy = read.iter().any(|target| is_healthy(&target.state) && written(target.address, target.port));
    if stays {
        return;
    }
    if !was_healthy {
        world.tally.excused_health += 1;
        return;
    }
    let what = format!("{} has no healthy target left", world.fleet.groups[group].arn.name());
    world.break_law(Law::NeverTheLastHealthy, now, what);
}

/// What is acknowledged is done: the task's targets are draining or gone in every group that it may be in.
pub fn acknowledged(world: &mut World, now: Ms, message: &Message, answer: &Answer) {
    let Some(truth) = message.truth.filter(|truth| truth.is_notice) else { return };
    let task = &world.fleet.tasks[truth.task];
    let service = &world.fleet.services[task.service];
    let is_ours = service.is_ours() && world.settings.in_scope(&service.key.cluster);
    if !is_ours || world.settings.mode != spotdrain_core::settings::Mode::Enforce || task.is_down_at(now) {
        return;
    }
    let record =
        answer.report.notices.iter().find(|notice| notice.message_id.as_deref() == Some(&*message.id.to_string()));
    let arn = task.arn.clone();
    if record.is_none() && world.excused.get(&arn).is_some_and(|version| truth.version <= *version) {
        return;
    }
    let left: Vec<_> = left_of(world, now, truth.task);
    for (group, entry) in left {
        if is_excused(world, answer, record, group, &entry, now) {
            world
                .excused
                .entry(arn.clone())
                .and_modify(|version| *version = truth.version.max(*version))
                .or_insert(truth.version);
        } else {
            let name = world.fleet.groups[group].arn.name();
            let what =
                format!("message {}: {}:{} of {} stays in {name}", message.id, entry.address, entry.port, arn.id());
            world.break_law(Law::NeverALostNotice, now, what);
        }
    }
}

/// The task's targets that still serve, in the groups that the configuration or its service names.
fn left_of(world: &World, now: Ms, task: TaskId) -> Vec<(GroupId, Entry)> {
    let service = &world.fleet.services[world.fleet.tasks[task].service];
    let configured = world.settings.target_groups.iter().filter_map(|group| world.fleet.group(&group.arn));
    let named = service.groups_at(now).map(|(group, _)| group).filter(|_| world.settings.discover);
    let mut groups: Vec<_> = configured.chain(named).collect();
    groups.sort_unstable();
    groups.dedup();
    let own = |entry: &&Entry| entry.owner == task && entry.state != TargetState::Draining;
    let of = |group: GroupId| {
        world.fleet.groups[group].entries.iter().filter(own).map(move |e| (group, e.clone())).collect()
    };
    groups.into_iter().flat_map(|group| -> Vec<_> { of(group) }).collect()
}

/// Kept on purpose; registered so lately that a read within its lag could not show it; or in a group that the service has
/// only had for a time in which what it had before may be believed.
fn is_excused(
    world: &mut World,
    answer: &Answer,
    record: Option<&NoticeRecord>,
    group: GroupId,
    entry: &Entry,
    now: Ms,
) -> bool {
    let arn = &world.fleet.groups[group].arn;
    let service = &world.fleet.services[world.fleet.tasks[entry.owner].service];
    let is_held = service.is_held_in(&world.fleet.groups[group]);
    let rows = record.into_iter().flat_map(|record| &record.registrations);
    let is_kept = rows.filter(|row| row.target_group == *arn).any(|row| match row.outcome {
        "KeptLastHealthy" => true,
        "LeftToHold" => is_held,
        _ => false,
    });
    let read_at = answer.basis.read.get(arn).map_or(answer.started_at, |(at, _)| *at);
    let is_new = entry.since + READ_LAG > read_at;
    let added = service.added.as_ref().filter(|(_, groups)| groups.iter().any(|(id, _)| *id == group));
    let is_believed = added.is_some_and(|(at, _)| at + BELIEVED + READ_LAG > answer.started_at && *at <= now);
    world.tally.excused_new += u64::from(!is_kept && is_new);
    world.tally.excused_cache += u64::from(!is_kept && !is_new && is_believed);
    is_kept || is_new || is_believed
}

pub fn count_wrong_addresses(world: &mut World, now: Ms, messages: &[Message]) {
    let is_wrong = |message: &&Message| {
        let Some(truth) = message.truth.filter(|truth| truth.is_notice) else { return false };
        let address = world.fleet.tasks[truth.task].address;
        let entries = world.fleet.groups.iter().flat_map(|group| &group.entries);
        let serving = entries.filter(|entry| entry.state != TargetState::Draining && entry.address == address);
        serving.into_iter().any(|entry| !world.fleet.tasks[entry.owner].is_interrupted(now))
    };
    let count = messages.iter().filter(is_wrong).count();
    world.tally.wrong_address += count as u64;
}

pub fn count_outcomes(world: &mut World, report: &Report) {
    let tally = &mut world.tally;
    tally.repeated += report.ignored.iter().filter(|event| event.reason.as_str() == "Repeated").count() as u64;
    for row in report.notices.iter().flat_map(|notice| &notice.registrations) {
        match row.outcome {
            "Stale" => tally.stale += 1,
            "KeptLastHealthy" => tally.kept += 1,
            "LeftToHold" => tally.held += 1,
            "Deregistered" => tally.deregistered += 1,
            "AlreadyDraining" => tally.draining += 1,
            "Failed" => tally.failed += 1,
            "WouldDeregister" => tally.restricted += 1,
            _ => {}
        }
    }
}

//! The laws of a write, checked at the moment at which it takes effect.

use std::collections::BTreeSet;

use spotdrain_core::model::observed::{RegisteredTarget, TargetState};

use super::Law;
use crate::world::fleet::{Entry, GroupId, TaskId};
use crate::world::tally::Counter;
use crate::world::time::Ms;
use crate::world::world::World;
use crate::world::write::Write;

/// Checks which targets a write hits.
pub fn before_write(world: &mut World, now: Ms, group: GroupId, write: &Write) {
    targets_of_tasks_that_are_not_interrupted_stay(world, now, group, write);
    nothing_is_written_for_a_task_that_is_down(world, now, write);
    targets_with_a_hold_stay(world, now, group, write);
    note_an_excused_basis(world, group, write);
}

/// A target may be the last healthy one because another environment removed the others without an up-to-date read.
fn note_an_excused_basis(world: &mut World, group: GroupId, write: &Write) {
    let Some(excuse) = excuse_of_basis(write) else { return };
    let group = &mut world.fleet.groups[group];
    let is_hit = |entry: &&Entry| write.names(entry, group.ports[0]) && entry.state != TargetState::Draining;
    let hit = group.entries.iter().filter(is_hit).map(|entry| (entry.owner, excuse));
    group.by_excused.extend(hit);
}

/// Returns the first target that the write takes out of service and to which the condition applies.
fn hit<'a>(world: &'a World, group: GroupId, write: &Write, is_wrong: impl Fn(&Entry) -> bool) -> Option<&'a Entry> {
    let group = &world.fleet.groups[group];
    let mut hit = group.entries.iter().filter(|entry| write.names(entry, group.ports[0]));
    hit.find(|entry| entry.state != TargetState::Draining && is_wrong(entry))
}

fn targets_of_tasks_that_are_not_interrupted_stay(world: &mut World, now: Ms, group: GroupId, write: &Write) {
    let is_wrong = |entry: &Entry| !world.fleet.tasks[entry.owner].is_interrupted(now);
    let Some(entry) = hit(world, group, write, is_wrong) else { return };
    let (target, owner) = (format!("{}:{}", entry.address, entry.port), entry.owner);
    let what = format!("{target} in {} belongs to task-{owner}", write.group.name());
    world.break_law(Law::NeverTheWrongTarget, now, what);
}

fn nothing_is_written_for_a_task_that_is_down(world: &mut World, now: Ms, write: &Write) {
    let is_down = |arn| world.fleet.task(arn).is_some_and(|task| write.basis.down.contains(&task));
    if let Some(owned) = write.targets.iter().find(|owned| is_down(&owned.task)) {
        let what = format!("{} for {}", owned.target, owned.task.id());
        world.break_law(Law::DownOutweighsAll, now, what);
    }
}

/// This also applies to a group that could not be read: the hold gives the time to read it later. Without discovery no tag is
/// known.
fn targets_with_a_hold_stay(world: &mut World, now: Ms, group: GroupId, write: &Write) {
    if !world.settings.discover {
        return;
    }
    let service = |entry: &Entry| &world.fleet.services[world.fleet.tasks[entry.owner].service];
    let is_held = |entry: &Entry| service(entry).is_held_in(&world.fleet.groups[group]);
    if let Some(entry) = hit(world, group, write, is_held) {
        let what = format!("{}:{} in {} has a hold", entry.address, entry.port, write.group.name());
        world.break_law(Law::NeverAHeldTarget, now, what);
    }
}

/// Checks the rule of the last healthy target after a write to a group that had `healthy` targets.
pub fn after_write(world: &mut World, now: Ms, group: GroupId, write: &Write, healthy: usize) {
    let took_the_last = healthy > 0 && world.fleet.groups[group].healthy() == 0;
    if !took_the_last || !world.settings.keep_last {
        return;
    }
    match excuse(world, group, write) {
        Some(excuse) => *excuse(&mut world.tally) += 1,
        None => world.break_law(Law::NeverTheLastHealthy, now, write.group.name().to_owned()),
    }
}

/// Why a write may have taken the last healthy target of a group.
fn excuse(world: &World, group: GroupId, write: &Write) -> Option<Counter> {
    if let Some(excuse) = excuse_of_basis(write) {
        return Some(excuse);
    }
    let read = write.basis.read.as_ref()?;
    let holder = |target: &RegisteredTarget| world.fleet.holder(target.address, read.began_at);
    let services: BTreeSet<_> =
        read.targets.iter().filter_map(holder).map(|task| world.fleet.tasks[task].service).collect();
    if services.len() > 1 {
        return Some(|tally| &mut tally.excused_services);
    }
    let is_written = |target: &RegisteredTarget| write.names_target(target.address, target.port);
    let healthy = read.targets.iter().filter(|target| target.state == TargetState::Healthy);
    let (written, survivors): (Vec<_>, Vec<_>) = healthy.partition(|target| is_written(target));
    if written.is_empty() {
        return Some(|tally| &mut tally.excused_health);
    }
    // With two environments, one of them then knows of at least half, and asks ECS about the rest.
    let draining = read.targets.iter().filter(|target| target.state == TargetState::Draining).count();
    if world.environments > 2 && survivors.len() * 2 > written.len() + survivors.len() + draining {
        return Some(|tally| &mut tally.excused_environments);
    }
    survivors.into_iter().filter_map(holder).find_map(|task| fate(world, group, task, read.began_at))
}

/// What excuses a write because of what it relies on.
fn excuse_of_basis(write: &Write) -> Option<Counter> {
    match &write.basis.read {
        None => Some(|tally| &mut tally.excused_unread),
        Some(read) if read.is_behind || write.basis.ecs_is_behind => Some(|tally| &mut tally.excused_behind),
        Some(_) => None,
    }
}

/// How a target left that stayed by the plan, other than a write that knew of its task's stop.
fn fate(world: &World, group: GroupId, task: TaskId, read_at: Ms) -> Option<Counter> {
    let of_group = &world.fleet.groups[group];
    let is_unhealthy =
        |entry: &Entry| entry.owner == task && !matches!(entry.state, TargetState::Healthy | TargetState::Draining);
    let stopped_later = world.fleet.tasks[task].stop.is_some_and(|stop| stop.at > read_at);
    if of_group.by_ecs.contains(&task) || stopped_later {
        Some(|tally| &mut tally.excused_survivor)
    } else if of_group.entries.iter().any(is_unhealthy) {
        Some(|tally| &mut tally.excused_health)
    } else {
        of_group.by_excused.get(&task).copied()
    }
}

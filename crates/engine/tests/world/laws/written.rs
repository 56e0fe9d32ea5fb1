//! The laws of a write, checked at the moment at which it takes effect.

use std::net::IpAddr;
use std::rc::Rc;

use spotdrain_core::arn::TargetGroupArn;
use spotdrain_core::finding::TargetState;

use super::Law;
use crate::world::environment::{Basis, Drained};
use crate::world::fleet::{Entry, GroupId};
use crate::world::time::Ms;
use crate::world::world::World;
use crate::world::write::Write;

/// Checks which targets a write hits.
pub fn before_write(world: &mut World, now: Ms, group: GroupId, write: &Write) {
    targets_of_tasks_that_are_not_interrupted_stay(world, now, group, write);
    nothing_is_written_for_a_task_that_is_down(world, now, write);
    targets_with_a_hold_stay(world, now, group, write);
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

/// Checks the guard after a write to a group that had `healthy` targets.
pub fn after_write(world: &mut World, now: Ms, group: GroupId, write: &Write, healthy: usize) {
    let took_the_last = healthy > 0 && world.fleet.groups[group].healthy() == 0;
    if !took_the_last || !world.settings.keep_last {
        return;
    }
    the_read_showed_a_healthy_target_that_stays(world, now, write);
}

/// The read must have shown a healthy target of a task for which the engine had no notice. What became of that target between the
/// moment that the read shows and the write cannot be known: a lagging read excuses that, and nothing else. And a target that
/// was not healthy when it was read may have become so since.
fn the_read_showed_a_healthy_target_that_stays(world: &mut World, now: Ms, write: &Write) {
    let Some(read) = &write.basis.read else { return };
    let holder = |address: IpAddr| world.fleet.tasks.iter().rposition(|task| task.address == address);
    let stays = |address| holder(address).is_none_or(|task| !read.departing.contains(&task));
    let is_written = |address, port| {
        write.targets.iter().any(|owned| (owned.target.address, owned.target.port) == (address, Some(port)))
    };
    let healthy: Vec<_> = read.targets.iter().filter(|target| target.state == TargetState::Healthy).collect();
    if healthy.iter().any(|target| stays(target.address)) {
        return;
    }
    let taken: Vec<_> = healthy.iter().filter(|target| is_written(target.address, target.port)).collect();
    world.tally.excused_health += u64::from(taken.is_empty());
    for target in taken {
        let registration = (write.group.clone(), target.address);
        let Basis { is_second, drained, .. } = &write.basis;
        world.suspects.push(Suspect { at: now, registration, is_second: *is_second, drained: Rc::clone(drained) });
    }
    world.log(now, |_| format!("the last healthy target of {} is taken", write.group.name()));
}

/// A last healthy target that was taken although a read showed it as the last one.
///
/// The plan may not rest on that read: for a later part of the invocation the group may not have been readable, and then
/// deregistering is more important than the guard. The record decides, which has the state that the plan's read showed.
#[derive(Debug, Clone)]
pub struct Suspect {
    at: Ms,
    registration: (TargetGroupArn, IpAddr),
    /// The write came after the read that confirms one without a read, so it rests on this read in any case.
    is_second: bool,
    drained: Drained,
}

/// Judges the suspects of a history, or of a frozen moment, by the records that came after.
pub fn judge(world: &mut World) {
    for Suspect { at, registration, is_second, drained } in std::mem::take(&mut world.suspects) {
        let (group, address) = &registration;
        if is_second || drained.borrow().contains(&registration) {
            world.break_law(Law::NeverTheLastHealthy, at, format!("{address} was the last one of {}", group.name()));
        } else {
            world.tally.excused_unread += 1;
        }
    }
}

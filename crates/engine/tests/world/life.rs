//! The life of a task: from its interface to its registration, and from its stop signal to the deletion of its interface.

use spotdrain_core::model::arn::TaskArn;
use spotdrain_core::model::observed::TargetState;
use spotdrain_core::model::task_status::TaskStatus;

use super::bounds::{DEPROVISIONING_TO_INTERFACE_DELETED, STOP_TO_INTERFACE_DELETED};
use super::delivery::event_bus;
use super::fleet::{Entry, GroupId, Stop, Task, TaskId};
use super::time::{Ms, SECOND};
use super::world::{Happening, World};

/// Starts a task with the address that was freed last; without a free address it waits for one.
pub fn start(world: &mut World, now: Ms, service: usize) {
    let Some(address) = world.fleet.free.pop() else {
        world.without_address.push(service);
        return;
    };
    let id = world.fleet.tasks.len();
    let cluster = world.fleet.services[service].key.cluster.name();
    let arn = TaskArn::parse(&format!("arn:aws:ecs:eu-central-1:123456789012:task/{cluster}/task-{id}")).unwrap();
    world.log(now, |_| format!("task-{id} of service {service} starts with {address}"));
    world.tally.reused += u64::from(world.fleet.tasks.iter().any(|task| task.address == address));
    let life = vec![(now, TaskStatus::Pending)];
    let task = Task { arn, service, address, life, stop: None, version: 2, interface_deleted_at: None };
    world.fleet.tasks.push(task);
    let registered = now + world.draw_start_time();
    world.plan(registered, Happening::Register(id));
}

/// The task runs, and ECS registers it in the groups that its service has at this moment.
pub fn register(world: &mut World, now: Ms, task: TaskId) {
    world.fleet.tasks[task].life.push((now, TaskStatus::Running));
    let (service, address) = (world.fleet.tasks[task].service, world.fleet.tasks[task].address);
    let groups: Vec<_> = world.fleet.services[service].groups_at(now).map(|(group, _)| group).collect();
    for group in groups.into_iter().filter(|group| world.fleet.groups[*group].gone_at.is_none()).collect::<Vec<_>>() {
        let ports = world.fleet.groups[group].ports.clone();
        world.fleet.groups[group].change(now, |entries| {
            entries.retain(|entry| entry.address != address || !ports.contains(&entry.port));
            let entry = |port| Entry { address, port, state: TargetState::Initial, owner: task, since: now };
            entries.extend(ports.into_iter().map(entry));
        });
    }
    world.log(now, |_| format!("task-{task} is registered with {address}"));
    if world.dice.chance(30) {
        event_bus::send(world, now, task, "RUNNING", "RUNNING");
    }
    let healthy = now + world.dice.between(2, 15) * SECOND;
    world.plan(healthy, Happening::Health(task, TargetState::Healthy));
}

/// The health checks see a task in this state.
pub fn health(world: &mut World, now: Ms, task: TaskId, state: &TargetState) {
    world.log(now, |_| format!("task-{task} is {}", state.as_ref()));
    for group in &mut world.fleet.groups {
        let is_checked = |entry: &Entry| entry.owner == task && entry.state != TargetState::Draining;
        if group.entries.iter().any(is_checked) {
            group.change(now, |entries| {
                entries.iter_mut().filter(|entry| is_checked(entry)).for_each(|entry| entry.state = state.clone());
            });
        }
    }
}

/// ECS stops a task, because of an interruption or for another reason. All that follows is planned here, within the bounds.
pub fn stop(world: &mut World, now: Ms, task: TaskId, is_spot: bool) {
    let task = task % world.fleet.tasks.len();
    if world.fleet.tasks[task].stop.is_some() || world.fleet.tasks[task].status_at(now) != Some(&TaskStatus::Running) {
        return;
    }
    let codes =
        [Some("SpotInterruption"), Some("SpotInterruption"), Some("TerminationNotice"), None, Some("SpotReclaim")];
    let code = if is_spot { world.dice.pick(&codes) } else { Some("ServiceSchedulerInitiated") };
    let stop = Stop { at: now, is_spot, code, is_dated: world.dice.chance(85) };
    world.fleet.tasks[task].stop = Some(stop);
    world.log(now, |_| format!("task-{task} {}", if is_spot { "IS INTERRUPTED" } else { "is stopped, not by Spot" }));
    *(if is_spot { &mut world.tally.interruptions } else { &mut world.tally.other_stops }) += 1;
    event_bus::send(world, now, task, "RUNNING", "STOPPED");
    way_down(world, now, task);
    let replaced = now + world.dice.between(0, 5) * SECOND;
    let service = world.fleet.tasks[task].service;
    world.plan(replaced, Happening::Start(service));
}

fn way_down(world: &mut World, now: Ms, task: TaskId) {
    let dice = &mut world.dice;
    let deactivating = now + dice.between(200, 4000);
    let stopping = deactivating + dice.between(100, 4000);
    let slack = if dice.chance(60) { 0 } else { dice.between(0, 60 * SECOND) };
    let deprovisioning = stopping.max(now + STOP_TO_INTERFACE_DELETED - DEPROVISIONING_TO_INTERFACE_DELETED) + slack;
    let deleted = deprovisioning + DEPROVISIONING_TO_INTERFACE_DELETED + dice.pick(&[0, 0, 500, 5000]);
    let first = now + dice.between(0, 1500);
    // ECS deregisters before the signal, as AWS documents it; with DEACTIVATING; or only at the end, as users saw in 2025.
    let by_ecs = dice.pick(&[first, deactivating, deactivating, deprovisioning, deleted]);
    let repeated = dice.chance(25).then_some(now + 2 * SECOND);
    world.plan(by_ecs, Happening::EcsDeregisters(task));
    for (at, status) in repeated.map(|at| (at, TaskStatus::Running)).into_iter().chain([
        (deactivating, TaskStatus::Deactivating),
        (stopping, TaskStatus::Stopping),
        (deprovisioning, TaskStatus::Deprovisioning),
        (deleted + 500, TaskStatus::Stopped),
    ]) {
        world.plan(at, Happening::Status(task, status));
    }
    world.plan(deleted, Happening::InterfaceDeleted(task));
}

/// The task or one of its containers changes, which is an event.
pub fn status(world: &mut World, now: Ms, task: TaskId, status: TaskStatus) {
    let life = &mut world.fleet.tasks[task].life;
    // A container's change is reported with the status that the task has.
    let is_change = status != TaskStatus::Running;
    if is_change {
        life.push((now, status));
    }
    let status = life.last().map_or("RUNNING", |(_, status)| status.as_ref()).to_owned();
    world.log(now, |_| format!("task-{task} is {status}"));
    event_bus::send(world, now, task, &status, "STOPPED");
}

pub fn ecs_deregisters(world: &mut World, now: Ms, task: TaskId) {
    world.log(now, |_| format!("ECS deregisters task-{task}"));
    for group in 0..world.fleet.groups.len() {
        let own = |entry: &Entry| entry.owner == task && entry.state != TargetState::Draining;
        if world.fleet.groups[group].entries.iter().any(own) {
            world.fleet.groups[group].by_ecs.insert(task);
            drain(world, now, group, own);
        }
    }
}

/// Makes targets drain; they are removed after the deregistration delay.
pub fn drain(world: &mut World, now: Ms, group: GroupId, which: impl Fn(&Entry) -> bool) {
    let mut owners = Vec::new();
    world.fleet.groups[group].change(now, |entries| {
        for entry in entries.iter_mut().filter(|entry| which(entry)) {
            entry.state = TargetState::Draining;
            owners.push(entry.owner);
        }
    });
    owners.dedup();
    for owner in owners {
        let removed = now + world.dice.pick(&[0, 5, 30, 120]) * SECOND;
        if !world.is_frozen {
            world.plan(removed, Happening::Removed(group, owner));
        }
    }
}

pub fn removed(world: &mut World, now: Ms, group: GroupId, task: TaskId) {
    let is_over = |entry: &Entry| entry.owner == task && entry.state == TargetState::Draining;
    world.fleet.groups[group].change(now, |entries| entries.retain(|entry| !is_over(entry)));
}

/// Frees the address; a task that waits for one gets it at once.
pub fn interface_deleted(world: &mut World, now: Ms, task: TaskId) {
    let address = world.fleet.tasks[task].address;
    world.log(now, |_| format!("{address} of task-{task} is free"));
    world.fleet.tasks[task].interface_deleted_at = Some(now);
    world.fleet.free.push(address);
    if !world.without_address.is_empty() {
        let service = world.without_address.remove(0);
        start(world, now, service);
    }
}

//! The start of a history: its settings, its fleet, its incidents, and how the API behaves.

use spotdrain_core::model::observed::TargetState;
use spotdrain_core::settings::Settings;

use super::dice::Dice;
use super::environment::{Call, Fault, Trouble};
use super::fleet::{Group, GroupId, Service, address, cluster, target_group};
use super::time::{Ms, SECOND};
use super::world::{Happening, World};

/// Nearly all tasks of the start are registered and healthy by then.
const AFTER_START: Ms = 30 * SECOND;

/// Draws a world.
pub fn world(mut dice: Dice, traced: bool) -> World {
    let settings = settings(&mut dice);
    let mut world = World::new(dice, settings, traced);
    // A wide fleet has more groups than there are tokens for turns.
    let is_wide = world.dice.chance(10);
    groups(&mut world, is_wide);
    services(&mut world, is_wide);
    incidents(&mut world, is_wide);
    faults(&mut world);
    world
}

fn settings(dice: &mut Dice) -> Settings {
    let mut named: Vec<(&str, String)> = Vec::new();
    if dice.chance(10) {
        named.push(("SPOTDRAIN_KEEP_LAST", "false".to_owned()));
    }
    if dice.chance(2) {
        named.push(("SPOTDRAIN_MODE", "observe".to_owned()));
    }
    if dice.chance(10) {
        named.push(("SPOTDRAIN_CLUSTERS", "first".to_owned()));
    }
    if dice.chance(25) {
        let port = dice.pick(&["", "=8080", "=1"]);
        named.push(("SPOTDRAIN_TARGET_GROUPS", format!("{}{port}", target_group(0))));
        if dice.chance(20) {
            named.push(("SPOTDRAIN_DISCOVER", "false".to_owned()));
        }
    }
    if dice.chance(40) {
        named.push(("SPOTDRAIN_CALL_BURST", "1".to_owned()));
        named.push(("SPOTDRAIN_CALLS_PER_SECOND", dice.pick(&["0.1", "0.2", "1"]).to_owned()));
    }
    Settings::read(named).unwrap()
}

fn groups(world: &mut World, is_wide: bool) {
    let dice = &mut world.dice;
    let count = if is_wide { dice.between(5, 8) } else { dice.between(1, 3) } as usize;
    for number in 0..count {
        let ports = dice.pick(&[&[8080][..], &[8080], &[9000], &[8080, 9000]]);
        let check_port = dice.pick(&[None, None, Some(8081)]);
        world.fleet.groups.push(Group::new(target_group(number), ports.to_vec(), check_port));
    }
}

/// Makes the services, and starts their tasks.
fn services(world: &mut World, is_wide: bool) {
    let groups = world.fleet.groups.len();
    let count = if is_wide { groups } else { 1 + world.dice.index(2) };
    let second = world.dice.pick(&["first", "second"]);
    let mut tasks = 0;
    for number in 0..count {
        let cluster = if number == 1 { second } else { "first" };
        let first = if is_wide { number } else { world.dice.index(groups) };
        let service = service(&mut world.dice, cluster, number, first, groups);
        world.fleet.services.push(service);
        for _ in 0..world.dice.between(1, if is_wide { 2 } else { 3 }) {
            world.plan(0, Happening::Start(number));
            tasks += 1;
        }
    }
    // Few addresses: a new task gets one that was just freed, or waits for it.
    let spare = world.dice.pick(&[0, 0, 0, 1, 2]);
    world.fleet.free = (0..tasks + spare).map(address).collect();
}

/// Draws a service with a first group, often a second one, and sometimes one that an update adds.
fn service(dice: &mut Dice, of_cluster: &str, number: usize, first: GroupId, groups: usize) -> Service {
    // The port that a service names is usually the registered one.
    let named =
        |dice: &mut Dice, group: GroupId| (group % groups, dice.pick(&[Some(8080), Some(8080), Some(8080), None]));
    let mut service = Service::new(&cluster(of_cluster), &format!("service-{number}"));
    service.groups.push(named(dice, first));
    if dice.chance(40) {
        service.groups.push(named(dice, first + 1));
    }
    if dice.chance(20) {
        let at = dice.between(1, 60) * SECOND;
        service.added = Some((at, vec![named(dice, first + 2)]));
    }
    service.tag = dice.pick(&[None, None, None, None, None, Some("on"), Some("off"), Some("observe"), Some("hold")]);
    service.groups.dedup_by_key(|(group, _)| *group);
    service
}

/// Plans the stops of tasks, most of them in one storm, and other changes.
fn incidents(world: &mut World, is_wide: bool) {
    let storm = AFTER_START + world.dice.between(0, 10) * SECOND;
    stops(world, storm, is_wide);
    messages(world, storm);
    if world.dice.chance(30) {
        let task = world.dice.index(4);
        let at = AFTER_START + world.dice.between(0, 20 * SECOND);
        world.plan(at, Happening::Health(task, TargetState::Unhealthy));
    }
    if world.dice.chance(4) {
        let group = world.dice.index(world.fleet.groups.len());
        let at = AFTER_START + world.dice.between(0, 60 * SECOND);
        world.plan(at, Happening::GroupDeleted(group));
    }
}

fn stops(world: &mut World, storm: Ms, is_wide: bool) {
    let (most, tasks) = if is_wide { (10, 16) } else { (4, 6) };
    for _ in 0..world.dice.between(1, most) {
        let at = if world.dice.chance(60) {
            storm + world.dice.between(0, 3000)
        } else {
            AFTER_START + world.dice.between(0, 90 * SECOND)
        };
        let task = world.dice.index(tasks);
        let is_spot = world.dice.chance(85);
        world.plan(at, Happening::Stop(task, is_spot));
    }
}

/// Plans messages that no task sends: now and then garbage, and in a busy history so many events of another source that Lambda
/// delivers full batches.
fn messages(world: &mut World, storm: Ms) {
    if world.dice.chance(15) {
        world.plan(AFTER_START + 1000, Happening::Garbage);
    }
    world.is_busy = world.dice.chance(30);
    if !world.is_busy {
        return;
    }
    for _ in 0..world.dice.between(2, 4) {
        let at = storm + world.dice.between(0, 6 * SECOND);
        for _ in 0..world.dice.between(8, 24) {
            let happening = if world.dice.chance(3) { Happening::Garbage } else { Happening::OtherEvent };
            world.plan(at, happening);
        }
    }
}

/// The calls that may fail; `None` for all of them.
const CALLS: [Option<Call>; 9] = [
    None,
    Some(Call::DescribeServices),
    Some(Call::DescribeTargetHealth),
    Some(Call::DescribeTasks),
    Some(Call::ListTasks),
    Some(Call::DeregisterTargets),
    Some(Call::ReceiveMessage),
    Some(Call::DeleteMessageBatch),
    Some(Call::ChangeMessageVisibilityBatch),
];

/// Draws how the API behaves.
fn faults(world: &mut World) {
    let dice = &mut world.dice;
    world.faults.at_any_time = dice.pick(&[0, 3, 10]);
    world.faults.lagging = dice.pick(&[0, 30, 80]);
    world.faults.refuses_unknown = dice.chance(20);
    world.faults.kills_connections = dice.chance(50);
    if dice.chance(3) {
        world.faults.denied = dice.pick(&CALLS);
    }
    troubles(world);
}

/// Draws periods in which many calls fail.
fn troubles(world: &mut World) {
    const FAULTS: [Fault; 5] = [Fault::Throttle, Fault::Error, Fault::Break, Fault::Hang, Fault::LostAnswer];
    let dice = &mut world.dice;
    for _ in 0..dice.between(0, 2) {
        let from = AFTER_START + dice.between(0, 20 * SECOND);
        let to = from + dice.between(1, 60) * SECOND;
        let (call, fault, percent) = (dice.pick(&CALLS), dice.pick(&FAULTS), dice.pick(&[50, 90, 100]));
        world.faults.troubles.push(Trouble { from, to, call, fault, percent });
    }
}

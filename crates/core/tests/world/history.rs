//! One history, from its seed: a small fleet, what befalls it, and how the API behaves.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;

use spotdrain_core::settings::Settings;

use super::api::{Call, Fault, Trouble};
use super::dice::Dice;
use super::fleet::{Group, Service, address, cluster, target_group};
use super::frozen;
use super::laws::{Law, Violation};
use super::sandbox::{Sim, work};
use super::tally::Tally;
use super::time::{Clock, Ms, SECOND, run};
use super::world::{Happening, World};

/// No message is on its way any longer than this: ten minutes of trouble and twelve receives of the last.
const LONGEST: Ms = 40 * 60 * SECOND;

/// What a history came to.
#[derive(Debug)]
pub struct Told {
    pub violations: Vec<Violation>,
    pub tally: Tally,
    pub trace: Vec<String>,
}

/// Lives the history of a seed.
pub fn live(seed: u64, traced: bool) -> Told {
    let mut dice = Dice::new(seed);
    let settings = settings(&mut dice);
    let mut world = World::new(dice, settings, traced);
    fleet(&mut world);
    befall(&mut world);
    faults(&mut world);
    let sandboxes = 1 + usize::from(world.dice.chance(60));
    let probe_at = world.dice.between(31, 90) * SECOND;
    let sim = Sim { clock: Clock::at(0), world: RefCell::new(world) };
    let mut all: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = vec![Box::pin(frozen::probe(&sim, probe_at))];
    all.extend((0..sandboxes).map(|number| Box::pin(work(&sim, number)) as _));
    all.push(Box::pin(guard(&sim)));
    run(&sim.clock, all, || sim.world.borrow().next_happening(), |now| sim.world.borrow_mut().advance(now));
    frozen::replay(&sim);
    let world = sim.world.into_inner();
    Told { violations: world.violations, tally: world.tally, trace: world.trace.unwrap_or_default() }
}

/// The last law: the queue gets empty.
async fn guard(sim: &Sim) {
    while !sim.world.borrow().is_over() {
        let now = sim.clock.now();
        if now > LONGEST {
            let waiting = sim.world.borrow().queue.waiting.len();
            let mut world = sim.world.borrow_mut();
            world.break_law(Law::EveryMessageEnds, now, format!("{waiting} messages still wait"));
            world.queue.waiting.clear();
            world.agenda.clear();
            return;
        }
        sim.clock.sleep(20 * SECOND).await;
    }
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

fn fleet(world: &mut World) {
    let dice = &mut world.dice;
    let groups = dice.between(1, 3) as usize;
    for number in 0..groups {
        let ports = dice.pick(&[&[8080][..], &[8080], &[9000], &[8080, 9000]]);
        let check_port = dice.pick(&[None, None, Some(8081)]);
        world.fleet.groups.push(Group::new(target_group(number), ports.to_vec(), check_port));
    }
    let clusters = [cluster("first"), cluster(dice.pick(&["first", "second"]))];
    let (mut tasks, mut starts) = (0, Vec::new());
    let services = dice.between(1, 2) as usize;
    for (number, of_cluster) in clusters.iter().enumerate().take(services) {
        let mut service = Service::new(of_cluster, &format!("service-{number}"));
        // The port that a service names is the registered one, but not always.
        let named = |dice: &mut Dice, group: usize| (group, dice.pick(&[Some(8080), Some(8080), Some(8080), None]));
        let first = dice.index(groups);
        service.groups.push(named(dice, first));
        if dice.chance(40) {
            service.groups.push(named(dice, (first + 1) % groups));
        }
        if dice.chance(20) {
            let at = dice.between(1, 60) * SECOND;
            service.added = Some((at, vec![named(dice, (first + 2) % groups)]));
        }
        service.tag =
            dice.pick(&[None, None, None, None, None, Some("on"), Some("off"), Some("observe"), Some("hold")]);
        service.groups.dedup_by_key(|(group, _)| *group);
        world.fleet.services.push(service);
        let count = dice.between(1, 3);
        tasks += count as usize;
        for _ in 0..count {
            starts.push(Happening::Start(number));
        }
    }
    for start in starts {
        world.plan(0, start);
    }
    // Few addresses: who starts gets one that was just freed, or waits for it.
    let spare = world.dice.pick(&[0, 0, 0, 1, 2]);
    world.fleet.free = (0..tasks + spare).map(address).collect();
}

/// Nothing is before the tasks of the start are registered and healthy, for the most part.
const AFTER_START: Ms = 30 * SECOND;

fn befall(world: &mut World) {
    let storm = AFTER_START + world.dice.between(0, 10) * SECOND;
    for _ in 0..world.dice.between(1, 4) {
        let at = if world.dice.chance(60) {
            storm + world.dice.between(0, 3000)
        } else {
            AFTER_START + world.dice.between(0, 90 * SECOND)
        };
        let task = world.dice.index(6);
        let is_spot = world.dice.chance(85);
        world.plan(at, Happening::Stop(task, is_spot));
    }
    if world.dice.chance(30) {
        let task = world.dice.index(4);
        let at = AFTER_START + world.dice.between(0, 20 * SECOND);
        world.plan(at, Happening::Health(task, spotdrain_core::target::TargetState::Unhealthy));
    }
    if world.dice.chance(15) {
        world.plan(AFTER_START + 1000, Happening::Garbage);
    }
    if world.dice.chance(4) {
        let group = world.dice.index(world.fleet.groups.len());
        let at = AFTER_START + world.dice.between(0, 60 * SECOND);
        world.plan(at, Happening::GroupDeleted(group));
    }
}

fn faults(world: &mut World) {
    const CALLS: [Option<Call>; 5] = [
        None,
        Some(Call::DescribeServices),
        Some(Call::DescribeTargetHealth),
        Some(Call::DescribeTasks),
        Some(Call::DeregisterTargets),
    ];
    const FAULTS: [Fault; 4] = [Fault::Throttle, Fault::Error, Fault::Hang, Fault::LostAnswer];
    let dice = &mut world.dice;
    world.faults.at_any_time = dice.pick(&[0, 3, 10]);
    world.faults.lagging = dice.pick(&[0, 30, 80]);
    world.faults.refuses_unknown = dice.chance(20);
    if dice.chance(3) {
        world.faults.denied = dice.pick(&CALLS);
    }
    for _ in 0..dice.between(0, 2) {
        let from = AFTER_START + dice.between(0, 20 * SECOND);
        let to = from + dice.between(1, 60) * SECOND;
        let (call, fault, percent) = (dice.pick(&CALLS), dice.pick(&FAULTS), dice.pick(&[50, 90, 100]));
        world.faults.troubles.push(Trouble { from, to, call, fault, percent });
    }
}

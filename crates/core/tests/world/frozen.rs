//! Frozen moments: the same messages handled once, twice and in another order, in a world in which nothing else happens.

use std::cell::RefCell;
use std::rc::Rc;

use jiff::SignedDuration;
use spotdrain_core::settings::Settings;

use super::invocation::handle;
use super::laws::Law;
use super::queue::Message;
use super::sandbox::{Sandbox, Sim};
use super::time::{Clock, Ms, run};
use super::world::World;

const MOST: usize = 5;

/// Waits for the moment, and compares there.
pub async fn probe(sim: &Sim, at: Ms) {
    sim.clock.sleep_until(at).await;
    let (mut world, mut messages) = {
        let mut world = sim.world.borrow_mut();
        world.tally.probes += 1;
        let salt = world.dice.between(0, u64::MAX - 1);
        let mut frozen = World { is_frozen: true, trace: None, ..world.clone() };
        frozen.faults.lagging = 0;
        frozen.faults.keyed = Some(salt);
        // What has no turn goes back and is no end yet: here all have one. And all notices are old, or none becomes old
        // between two tries: how long a try takes is no part of these laws. What counts as fresh is up, as in the world.
        let is_down =
            |message: &Message| message.truth.is_some_and(|truth| world.fleet.tasks[truth.task].is_down_at(at));
        let fresh = SignedDuration::from_secs(if known(&world).iter().any(is_down) { 0 } else { 120 });
        frozen.settings = Rc::new(Settings { call_burst: 1000, fresh, ..(*world.settings).clone() });
        let messages: Vec<_> = known(&world).into_iter().take(MOST).collect();
        (frozen, messages)
    };
    let once = states(&world, at, &[messages.clone()]);
    let twice = states(&world, at, &[messages.clone(), messages.clone()]);
    world.dice.shuffle(&mut messages);
    let shuffled = states(&world, at, &[messages]);
    compare(sim, at, Law::TwiceIsOnce, &once, &twice);
    compare(sim, at, Law::OrderDoesNotMatter, &once, &shuffled);
}

/// At the end: all messages once more, in a sandbox that remembers nothing, with an API that only answers.
pub fn replay(sim: &Sim) {
    let now = sim.clock.now();
    let mut world = sim.world.borrow().clone();
    world.is_frozen = true;
    world.trace = None;
    world.faults = super::api::Faults::default();
    let mut messages = known(&world);
    messages.retain(is_notice);
    let batches: Vec<_> = messages.chunks(10).map(<[_]>::to_vec).collect();
    let before = Outcome { serving: world.fleet.in_service(), violations: world.violations.len() };
    let after = states(&world, now, &batches);
    // What was given up, or kept for its group's sake, may be mended now; what belongs to others may not be touched.
    let unfinished = |(group, address, _): &(usize, std::net::IpAddr, u16)| {
        let entries = &world.fleet.groups[*group].entries;
        entries.iter().any(|entry| entry.address == *address && world.fleet.tasks[entry.owner].is_interrupted(now))
    };
    let before = Outcome { serving: before.serving.into_iter().filter(|one| !unfinished(one)).collect(), ..before };
    let after = Outcome { serving: after.serving.into_iter().filter(|one| !unfinished(one)).collect(), ..after };
    compare(sim, now, Law::TwiceIsOnce, &before, &after);
}

fn is_notice(message: &Message) -> bool {
    message.truth.is_some_and(|truth| truth.is_notice)
}

/// The messages that have come, whatever became of them, each text once.
fn known(world: &World) -> Vec<Message> {
    let mut known: Vec<Message> = world.queue.everything().filter(|message| message.truth.is_some()).cloned().collect();
    known.sort_by_key(|message| (!is_notice(message), message.truth.map(|truth| (truth.task, truth.version))));
    known.dedup_by_key(|message| message.truth);
    known
}

#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    serving: Vec<(usize, std::net::IpAddr, u16)>,
    violations: usize,
}

/// What serves after these batches were handled one after the other by one sandbox, all at the same moment.
fn states(world: &World, at: Ms, batches: &[Vec<Message>]) -> Outcome {
    let settings = Rc::clone(&world.settings);
    let sandbox = Sandbox::new(&settings);
    let mut world = world.clone();
    for batch in batches {
        let sim = Sim { clock: Clock::at(at), world: RefCell::new(world) };
        let handled = async {
            handle(&sim, &sandbox, batch).await;
        };
        run(&sim.clock, vec![Box::pin(handled)], || None, |_| ());
        world = sim.world.into_inner();
    }
    Outcome { serving: world.fleet.in_service(), violations: world.violations.len() }
}

fn compare(sim: &Sim, at: Ms, law: Law, one: &Outcome, other: &Outcome) {
    if one != other {
        sim.world.borrow_mut().break_law(law, at, format!("{one:?} against {other:?}"));
    }
}

//! Frozen moments: the same messages handled once, twice and in another order, in a world in which nothing else happens.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::rc::Rc;

use jiff::SignedDuration;
use spotdrain_core::model::limits::MAX_MESSAGES_PER_CALL;
use spotdrain_core::settings::Settings;

use super::delivery::lambda::{handle, start};
use super::delivery::queue::Message;
use super::environment::Faults;
use super::fleet::GroupId;
use super::laws::Law;
use super::time::{Clock, Ms, run};
use super::world::{Sim, World};

/// The most messages of a probe.
const MAX_MESSAGES: usize = 5;

/// Waits for the moment, and compares there.
pub async fn probe(sim: &Sim, at: Ms) {
    sim.clock.sleep_until(at).await;
    let (mut world, mut messages) = freeze(&mut sim.world.borrow_mut(), at);
    let once = outcome(&world, at, &[messages.clone()]);
    let twice = outcome(&world, at, &[messages.clone(), messages.clone()]);
    world.dice.shuffle(&mut messages);
    let shuffled = outcome(&world, at, &[messages]);
    compare(sim, at, Law::TwiceIsOnce, &once, &twice);
    compare(sim, at, Law::OrderDoesNotMatter, &once, &shuffled);
}

/// Returns the world as it stands still, and messages to handle in it.
///
/// Every call has its turn there, because a message without one returns and is not finished. And either all notices are old or
/// none becomes old between two attempts: these laws say nothing of how long an attempt takes. A notice only counts as fresh
/// while its task is up, as in the world.
fn freeze(world: &mut World, at: Ms) -> (World, Vec<Message>) {
    world.tally.probes += 1;
    let salt = world.dice.between(0, u64::MAX - 1);
    let mut frozen = World { is_frozen: true, trace: None, kept: BTreeSet::new(), ..world.clone() };
    frozen.faults.lagging = 0;
    frozen.faults.keyed = Some(salt);
    let is_down = |message: &Message| message.truth.is_some_and(|truth| world.fleet.tasks[truth.task].is_down_at(at));
    let fresh = SignedDuration::from_secs(if known(world).iter().any(is_down) { 0 } else { 120 });
    frozen.settings = Rc::new(Settings { call_burst: 1000, fresh, ..(*world.settings).clone() });
    (frozen, known(world).into_iter().take(MAX_MESSAGES).collect())
}

/// Handles all messages once more at the end, in an environment that remembers nothing, with an API that only answers. Targets
/// of interrupted tasks may go now: they were given up, or kept as the last healthy ones. No other target may.
pub fn replay(sim: &Sim) {
    let now = sim.clock.now();
    let mut world = sim.world.borrow().clone();
    world.is_frozen = true;
    world.trace = None;
    world.kept.clear();
    world.faults = Faults::default();
    let mut messages = known(&world);
    messages.retain(is_notice);
    let batches: Vec<_> = messages.chunks(MAX_MESSAGES_PER_CALL).map(<[_]>::to_vec).collect();
    let is_of_others = |(group, address, _): &(GroupId, IpAddr, u16)| {
        let entries = &world.fleet.groups[*group].entries;
        !entries.iter().any(|entry| entry.address == *address && world.fleet.tasks[entry.owner].is_interrupted(now))
    };
    let violations = world.violations.len();
    let mut before = Outcome { serving: world.fleet.in_service(), violations, kept: BTreeSet::new() };
    let mut after = outcome(&world, now, &batches);
    before.serving.retain(is_of_others);
    after.serving.retain(is_of_others);
    compare(sim, now, Law::TwiceIsOnce, &before, &after);
}

fn is_notice(message: &Message) -> bool {
    message.truth.is_some_and(|truth| truth.is_notice)
}

/// The messages that have arrived, whatever happened to them, each text once.
fn known(world: &World) -> Vec<Message> {
    let mut known: Vec<Message> = world.queue.everything().filter(|message| message.truth.is_some()).cloned().collect();
    known.sort_by_key(|message| (!is_notice(message), message.truth.map(|truth| (truth.task, truth.version))));
    known.dedup_by_key(|message| message.truth);
    known
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Outcome {
    serving: Vec<(GroupId, IpAddr, u16)>,
    violations: usize,
    /// The groups in which a last healthy target was kept.
    kept: BTreeSet<GroupId>,
}

impl Outcome {
    /// Without the targets of groups in which a last healthy target was kept: a second look may take another one, because it
    /// knows of more notices.
    fn without(&self, kept: &BTreeSet<GroupId>) -> Self {
        let serving = self.serving.iter().filter(|(group, _, _)| !kept.contains(group)).copied().collect();
        Self { serving, kept: BTreeSet::new(), violations: self.violations }
    }
}

/// What takes traffic after one environment has handled these batches one after the other, all at the same moment.
fn outcome(world: &World, at: Ms, batches: &[Vec<Message>]) -> Outcome {
    let sim = Sim { clock: Clock::at(at), world: RefCell::new(world.clone()) };
    let engine = start(&sim, 0);
    for batch in batches {
        sim.clock.set(at);
        let handled = async {
            handle(&engine, batch, at).await;
        };
        run(&sim.clock, vec![Box::pin(handled)], || None, |_| ());
    }
    let world = sim.world.borrow();
    Outcome { serving: world.fleet.in_service(), violations: world.violations.len(), kept: world.kept.clone() }
}

fn compare(sim: &Sim, at: Ms, law: Law, one: &Outcome, other: &Outcome) {
    let kept: BTreeSet<_> = one.kept.union(&other.kept).copied().collect();
    let (one, other) = (one.without(&kept), other.without(&kept));
    if one != other {
        sim.world.borrow_mut().break_law(law, at, format!("{one:?} and {other:?}"));
    }
}

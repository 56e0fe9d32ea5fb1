//! One history, from its seed to the laws that it broke.

use std::cell::RefCell;

use futures_util::future::LocalBoxFuture;

use super::delivery::lambda::work;
use super::dice::Dice;
use super::frozen;
use super::laws::{Law, Violation};
use super::setup;
use super::tally::Tally;
use super::time::{Clock, Ms, SECOND, run};
use super::world::Sim;

/// No message is in the queue for longer than this: ten minutes of trouble, and twelve receives of the last one.
const LONGEST: Ms = 40 * 60 * SECOND;

/// The result of a history.
#[derive(Debug)]
pub struct History {
    pub violations: Vec<Violation>,
    pub tally: Tally,
    pub trace: Vec<String>,
}

/// Simulates the history of a seed. The number of execution environments is drawn, unless one is given.
pub fn simulate(seed: u64, environments: Option<usize>, traced: bool) -> History {
    let mut world = setup::world(Dice::new(seed), traced);
    let drawn = draw_environments(&mut world.dice);
    let environments = environments.unwrap_or(drawn);
    world.environments = environments;
    let probe_at = world.dice.between(31, 90) * SECOND;
    let sim = Sim { clock: Clock::at(0), world: RefCell::new(world) };
    let mut all: Vec<LocalBoxFuture<'_, ()>> = vec![Box::pin(frozen::probe(&sim, probe_at))];
    all.extend((0..environments).map(|number| Box::pin(work(&sim, number)) as _));
    all.push(Box::pin(guard(&sim)));
    run(&sim.clock, all, || sim.world.borrow().next_happening(), |now| sim.world.borrow_mut().advance(now));
    frozen::replay(&sim);
    let world = sim.world.into_inner();
    History { violations: world.violations, tally: world.tally, trace: world.trace.unwrap_or_default() }
}

/// Draws one or two environments, rarely three.
fn draw_environments(dice: &mut Dice) -> usize {
    match dice.between(0, 99) {
        0..40 => 1,
        40..95 => 2,
        _ => 3,
    }
}

/// Checks the law that the queue becomes empty.
async fn guard(sim: &Sim) {
    while !sim.world.borrow().is_over() {
        let now = sim.clock.now();
        if now > LONGEST {
            let mut world = sim.world.borrow_mut();
            let waiting = world.queue.waiting.len();
            world.break_law(Law::EveryMessageEnds, now, format!("{waiting} messages still wait"));
            world.queue.waiting.clear();
            world.agenda.clear();
            return;
        }
        sim.clock.sleep(20 * SECOND).await;
    }
}

//! One exchange with AWS. The work is done when the call is sent; the answer comes later or never.

use std::future::pending;

use spotdrain_engine::Answer;

use super::{Call, Environment, Fault};
use crate::world::bounds::IN_FLIGHT;
use crate::world::time::Ms;
use crate::world::world::World;

impl Environment<'_> {
    /// Sends a call, and returns what goes wrong with it. A call on a dead connection gets no answer.
    pub fn send(&self, call: Call, key: &str) -> Option<Fault> {
        let now = self.sim.clock.now();
        self.used_at.set(now);
        let mut world = self.sim.world.borrow_mut();
        let is_dead = self.has_dead_connections.get();
        let fault = if is_dead { Some(Fault::Hang) } else { world.draw_fault(call, key, now) };
        world.log(now, |_| format!("  {}: {call:?} {key}: {fault:?}", self.number));
        fault
    }

    /// Does the work of a call and returns its answer, as far as its fault allows.
    pub async fn answer<T>(&self, fault: Option<Fault>, work: impl FnOnce(&mut World, Ms) -> Answer<T>) -> Answer<T> {
        let answer = match fault.and_then(Fault::error) {
            Some(error) => Err(error),
            None if matches!(fault, Some(Fault::Hang | Fault::LostAnswer)) => pending().await,
            None => work(&mut self.sim.world.borrow_mut(), self.sim.clock.now()),
        };
        self.travel().await;
        answer
    }

    /// Waits as long as an answer travels.
    pub async fn travel(&self) {
        let latency = {
            let mut world = self.sim.world.borrow_mut();
            if world.is_frozen { 20 } else { world.dice.between(5, IN_FLIGHT) }
        };
        self.sim.clock.sleep(latency).await;
        self.used_at.set(self.sim.clock.now());
    }
}

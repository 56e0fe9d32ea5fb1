//! Lambda: it delivers messages of the queue to an execution environment, deletes what the answer does not name, and starts a
//! new environment where one died.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use spotdrain_core::model::arn::TaskArn;
use spotdrain_core::model::limits::MAX_MESSAGES_PER_CALL;
use spotdrain_core::report::Report;
use spotdrain_engine::{Deadline, Engine, Handled};

use crate::world::bounds::FUNCTION_TIMEOUT;
use crate::world::delivery::events;
use crate::world::delivery::queue::{Message, Queue};
use crate::world::environment::Environment;
use crate::world::laws::{self, Law};
use crate::world::time::{Ms, SECOND, timestamp};
use crate::world::world::{Sim, World};

/// The longest time for which Lambda does not receive, though an environment is free.
const MAX_PAUSE: Ms = 2 * SECOND;

/// Starts an execution environment.
pub fn start(sim: &Sim, number: usize) -> Engine<Environment<'_>> {
    let settings = Rc::clone(&sim.world.borrow().settings);
    Engine::new(Environment::new(sim, number), (*settings).clone())
}

/// Invokes the function until the world is over.
pub async fn work(sim: &Sim, number: usize) {
    let mut engine = start(sim, number);
    while let Some(messages) = receive(sim).await {
        let now = sim.clock.now();
        let dies_at = begin(sim, number, &messages, now);
        let handled =
            sim.clock.before(dies_at.unwrap_or(now + FUNCTION_TIMEOUT), handle(&engine, &messages, now)).await;
        sim.world.borrow_mut().invocations_running -= 1;
        if let Some(handled) = handled {
            answered(sim, engine.cloud(), &messages, &handled);
        } else {
            died(sim, number, dies_at.is_some());
            engine = start(sim, number);
        }
    }
}

/// Hands a batch to the function.
pub async fn handle(engine: &Engine<Environment<'_>>, messages: &[Message], now: Ms) -> Handled {
    engine.cloud().begin(messages);
    let payload = events::payload(&Queue::arn(), messages.iter());
    let deadline = u64::try_from(timestamp(now + FUNCTION_TIMEOUT).as_millisecond()).unwrap();
    let handled = engine.handle(payload.as_bytes(), Deadline::of_invocation(deadline)).await;
    engine.cloud().end();
    handled.unwrap()
}

/// Counts the beginning of an invocation, and decides whether its environment dies before the answer.
fn begin(sim: &Sim, number: usize, messages: &[Message], now: Ms) -> Option<Ms> {
    let mut world = sim.world.borrow_mut();
    let ids: Vec<_> = messages.iter().map(|message| message.id).collect();
    world.log(now, |_| format!("environment {number} receives {ids:?}"));
    world.tally.invocations += 1;
    world.tally.received += messages.len() as u64;
    world.tally.full += u64::from(messages.len() == MAX_MESSAGES_PER_CALL);
    world.tally.redelivered += messages.iter().filter(|message| message.receives > 1).count() as u64;
    world.tally.overlapping += u64::from(world.invocations_running > 0);
    world.invocations_running += 1;
    laws::count_wrong_addresses(&mut world, now, messages);
    let dies = world.dice.chance(6);
    dies.then(|| now + world.dice.between(1, 5000))
}

/// An environment died. Without chance it dies at the function's time limit alone, which the engine must not reach.
fn died(sim: &Sim, number: usize, by_chance: bool) {
    let now = sim.clock.now();
    let mut world = sim.world.borrow_mut();
    world.tally.died += 1;
    world.log(now, |_| format!("environment {number} DIES"));
    if !by_chance {
        world.break_law(Law::EveryInvocationAnswers, now, format!("environment {number} ran into its timeout"));
    }
}

/// Waits for messages: one to ten; `None` when the world is over. In a busy history Lambda sometimes comes late, as after a
/// throttle or before a cold start, and finds more messages.
async fn receive(sim: &Sim) -> Option<Vec<Message>> {
    let pause = {
        let mut world = sim.world.borrow_mut();
        if world.is_busy && world.dice.chance(30) { world.dice.between(0, MAX_PAUSE) } else { 0 }
    };
    sim.clock.sleep(pause).await;
    poll_fn(|context| {
        let now = sim.clock.now();
        let mut world = sim.world.borrow_mut();
        if world.is_over() {
            return Poll::Ready(None);
        }
        let most = world.draw_batch_size();
        let messages = world.queue.receive(most, now);
        if messages.is_empty() {
            sim.clock.watch(world.queue.next_visible().unwrap_or(Ms::MAX), context);
            return Poll::Pending;
        }
        Poll::Ready(Some(messages))
    })
    .await
}

impl World {
    /// Draws how many messages a receive returns at most: SQS may return fewer than there are.
    pub fn draw_batch_size(&mut self) -> usize {
        if self.is_busy && self.dice.chance(70) {
            MAX_MESSAGES_PER_CALL
        } else {
            1 + self.dice.index(MAX_MESSAGES_PER_CALL)
        }
    }
}

/// Deletes the delivered messages that the answer does not name.
fn answered(sim: &Sim, environment: &Environment<'_>, messages: &[Message], handled: &Handled) {
    let now = sim.clock.now();
    let mut world = sim.world.borrow_mut();
    let named: BTreeSet<_> = handled.returned().map(str::to_owned).collect();
    laws::answer_names_delivered(&mut world, now, messages, &named);
    world.log(now, |_| format!("answered; {named:?} return; {}", describe(&handled.report)));
    let invocation = environment.invocation.borrow();
    for message in messages.iter().filter(|message| !named.contains(&message.id.to_string())) {
        laws::deleted(&mut world, now, message.id, &invocation);
        world.queue.delete(message.id);
    }
}

fn describe(report: &Report) -> String {
    let notices = report.notices.iter().map(|notice| {
        let rows = notice.registrations.iter().map(|row| {
            format!("{}:{:?} in {} {}", row.target, row.port, row.target_group.name(), row.outcome.as_str())
        });
        format!(
            "{} v{:?} [{}]",
            notice.notice.task.arn.id(),
            notice.notice.task.version,
            rows.collect::<Vec<_>>().join(", ")
        )
    });
    let ignored = report
        .ignored
        .iter()
        .map(|event| format!("{} {}", event.task.as_ref().map_or("?", TaskArn::id), event.reason.as_str()));
    notices.chain(ignored).collect::<Vec<_>>().join("; ")
}

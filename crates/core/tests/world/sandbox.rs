//! A sandbox of the function: it receives a batch, handles it, answers, and may die before its answer.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use spotdrain_core::arn::{TargetGroupArn, TaskArn};
use spotdrain_core::finding::{Service, ServiceKey};
use spotdrain_core::memory::Memory;
use spotdrain_core::pace::{Budget, Kind};
use spotdrain_core::report::Report;
use spotdrain_core::settings::Settings;
use spotdrain_core::settlement::{Settlement, settle};
use spotdrain_core::target::RegisteredTarget;

use super::bounds::FUNCTION_TIMEOUT;
use super::invocation::handle;
use super::laws;
use super::queue::Message;
use super::time::{Clock, Ms};
use super::world::World;

/// The world and its clock.
#[derive(Debug)]
pub struct Sim {
    pub clock: Clock,
    pub world: RefCell<World>,
}

/// What a sandbox keeps from one invocation to the next.
#[derive(Debug)]
pub struct Sandbox {
    pub memory: RefCell<Memory>,
    pub services: RefCell<BTreeMap<ServiceKey, (Ms, Service)>>,
    pub budget: RefCell<Budget>,
    /// Of which tasks it has had an event that they are down: the law's own account, not the memory's.
    pub seen_down: RefCell<BTreeSet<TaskArn>>,
}

impl Sandbox {
    pub fn new(settings: &Settings) -> Self {
        Self {
            memory: RefCell::default(),
            services: RefCell::default(),
            budget: RefCell::new(Budget::new(settings)),
            seen_down: RefCell::default(),
        }
    }

    /// How long to wait for the turn, or `None` if it does not come before the deadline.
    pub fn take_turn(&self, kind: Kind, now: Ms, deadline: Ms, least: Ms) -> Option<Ms> {
        let mut budget = self.budget.borrow_mut();
        let at = Duration::from_millis(now);
        let ms = |wait: Duration| u64::try_from(wait.as_micros().div_ceil(1000)).unwrap();
        (ms(budget.wait(kind, at)) + least <= deadline.saturating_sub(now)).then(|| ms(budget.take(kind, at)))
    }
}

/// What an invocation's writes rest on, for the laws.
#[derive(Debug, Clone, Default)]
pub struct Basis {
    /// The tasks of its notices.
    pub tasks: BTreeSet<TaskArn>,
    /// The groups that it read before it planned, with the moment at which it asked.
    pub read: BTreeMap<TargetGroupArn, (Ms, Vec<RegisteredTarget>)>,
    pub seen_down: BTreeSet<TaskArn>,
}

/// What an invocation came to.
#[derive(Debug)]
pub struct Answer {
    pub report: Report,
    pub basis: Rc<Basis>,
    pub started_at: Ms,
}

/// Works until the world is over.
pub async fn work(sim: &Sim, number: usize) {
    let settings = Rc::clone(&sim.world.borrow().settings);
    let mut sandbox = Sandbox::new(&settings);
    while let Some(messages) = receive(sim).await {
        let now = sim.clock.now();
        let dies_at = begin(sim, number, &messages, now);
        let answer = sim.clock.before(dies_at, handle(sim, &sandbox, &messages)).await;
        let mut world = sim.world.borrow_mut();
        world.invocations_running -= 1;
        let now = sim.clock.now();
        if let Some(answer) = answer {
            answered(&mut world, now, &messages, &answer);
        } else {
            world.tally.died += 1;
            world.tell(now, |_| format!("sandbox {number} DIES"));
            sandbox = Sandbox::new(&settings);
        }
    }
}

/// Counts the beginning of an invocation, and decides when its sandbox dies: at the function's time limit at the latest.
fn begin(sim: &Sim, number: usize, messages: &[Message], now: Ms) -> Ms {
    let mut world = sim.world.borrow_mut();
    let ids: Vec<_> = messages.iter().map(|message| message.id).collect();
    world.tell(now, |_| format!("sandbox {number} receives {ids:?}"));
    world.tally.invocations += 1;
    world.tally.received += messages.len() as u64;
    world.tally.redelivered += messages.iter().filter(|message| message.receives > 1).count() as u64;
    world.tally.overlapping += u64::from(world.invocations_running > 0);
    world.invocations_running += 1;
    laws::count_wrong_addresses(&mut world, now, messages);
    let dies = world.dice.chance(6);
    now + if dies { world.dice.between(1, 3000) } else { FUNCTION_TIMEOUT }
}

/// Waits for messages: one to ten; `None` when the world is over.
async fn receive(sim: &Sim) -> Option<Vec<Message>> {
    poll_fn(|_| {
        let now = sim.clock.now();
        let mut world = sim.world.borrow_mut();
        if world.is_over() {
            return Poll::Ready(None);
        }
        let most = 1 + world.dice.index(10);
        let messages = world.queue.receive(most, now);
        if messages.is_empty() {
            sim.clock.wake_at(world.queue.next_visible().unwrap_or(Ms::MAX));
            return Poll::Pending;
        }
        Poll::Ready(Some(messages))
    })
    .await
}

/// What the queue does with the answer: Lambda deletes what it delivered and is not named.
fn answered(world: &mut World, now: Ms, messages: &[Message], answer: &Answer) {
    laws::count_outcomes(world, &answer.report);
    let failed: Vec<_> = answer.report.failed_messages().iter().filter_map(|id| id.parse::<u64>().ok()).collect();
    for message in messages.iter().filter(|message| !message.is_own() && !failed.contains(&message.id)) {
        laws::acknowledged(world, now, message, answer);
        world.queue.acknowledge(message.id);
    }
    world.tell(now, |_| format!("answered; back go {failed:?}; {}", tell(&answer.report)));
}

/// `Queue::settle`: what the function says to the queue itself when a part of its batch is handled. It may not get through.
pub fn settled(world: &mut World, now: Ms, messages: &[Message], part: &Answer) {
    let receipts = messages.iter().map(|message| (message.id.to_string(), message.receipt())).collect();
    for (receipt, settlement) in settle(&part.report, &receipts) {
        let message = messages.iter().find(|message| message.id.to_string() == receipt.handle).unwrap();
        // What is decided is decided, though it may not get through to the queue.
        let is_lost = world.dice.chance(10);
        world.tally.unsettled += u64::from(is_lost);
        match settlement {
            Settlement::Delete => {
                world.tally.deleted += 1;
                laws::acknowledged(world, now, message, part);
                if !is_lost {
                    world.queue.acknowledge(message.id);
                }
            }
            Settlement::Return(rest) => {
                world.tally.returned += 1;
                if !is_lost {
                    world.queue.show(message.id, now + u64::try_from(rest.as_millis()).unwrap());
                }
            }
            Settlement::Leave => {}
        }
    }
}

fn tell(report: &Report) -> String {
    let notices = report.notices.iter().map(|notice| {
        let rows = notice.registrations.iter();
        let rows =
            rows.map(|row| format!("{}:{:?} in {} {}", row.target, row.port, row.target_group.name(), row.outcome));
        format!("{} v{:?} [{}]", notice.task.id(), notice.version, rows.collect::<Vec<_>>().join(", "))
    });
    let ignored = report
        .ignored
        .iter()
        .map(|event| format!("{} {}", event.task.as_ref().map_or("?", TaskArn::id), event.reason.as_str()));
    notices.chain(ignored).collect::<Vec<_>>().join("; ")
}

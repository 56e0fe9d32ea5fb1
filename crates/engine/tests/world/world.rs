//! The state of the world, and the agenda of what happens next.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use spotdrain_core::model::observed::TargetState;
use spotdrain_core::model::task_status::TaskStatus;
use spotdrain_core::settings::Settings;

use super::bounds::START_TO_REGISTERED;
use super::delivery::event_bus;
use super::delivery::queue::{Message, Queue};
use super::dice::Dice;
use super::environment::Faults;
use super::fleet::{Fleet, GroupId, TaskId};
use super::laws::Violation;
use super::tally::Tally;
use super::time::{Clock, Ms, SECOND};
use super::write::Write;
use super::{laws, life};

#[derive(Debug, Clone)]
pub enum Happening {
    /// A task of this service starts, or waits for an address.
    Start(usize),
    Register(TaskId),
    Health(TaskId, TargetState),
    Stop(TaskId, bool),
    Status(TaskId, TaskStatus),
    /// ECS deregisters the task from its groups.
    EcsDeregisters(TaskId),
    /// The deregistration delay has passed.
    Removed(GroupId, TaskId),
    InterfaceDeleted(TaskId),
    GroupDeleted(GroupId),
    Garbage,
    OtherEvent,
    Arrive(Message),
    /// A call takes effect whose answer was lost.
    LateWrite(Rc<Write>),
}

/// The world and its clock.
#[derive(Debug)]
pub struct Sim {
    pub clock: Clock,
    pub world: RefCell<World>,
}

#[derive(Debug, Clone)]
pub struct World {
    pub dice: Dice,
    pub fleet: Fleet,
    pub queue: Queue,
    pub settings: Rc<Settings>,
    pub faults: Faults,
    pub tally: Tally,
    pub violations: Vec<Violation>,
    /// The readable history, if one is wanted.
    pub trace: Option<Vec<String>>,
    pub agenda: BTreeMap<(Ms, u64), Happening>,
    /// Time passes, but nothing happens except by calls of the function.
    pub is_frozen: bool,
    /// Lambda takes full batches while there are enough messages.
    pub is_busy: bool,
    /// Services whose task waits for an address.
    pub without_address: Vec<usize>,
    /// By task, the version up to which a law excused what was not done for it.
    pub excused: BTreeMap<TaskId, u64>,
    /// The groups in which a last healthy target was kept.
    pub kept: BTreeSet<GroupId>,
    pub invocations_running: u32,
    /// The number of execution environments.
    pub environments: usize,
    pub number: u64,
}

impl World {
    pub fn new(dice: Dice, settings: Settings, traced: bool) -> Self {
        Self {
            dice,
            fleet: Fleet::default(),
            queue: Queue::default(),
            settings: Rc::new(settings),
            faults: Faults::default(),
            tally: Tally::default(),
            violations: Vec::new(),
            trace: traced.then(Vec::new),
            agenda: BTreeMap::new(),
            is_frozen: false,
            is_busy: false,
            environments: 1,
            without_address: Vec::new(),
            excused: BTreeMap::new(),
            kept: BTreeSet::new(),
            invocations_running: 0,
            number: 0,
        }
    }

    pub fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    pub fn plan(&mut self, at: Ms, happening: Happening) {
        let number = self.next_number();
        self.agenda.insert((at, number), happening);
    }

    /// Adds a line to the trace, if there is one.
    pub fn log(&mut self, now: Ms, line: impl FnOnce(&Self) -> String) {
        if self.trace.is_none() {
            return;
        }
        let line = format!("{:>9.3}  {}", now as f64 / 1000.0, line(self));
        self.trace.get_or_insert_default().push(line);
    }

    pub fn next_happening(&self) -> Option<Ms> {
        self.agenda.keys().next().map(|(at, _)| *at).filter(|_| !self.is_frozen)
    }

    /// Nothing happens any more, and every message was deleted or is a dead letter.
    pub fn is_over(&self) -> bool {
        self.queue.waiting.is_empty() && (self.agenda.is_empty() || self.is_frozen)
    }

    pub fn advance(&mut self, now: Ms) {
        while let Some((&(at, number), _)) = self.agenda.first_key_value()
            && at <= now
            && !self.is_frozen
        {
            let happening = self.agenda.remove(&(at, number)).unwrap();
            self.happen(at, happening);
        }
        let dead = self.queue.redrive(now);
        self.tally.dead_letters += dead.len() as u64;
        laws::tried_before_dead(self, now, &dead);
    }

    fn happen(&mut self, now: Ms, happening: Happening) {
        match happening {
            Happening::Start(service) => life::start(self, now, service),
            Happening::Register(task) => life::register(self, now, task),
            Happening::Health(task, state) => life::health(self, now, task, &state),
            Happening::Stop(task, is_spot) => life::stop(self, now, task, is_spot),
            Happening::Status(task, status) => life::status(self, now, task, status),
            Happening::EcsDeregisters(task) => life::ecs_deregisters(self, now, task),
            Happening::Removed(group, task) => life::removed(self, now, group, task),
            Happening::InterfaceDeleted(task) => life::interface_deleted(self, now, task),
            Happening::GroupDeleted(group) => {
                self.log(now, |world| format!("target group {} is deleted", world.fleet.groups[group].arn.name()));
                self.fleet.groups[group].gone_at = Some(now);
                self.fleet.groups[group].change(now, Vec::clear);
            }
            Happening::Garbage => event_bus::garbage(self, now),
            Happening::OtherEvent => event_bus::other(self, now),
            Happening::Arrive(message) => self.queue.waiting.push(message),
            Happening::LateWrite(write) => _ = write.take_effect(self, now),
        }
    }

    /// Draws the time from the interface of a new task to its registration.
    pub fn draw_start_time(&mut self) -> Ms {
        START_TO_REGISTERED + if self.dice.chance(50) { 0 } else { self.dice.between(0, 20 * SECOND) }
    }
}

//! One run: starts everything, lets the clients and the interruption go, and counts.

use std::cell::RefCell;
use std::time::Duration;

use tokio::time::sleep;

use crate::attempt::{Attempt, Connection, join};
use crate::clock::Clock;
use crate::director::{Course, Director};
use crate::error::DrillError;
use crate::figures::{self, Figures, Marks, last_new};
use crate::haproxy::{Haproxy, free_address};
use crate::interruption::{Interruption, Notice};
use crate::lanes::lanes;
use crate::place::Place;
use crate::plan::Plan;
use crate::progress::{Progress, Tally};
use crate::report::Record;
use crate::task::{Ports, Recipe, Task};
use crate::tools::Tools;
use crate::traffic::traffic;
use crate::way::Way;
use crate::world::Cloud;

/// From one word on the progress to the next, in real time.
const TELL: Duration = Duration::from_millis(500);

/// A run of the interruption.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Which way.
    pub way: Way,
    /// How often it was run before.
    pub repetition: u32,
    /// What is to be done.
    pub plan: &'a Plan,
    /// The programs.
    pub tools: &'a Tools,
    /// Where the tasks run.
    pub place: Place,
}

/// What is running.
struct Stage {
    cloud: Cloud,
    balancer: Haproxy,
    tasks: RefCell<Vec<Task>>,
}

/// What came of it.
struct Outcome {
    connections: Vec<Connection>,
    courses: Vec<(String, Course)>,
    killed: Vec<(String, f64)>,
}

impl Run<'_> {
    /// Runs it. `function` handles a notice as the function on AWS would; `tell` hears how far it is. Whatever was started
    /// has ended when this has.
    pub async fn play<F>(&self, function: &F, tell: &impl Fn(Progress)) -> Result<Record, DrillError>
    where
        F: AsyncFn(Notice) -> Result<(), String>,
    {
        let stage = self.set().await?;
        let clock = Clock::start(self.plan.before_notice(self.repetition), self.plan.scale);
        let outcome = self.act(clock, &stage, function, tell).await?;
        Ok(self.record(clock, &stage, &outcome))
    }

    async fn set(&self) -> Result<Stage, DrillError> {
        let Self { way, plan, tools, place, .. } = *self;
        let free = || free_address().map_err(|error| DrillError::start("the tasks", &error));
        let ports = Ports { traffic: free()?.port(), health: free()?.port() };
        let recipe = Recipe { place, tools, plan, ports, has_hold: way.has_hold() };
        let numbers = (1..=u8::MAX).take(plan.tasks);
        let mut tasks = numbers.map(|number| Task::start(number, &recipe)).collect::<Result<Vec<_>, _>>()?;
        for task in &mut tasks {
            task.ready().await?;
        }
        let backends: Vec<_> = tasks.iter().map(|task| task.backend(&recipe)).collect();
        let balancer = Haproxy::start(&tools.haproxy, plan, &backends).await?;
        Ok(Stage { cloud: Cloud::start(&recipe).await?, balancer, tasks: RefCell::new(tasks) })
    }

    /// Clients, interruption and load balancer, side by side until the end of the plan.
    async fn act<F>(
        &self,
        clock: Clock,
        stage: &Stage,
        function: &F,
        tell: &impl Fn(Progress),
    ) -> Result<Outcome, DrillError>
    where
        F: AsyncFn(Notice) -> Result<(), String>,
    {
        let Self { way, plan, .. } = *self;
        let Stage { cloud, balancer, tasks } = stage;
        let tally = Tally::default();
        let clients = async { Ok(traffic(plan, clock, balancer.front, &tally).await) };
        let interruption = Interruption { plan, way, clock, cloud, tasks };
        let director = Director { plan, clock, cloud, control: &balancer.control, tasks };
        let telling = async {
            self.tell(clock, &tally, tell).await;
            Ok(())
        };
        let (attempts, killed, courses, ()) =
            tokio::try_join!(clients, interruption.play(function), director.direct(), telling)?;
        Ok(Outcome { connections: both_sides(balancer, attempts).await?, courses, killed })
    }

    async fn tell(&self, clock: Clock, tally: &Tally, tell: &impl Fn(Progress)) {
        while clock.now() < self.plan.end() {
            tell(tally.tell(self.way, clock.now(), self.plan.end()));
            sleep(TELL).await;
        }
    }

    fn record(&self, clock: Clock, stage: &Stage, outcome: &Outcome) -> Record {
        let Self { way, plan, .. } = *self;
        let (tasks, connections) = (stage.tasks.borrow(), &outcome.connections);
        let names: Vec<_> =
            tasks.iter().enumerate().map(|(at, task)| (task.name.clone(), at < plan.interrupted)).collect();
        let interrupted: Vec<_> = names.iter().filter(|(_, is_its)| *is_its).map(|(name, _)| name.as_str()).collect();
        Record {
            way,
            figures: Figures::of(connections, &interrupted, plan.scale),
            interrupted: tasks.iter().take(plan.interrupted).map(|task| self.marks(clock, task, outcome)).collect(),
            lanes: lanes(connections, &names, plan.end(), plan.scale),
            end: plan.end(),
        }
    }

    fn marks(&self, clock: Clock, task: &Task, outcome: &Outcome) -> Marks {
        let name = task.name.as_str();
        let course = outcome.courses.iter().find(|(its, _)| its == name).map(|(_, course)| *course).unwrap_or_default();
        let killed = outcome.killed.iter().find(|(its, _)| its == name).map(|(_, at)| *at);
        let told = task.told();
        let told_at = told.as_ref().map(|told| clock.of_epoch(told.at)).or((!self.way.has_hold()).then_some(0.0));
        Marks {
            task: name.to_owned(),
            deregistered: course.seen.deregistered.map(figures::rounded),
            unhealthy: course.seen.unhealthy.map(figures::rounded),
            last_new: last_new(&outcome.connections, name),
            told: told_at.map(figures::rounded),
            told_because: told.map(|told| told.reason),
            killed: killed.map(figures::rounded),
        }
    }
}

/// What the clients and the load balancer's log tell of each connection; all of them, or none.
async fn both_sides(balancer: &Haproxy, attempts: Vec<Attempt>) -> Result<Vec<Connection>, DrillError> {
    let reached = attempts.iter().filter(|attempt| attempt.port.is_some()).count();
    let log = balancer.logged(reached).await;
    if log.len() == reached {
        Ok(join(attempts, log))
    } else {
        Err(DrillError::Incomplete { opened: reached, logged: log.len() })
    }
}

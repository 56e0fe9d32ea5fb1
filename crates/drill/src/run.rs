//! One run: starts everything, lets the clients and the interruption go, and counts.

use std::cell::RefCell;
use std::time::Duration;

use tokio::time::sleep;

use crate::attempt::{Connection, join};
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

const TELL: Duration = Duration::from_millis(500);

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

/// Runs the interruption one way, for the so-manieth time from 0. `function` handles a notice as the function on AWS would; `tell` hears how far it is.
pub async fn run<F>(
    way: Way,
    repetition: u32,
    plan: &Plan,
    tools: &Tools,
    place: Place,
    function: &F,
    tell: &impl Fn(Progress),
) -> Result<Record, DrillError>
where
    F: AsyncFn(Notice) -> Result<(), String>,
{
    let stage = set(way, plan, tools, place).await?;
    let clock = Clock::start(plan.before_notice(repetition), plan.scale);
    let outcome = play(way, plan, clock, &stage, function, tell).await?;
    Ok(record(way, plan, clock, &stage, &outcome))
}

async fn set(way: Way, plan: &Plan, tools: &Tools, place: Place) -> Result<Stage, DrillError> {
    let free = || free_address().map(|address| address.port()).map_err(|error| DrillError::start("the tasks", &error));
    let ports = Ports { traffic: free()?, health: free()? };
    let recipe = Recipe { place, tools, plan, ports, has_hold: way.has_hold() };
    let numbers = (1..=u8::MAX).take(plan.tasks);
    let mut tasks = numbers.map(|number| Task::start(number, &recipe)).collect::<Result<Vec<_>, _>>()?;
    for task in &mut tasks {
        task.ready().await?;
    }
    let backends: Vec<_> = tasks.iter().map(|task| task.backend(&recipe)).collect();
    let balancer = Haproxy::start(&tools.haproxy, plan, &backends).await?;
    Ok(Stage { cloud: Cloud::start(plan, ports).await?, balancer, tasks: RefCell::new(tasks) })
}

async fn play<F>(
    way: Way,
    plan: &Plan,
    clock: Clock,
    stage: &Stage,
    function: &F,
    tell: &impl Fn(Progress),
) -> Result<Outcome, DrillError>
where
    F: AsyncFn(Notice) -> Result<(), String>,
{
    let Stage { cloud, balancer, tasks } = stage;
    let tally = Tally::default();
    let interruption = Interruption { plan, way, clock, cloud, tasks };
    let director = Director { plan, clock, cloud, control: &balancer.control, tasks };
    let clients = async { Ok(traffic(plan, clock, balancer.front, &tally).await) };
    let telling = async {
        while clock.now() < plan.end() {
            tell(tally.tell(way, clock.now(), plan.end()));
            sleep(TELL).await;
        }
        Ok(())
    };
    let (attempts, killed, courses, ()) =
        tokio::try_join!(clients, interruption.play(function), director.direct(), telling)?;
    let reached = attempts.iter().filter(|attempt| attempt.port.is_some()).count();
    let log = balancer.logged(reached).await;
    if log.len() != reached {
        return Err(DrillError::Incomplete { opened: reached, logged: log.len() });
    }
    Ok(Outcome { connections: join(attempts, log), courses, killed })
}

fn record(way: Way, plan: &Plan, clock: Clock, stage: &Stage, outcome: &Outcome) -> Record {
    let tasks = stage.tasks.borrow();
    let connections = &outcome.connections;
    let interrupted: Vec<_> = tasks.iter().take(plan.interrupted).map(|task| task.name.as_str()).collect();
    let names: Vec<_> =
        (tasks.iter().enumerate()).map(|(at, task)| (task.name.clone(), at < plan.interrupted)).collect();
    Record {
        way,
        figures: Figures::of(connections, &interrupted, plan.scale),
        interrupted: tasks.iter().take(plan.interrupted).map(|task| marks(way, clock, task, outcome)).collect(),
        lanes: lanes(connections, &names, plan.end(), plan.scale),
        end: plan.end(),
    }
}

fn marks(way: Way, clock: Clock, task: &Task, outcome: &Outcome) -> Marks {
    let name = task.name.as_str();
    let seen = outcome.courses.iter().find(|(its, _)| its == name).map(|(_, course)| course.seen).unwrap_or_default();
    let told = task.told();
    Marks {
        task: name.to_owned(),
        deregistered: seen.deregistered.map(figures::told),
        unhealthy: seen.unhealthy.map(figures::told),
        last_new: last_new(&outcome.connections, name),
        told: told.as_ref().map(|told| clock.of_epoch(told.at)).or((!way.has_hold()).then_some(0.0)).map(figures::told),
        told_because: told.map(|told| told.reason),
        killed: outcome.killed.iter().find(|(its, _)| its == name).map(|(_, at)| figures::told(*at)),
    }
}

//! One run: starts all parts, runs clients, interruption and load balancer side by side, and collects the record.

use std::cell::RefCell;
use std::time::Duration;

use tokio::time::sleep;

use crate::clients::connection::{Attempt, Connection, join};
use crate::clients::progress::{Counters, Progress};
use crate::clients::traffic::traffic;
use crate::clock::Clock;
use crate::error::DrillError;
use crate::load_balancer::director::{Director, TargetTimeline};
use crate::load_balancer::haproxy::{Haproxy, free_address};
use crate::report::Record;
use crate::report::figures::{self, Figures, Marks, last_new};
use crate::report::task_series::task_series;
use crate::service::cloud::Cloud;
use crate::service::interruption::{Interruption, Notice};
use crate::service::task::{Ports, Task, TaskTemplate};
use crate::setup::isolation::Isolation;
use crate::setup::plan::Plan;
use crate::setup::programs::Programs;
use crate::setup::scenario::Scenario;

/// Interval between progress reports, in real time.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);

/// The parameters of one run.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    pub scenario: Scenario,
    /// The number of runs before this one.
    pub repetition: u32,
    pub plan: &'a Plan,
    pub programs: &'a Programs,
    pub isolation: Isolation,
}

/// The running parts.
struct Running {
    cloud: Cloud,
    balancer: Haproxy,
    tasks: RefCell<Vec<Task>>,
}

/// The raw results.
struct Results {
    connections: Vec<Connection>,
    timelines: Vec<(String, TargetTimeline)>,
    killed: Vec<(String, f64)>,
}

impl Run<'_> {
    /// Runs the scenario. `function` handles a notice as the function on AWS would; `report` receives the progress. All
    /// started processes have ended when this returns.
    pub async fn execute<F>(&self, function: &F, report: &impl Fn(Progress)) -> Result<Record, DrillError>
    where
        F: AsyncFn(Notice) -> Result<(), String>,
    {
        let running = self.start().await?;
        let clock = Clock::start(self.plan.before_notice(self.repetition), self.plan.scale);
        let results = self.run_side_by_side(clock, &running, function, report).await?;
        Ok(self.record(clock, &running, &results))
    }

    async fn start(&self) -> Result<Running, DrillError> {
        let Self { scenario, plan, programs, isolation, .. } = *self;
        let free = || free_address().map_err(|error| DrillError::start("the tasks", &error));
        let ports = Ports { traffic: free()?.port(), health: free()?.port() };
        let template = TaskTemplate { isolation, programs, plan, ports, has_hold: scenario.has_hold() };
        let numbers = (1..=u8::MAX).take(plan.tasks);
        let mut tasks = numbers.map(|number| Task::start(number, &template)).collect::<Result<Vec<_>, _>>()?;
        for task in &mut tasks {
            task.ready().await?;
        }
        let backends: Vec<_> = tasks.iter().map(|task| task.backend(&template)).collect();
        let balancer = Haproxy::start(&programs.haproxy, plan, &backends).await?;
        Ok(Running { cloud: Cloud::start(&template).await?, balancer, tasks: RefCell::new(tasks) })
    }

    /// Runs clients, interruption and load balancer side by side until the end of the plan.
    async fn run_side_by_side<F>(
        &self,
        clock: Clock,
        running: &Running,
        function: &F,
        report: &impl Fn(Progress),
    ) -> Result<Results, DrillError>
    where
        F: AsyncFn(Notice) -> Result<(), String>,
    {
        let Self { scenario, plan, .. } = *self;
        let Running { cloud, balancer, tasks } = running;
        let counters = Counters::default();
        let clients = async { Ok(traffic(plan, clock, balancer.front, &counters).await) };
        let interruption = Interruption { plan, scenario, clock, cloud, tasks };
        let director = Director { plan, clock, cloud, api: &balancer.api, tasks };
        let reporting = async {
            self.report_progress(clock, &counters, report).await;
            Ok(())
        };
        let (attempts, killed, timelines, ()) =
            tokio::try_join!(clients, interruption.run(function), director.direct(), reporting)?;
        Ok(Results { connections: join_complete(balancer, attempts).await?, timelines, killed })
    }

    async fn report_progress(&self, clock: Clock, counters: &Counters, report: &impl Fn(Progress)) {
        while clock.now() < self.plan.end() {
            report(counters.progress(self.scenario, clock.now(), self.plan.end()));
            sleep(REPORT_INTERVAL).await;
        }
    }

    fn record(&self, clock: Clock, running: &Running, results: &Results) -> Record {
        let Self { scenario, plan, .. } = *self;
        let (tasks, connections) = (running.tasks.borrow(), &results.connections);
        let names: Vec<_> =
            tasks.iter().enumerate().map(|(at, task)| (task.name.clone(), at < plan.interrupted)).collect();
        let interrupted: Vec<_> =
            names.iter().filter(|(_, is_interrupted)| *is_interrupted).map(|(name, _)| name.as_str()).collect();
        Record {
            scenario,
            figures: Figures::of(connections, &interrupted, plan.scale),
            interrupted: tasks.iter().take(plan.interrupted).map(|task| self.marks(clock, task, results)).collect(),
            series: task_series(connections, &names, plan.end(), plan.scale),
            end: plan.end(),
        }
    }

    fn marks(&self, clock: Clock, task: &Task, results: &Results) -> Marks {
        let name = task.name.as_str();
        let timeline =
            results.timelines.iter().find(|(task, _)| task == name).map(|(_, timeline)| *timeline).unwrap_or_default();
        let killed = results.killed.iter().find(|(task, _)| task == name).map(|(_, at)| *at);
        let forwarded = task.forwarded();
        let sigterm_at =
            forwarded.as_ref().map(|sent| clock.of_epoch(sent.at)).or((!self.scenario.has_hold()).then_some(0.0));
        Marks {
            task: name.to_owned(),
            deregistered: timeline.signals.deregistered.map(figures::rounded),
            unhealthy: timeline.signals.unhealthy.map(figures::rounded),
            last_new: last_new(&results.connections, name),
            sigterm: sigterm_at.map(figures::rounded),
            sigterm_reason: forwarded.map(|sent| sent.reason),
            killed: killed.map(figures::rounded),
        }
    }
}

/// Joins the clients' view and the load balancer's log. Fails unless every connection is in both.
async fn join_complete(balancer: &Haproxy, attempts: Vec<Attempt>) -> Result<Vec<Connection>, DrillError> {
    let reached = attempts.iter().filter(|attempt| attempt.port.is_some()).count();
    let log = balancer.logged(reached).await;
    if log.len() == reached {
        Ok(join(attempts, log))
    } else {
        Err(DrillError::Incomplete { opened: reached, logged: log.len() })
    }
}

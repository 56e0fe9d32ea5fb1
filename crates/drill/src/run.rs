//! One run of a drill: runs clients and interruption side by side on a rig, and collects the record.

use std::time::Duration;

use tokio::time::sleep;

use crate::clients::connection::{Attempt, Connection, join};
use crate::clients::frontend::{ClientProtocol, Frontend};
use crate::clients::traffic::{TrafficLog, traffic};
use crate::clock::{Clock, rounded};
use crate::error::DrillError;
use crate::load_balancer::director::TargetTimeline;
use crate::load_balancer::haproxy::Haproxy;
use crate::report::RunRecord;
use crate::report::figures::{Figures, Marks, last_new};
use crate::report::task_series::task_series;
use crate::rig::{Rig, RigSettings};
use crate::service::interruption::{Interruption, TaskInterruption};
use crate::service::task::Task;
use crate::setup::scenario::Scenario;

/// Interval between progress reports, in real time.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);

/// The parameters of one run.
#[derive(Debug, Clone, Copy)]
pub struct DrillRun<'a> {
    pub rig: RigSettings<'a>,
    /// The number of runs before this run.
    pub repetition: u32,
    /// What the clients send.
    pub protocol: &'a ClientProtocol,
}

/// The progress of a run, for display.
#[derive(Debug, Clone, Copy)]
pub struct RunProgress {
    pub scenario: Scenario,
    /// Simulated seconds since the notice; negative before it.
    pub now: f64,
    /// When the run ends.
    pub end: f64,
    pub opened: usize,
    pub lost: usize,
}

/// The raw results.
struct Results {
    connections: Vec<Connection>,
    timelines: Vec<(String, TargetTimeline)>,
    killed: Vec<(String, f64)>,
}

impl DrillRun<'_> {
    /// Runs the scenario. `function` handles a notice as the function on AWS would; `report` receives the progress. All
    /// started processes have ended when this returns.
    pub async fn execute<F>(&self, function: &F, report: &impl Fn(RunProgress)) -> Result<RunRecord, DrillError>
    where
        F: AsyncFn(TaskInterruption) -> Result<(), String>,
    {
        let rig = Rig::start(self.rig).await?;
        let plan = self.rig.plan;
        let clock = Clock::start(plan.before_notice(self.repetition), plan.scale);
        let results = self.run_side_by_side(clock, &rig, function, report).await?;
        Ok(self.record(clock, &rig, &results))
    }

    /// Runs clients, interruption and load balancer side by side until the end of the plan.
    async fn run_side_by_side<F>(
        &self,
        clock: Clock,
        rig: &Rig<'_>,
        function: &F,
        report: &impl Fn(RunProgress),
    ) -> Result<Results, DrillError>
    where
        F: AsyncFn(TaskInterruption) -> Result<(), String>,
    {
        let RigSettings { scenario, plan, .. } = self.rig;
        let (log, frontend) = (TrafficLog::default(), Frontend::at(rig.frontend(), self.protocol.clone()));
        let clients = async {
            traffic(plan.traffic(), clock, &frontend, &log).await;
            Ok(())
        };
        let interruption = Interruption { plan, scenario, clock, cloud: &rig.cloud, tasks: &rig.tasks };
        let reporting = async {
            self.report_progress(clock, &log, report).await;
            Ok(())
        };
        let ((), killed, timelines, ()) =
            tokio::try_join!(clients, interruption.run(function), rig.direct(clock, plan.end()), reporting)?;
        if let Some(stall) = log.stall() {
            return Err(DrillError::Stalled { at: stall.at, seconds: stall.seconds });
        }
        if log.not_opened() > 0 {
            return Err(DrillError::NotOpened(log.not_opened()));
        }
        Ok(Results { connections: join_complete(&rig.balancer, log.take()).await?, timelines, killed })
    }

    async fn report_progress(&self, clock: Clock, log: &TrafficLog, report: &impl Fn(RunProgress)) {
        let RigSettings { scenario, plan, .. } = self.rig;
        while clock.now() < plan.end() {
            let (opened, lost) = log.counts();
            report(RunProgress { scenario, now: clock.now(), end: plan.end(), opened, lost });
            sleep(REPORT_INTERVAL).await;
        }
    }

    fn record(&self, clock: Clock, rig: &Rig<'_>, results: &Results) -> RunRecord {
        let RigSettings { scenario, plan, .. } = self.rig;
        let (tasks, connections) = (rig.tasks.borrow(), &results.connections);
        let names: Vec<_> =
            tasks.iter().enumerate().map(|(at, task)| (task.name.clone(), at < plan.interrupted)).collect();
        let interrupted: Vec<_> =
            names.iter().filter(|(_, is_interrupted)| *is_interrupted).map(|(name, _)| name.as_str()).collect();
        RunRecord {
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
        let sigterm_at = match self.rig.scenario {
            Scenario::Hold | Scenario::Both => forwarded.as_ref().map(|sent| clock.of_epoch(sent.at)),
            Scenario::Sleep => Some(self.rig.plan.sleeps()),
            Scenario::Nothing | Scenario::Function => Some(0.0),
        };
        Marks {
            task: name.to_owned(),
            deregistered: timeline.signals.deregistered.map(rounded),
            unhealthy: timeline.signals.unhealthy.map(rounded),
            last_new: last_new(&results.connections, name),
            sigterm: sigterm_at.map(rounded),
            sigterm_reason: forwarded.map(|sent| sent.reason),
            killed: killed.map(rounded),
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

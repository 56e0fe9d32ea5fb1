//! The interruption as Fargate does it: SIGTERM and the event at the notice, SIGKILL at the end of the stop timeout.

use std::cell::RefCell;
use std::net::Ipv4Addr;

use crate::clock::Clock;
use crate::error::DrillError;
use crate::service::cloud::DrillCloud;
use crate::service::task::Task;
use crate::setup::plan::Plan;
use crate::setup::scenario::Scenario;

/// The notice of an interrupted task, as the function receives it.
#[derive(Debug, Clone)]
pub struct TaskInterruption {
    pub task_arn: String,
    pub service: String,
    pub address: Ipv4Addr,
    /// The endpoint of the local AWS.
    pub endpoint: String,
}

/// The interruption of one run.
pub(crate) struct Interruption<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) scenario: Scenario,
    pub(crate) clock: Clock,
    pub(crate) cloud: &'a DrillCloud,
    pub(crate) tasks: &'a RefCell<Vec<Task>>,
}

impl Interruption<'_> {
    /// Runs the interruption, and returns the tasks that were killed, each with the time.
    pub(crate) async fn run<F>(&self, function: &F) -> Result<Vec<(String, f64)>, DrillError>
    where
        F: AsyncFn(TaskInterruption) -> Result<(), String>,
    {
        self.clock.until(0.0).await;
        let notices = self.mark();
        let (invoked, (), killed) = tokio::join!(self.invoke(notices, function), self.deregister_as_ecs(), self.kill());
        invoked.map_err(DrillError::Function)?;
        Ok(killed)
    }

    /// SIGTERM and the mark happen together, because AWS does not document the order.
    fn mark(&self) -> Vec<TaskInterruption> {
        let tasks = self.tasks.borrow();
        let interrupted = tasks.iter().take(self.plan.interrupted);
        interrupted
            .map(|task| {
                task.terminate();
                self.cloud.interrupt(task)
            })
            .collect()
    }

    /// Invokes the function once per notice, one after the other.
    async fn invoke<F>(&self, notices: Vec<TaskInterruption>, function: &F) -> Result<(), String>
    where
        F: AsyncFn(TaskInterruption) -> Result<(), String>,
    {
        if !self.scenario.has_function() {
            return Ok(());
        }
        self.clock.until(self.plan.event_delay).await;
        for notice in notices {
            function(notice).await?;
        }
        Ok(())
    }

    async fn deregister_as_ecs(&self) {
        if let Some(at) = self.plan.ecs_deregisters {
            self.clock.until(at).await;
            self.tasks.borrow().iter().take(self.plan.interrupted).for_each(|task| self.cloud.deregister(task));
        }
    }

    async fn kill(&self) -> Vec<(String, f64)> {
        self.clock.until(self.scenario.stop_timeout(self.plan)).await;
        let mut tasks = self.tasks.borrow_mut();
        let alive =
            tasks.iter_mut().take(self.plan.interrupted).filter_map(|task| task.kill().then(|| task.name.clone()));
        alive.map(|name| (name, self.clock.now())).collect()
    }
}

//! The interruption, as Fargate does it: SIGTERM and the event at the notice, SIGKILL when the stop timeout is over.

use std::cell::RefCell;
use std::net::Ipv4Addr;

use crate::clock::Clock;
use crate::error::DrillError;
use crate::plan::{DEFAULT_STOP_TIMEOUT, Plan};
use crate::task::Task;
use crate::way::Way;
use crate::world::Cloud;

/// A task that is being interrupted, as the function is told of it.
#[derive(Debug, Clone)]
pub struct Notice {
    /// The task.
    pub task_arn: String,
    /// Its service.
    pub service: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// The endpoint of AWS.
    pub endpoint: String,
}

/// What happens to the tasks that are interrupted.
pub(crate) struct Interruption<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) way: Way,
    pub(crate) clock: Clock,
    pub(crate) cloud: &'a Cloud,
    pub(crate) tasks: &'a RefCell<Vec<Task>>,
}

impl Interruption<'_> {
    /// Plays it; when each task was killed, by its name.
    pub(crate) async fn play<F>(&self, function: &F) -> Result<Vec<(String, f64)>, DrillError>
    where
        F: AsyncFn(Notice) -> Result<(), String>,
    {
        self.clock.until(0.0).await;
        let notices = self.mark();
        let (told, (), killed) = tokio::join!(self.tell(notices, function), self.deregister_as_ecs(), self.kill());
        told.map_err(DrillError::Function)?;
        Ok(killed)
    }

    /// Both at once: Fargate's order is not published.
    fn mark(&self) -> Vec<Notice> {
        let tasks = self.tasks.borrow();
        let interrupted = tasks.iter().take(self.plan.interrupted);
        interrupted
            .map(|task| {
                task.terminate();
                self.cloud.interrupt(task)
            })
            .collect()
    }

    /// An invocation for each notice, one after the other.
    async fn tell<F>(&self, notices: Vec<Notice>, function: &F) -> Result<(), String>
    where
        F: AsyncFn(Notice) -> Result<(), String>,
    {
        if !self.way.has_function() {
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
        let timeout = if self.way.has_hold() { self.plan.stop_timeout } else { DEFAULT_STOP_TIMEOUT };
        self.clock.until(timeout).await;
        let mut tasks = self.tasks.borrow_mut();
        let alive =
            tasks.iter_mut().take(self.plan.interrupted).filter_map(|task| task.kill().then(|| task.name.clone()));
        alive.map(|name| (name, self.clock.now())).collect()
    }
}

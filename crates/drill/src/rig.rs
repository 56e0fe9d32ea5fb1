//! The service behind its load balancer: tasks, the local AWS with their targets, and the `HAProxy` that follows the targets' states.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::time::sleep;

use crate::clock::Clock;
use crate::error::DrillError;
use crate::load_balancer::director::{Director, TargetTimeline};
use crate::load_balancer::haproxy::{Haproxy, free_address};
use crate::service::cloud::{DrillCloud, task_arn};
use crate::service::task::{Ports, Task, TaskTemplate};
use crate::setup::isolation::Isolation;
use crate::setup::plan::Plan;
use crate::setup::programs::Programs;
use crate::setup::scenario::Scenario;

/// Interval between two checks for tasks that must stop.
const STOP_INTERVAL: Duration = Duration::from_millis(50);

/// The scenario, plan and programs of a rig.
#[derive(Debug, Clone, Copy)]
pub struct RigSettings<'a> {
    pub scenario: Scenario,
    pub plan: &'a Plan,
    pub programs: &'a Programs,
    pub isolation: Isolation,
    /// The folder in which each hold looks for a file with its task's name. The file makes the hold fail its health check.
    pub fail_health_in: Option<&'a Path>,
}

/// The running parts. Dropping the rig ends all processes.
#[derive(Debug)]
pub struct Rig<'a> {
    plan: &'a Plan,
    pub(crate) cloud: DrillCloud,
    pub(crate) balancer: Haproxy,
    pub(crate) tasks: RefCell<Vec<Task>>,
}

impl<'a> Rig<'a> {
    /// Starts the parts, and waits until all tasks serve.
    ///
    /// # Errors
    ///
    /// If a part does not start.
    pub async fn start(settings: RigSettings<'a>) -> Result<Self, DrillError> {
        let RigSettings { scenario, plan, programs, isolation, fail_health_in } = settings;
        let port = programs.application.port();
        if port.is_some() && isolation == Isolation::Shared {
            return Err(DrillError::NoNamespaces);
        }
        let free = || {
            free_address()
                .map(|address| address.port())
                .map_err(|error: io::Error| DrillError::start("the tasks", &error))
        };
        let ports = Ports { traffic: port.map_or_else(free, Ok)?, health: free()? };
        let template = TaskTemplate { isolation, programs, plan, ports, scenario, fail_health_in };
        let numbers = (1..=u8::MAX).take(plan.tasks);
        let mut tasks = numbers.map(|number| Task::start(number, &template)).collect::<Result<Vec<_>, _>>()?;
        for task in &mut tasks {
            task.ready().await?;
        }
        let backends: Vec<_> = tasks.iter().map(|task| task.backend(&template)).collect();
        let balancer = Haproxy::start(&programs.haproxy, plan, template.health_path(), &backends).await?;
        Ok(Self { plan, cloud: DrillCloud::start(&template).await?, balancer, tasks: RefCell::new(tasks) })
    }

    /// Lets the load balancer follow the targets' states until `end`, in seconds of this clock.
    pub(crate) async fn direct(&self, clock: Clock, end: f64) -> Result<Vec<(String, TargetTimeline)>, DrillError> {
        let Self { plan, cloud, balancer, tasks } = self;
        Director { plan, clock, cloud, api: &balancer.api, tasks }.direct(end).await
    }

    /// Lets the load balancer follow the targets' states from now on. The clock runs at the plan's scale.
    ///
    /// # Errors
    ///
    /// If the load balancer does not answer any more.
    pub async fn run(&self) -> Result<(), DrillError> {
        self.direct(Clock::start(0.0, self.plan.scale), f64::INFINITY).await.map(drop)
    }

    /// The address that clients connect to.
    #[must_use]
    pub fn frontend(&self) -> SocketAddr {
        self.balancer.front
    }

    /// The URL of the local AWS.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.cloud.endpoint()
    }

    /// The ARN of the target group.
    #[must_use]
    pub fn target_group(&self) -> &str {
        self.cloud.target_group()
    }

    /// The ARNs of the tasks.
    #[must_use]
    pub fn task_arns(&self) -> Vec<String> {
        self.tasks.borrow().iter().map(task_arn).collect()
    }

    /// Watches for tasks that must stop, and sends SIGTERM to each of them once. Never returns.
    pub async fn stop_tasks(&self) {
        let mut stopped = BTreeSet::new();
        loop {
            for task in self.tasks.borrow().iter() {
                if self.cloud.is_stopping(task) && stopped.insert(task.name.clone()) {
                    task.terminate();
                }
            }
            sleep(STOP_INTERVAL).await;
        }
    }
}

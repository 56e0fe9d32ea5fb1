//! The story of one invocation, from bytes to report: the same for Lambda, for the CLI and for the demo.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use spotdrain_core::batch::{Batch, Delivery, take_apart};
use spotdrain_core::json::EventError;
use spotdrain_core::memory::Memory;
use spotdrain_core::plan::{Plan, plan};
use spotdrain_core::reading::read;
use spotdrain_core::report::{Execution, Report, report};
use spotdrain_core::settings::Settings;

use crate::aws::Aws;
use crate::clock::Deadline;
use crate::connections::Connections;
use crate::execute::execute;
use crate::observe::observe;
use crate::services::ServiceCache;
use crate::turn::Pace;

/// What a sandbox keeps from one invocation to the next.
#[derive(Debug)]
pub struct Drainer {
    connections: Connections,
    settings: Settings,
    pace: Pace,
    services: ServiceCache,
    memory: Mutex<Memory>,
}

/// An invocation that was handled.
#[derive(Debug)]
pub struct Handled {
    /// How the events came.
    pub delivery: Delivery,
    /// What became of them.
    pub report: Report,
}

impl Drainer {
    /// A drainer that has done nothing yet.
    #[must_use]
    pub fn new(aws: Aws, settings: Settings) -> Self {
        let pace = Pace::new(&settings);
        let connections = Connections::new(aws);
        Self { connections, settings, pace, services: ServiceCache::default(), memory: Mutex::new(Memory::new()) }
    }

    /// Handles the payload of an invocation. An [`EventError`] means that nothing in it could be named, and nothing was
    /// done; whatever else fails is in the report.
    pub async fn handle(&self, payload: &[u8], deadline: Deadline) -> Result<Handled, EventError> {
        let batch = take_apart(payload, &self.settings.event_sources)?;
        let delivery = batch.delivery;
        let report = self.drain(batch, deadline).await;
        Ok(Handled { delivery, report })
    }

    /// Plans, does it, and tells what became of it.
    pub async fn drain(&self, batch: Batch, deadline: Deadline) -> Report {
        let aws = self.connections.awake();
        let plan = self.plan(&aws, batch, deadline).await;
        let execution = execute(&aws, &self.pace, &plan, deadline).await;
        self.connections.used();
        let report = report(plan, &execution);
        self.remember(&report);
        report
    }

    /// Plans, and tells what would become of it.
    pub async fn dry_run(&self, batch: Batch, deadline: Deadline) -> Report {
        report(self.plan(&self.connections.awake(), batch, deadline).await, &Execution::DryRun)
    }

    async fn plan(&self, aws: &Aws, batch: Batch, deadline: Deadline) -> Plan {
        let reading = {
            let mut memory = self.memory();
            memory.note(&batch, Timestamp::now());
            read(batch, &self.settings, &memory)
        };
        let findings = observe(aws, &self.services, &reading, &self.settings, deadline).await;
        plan(reading, &findings, self.memory().going(), &self.settings, Timestamp::now())
    }

    fn remember(&self, report: &Report) {
        let mut memory = self.memory();
        for notice in report.handled() {
            memory.remember(&notice.task, notice.version);
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

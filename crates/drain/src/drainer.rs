//! The story of one invocation, from bytes to report: the same for Lambda, for the CLI and for the demo.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use spotdrain_core::batch::{Batch, Delivery, Receipts, take_apart};
use spotdrain_core::json::EventError;
use spotdrain_core::memory::Memory;
use spotdrain_core::plan::{Plan, plan, postpone};
use spotdrain_core::reading::{Incoming, Reading, read};
use spotdrain_core::report::{Execution, Report, report};
use spotdrain_core::schedule::{Schedule, schedule};
use spotdrain_core::settings::Settings;

use crate::aws::Aws;
use crate::caller::Caller;
use crate::clock::Deadline;
use crate::coalesce::coalesce;
use crate::connections::Connections;
use crate::execute::execute;
use crate::observe::{discover, look};
use crate::queue::{Desk, Queue};
use crate::services::{Found, ServiceCache};
use crate::turn::Pace;

/// What a group's last call needs beyond its turn; with less time left no wave is begun.
const FOR_A_WAVE: Duration = Duration::from_secs(1);

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
    /// The ids of the messages that Lambda delivered.
    pub delivered: BTreeSet<String>,
    /// What became of them, and of what the function received itself.
    pub report: Report,
}

impl Drainer {
    /// A drainer that has done nothing yet.
    #[must_use]
    pub fn new(aws: Aws, settings: Settings) -> Self {
        let pace = Pace::new(&settings);
        let connections = Connections::new(aws.dials(settings.discover));
        Self { connections, settings, pace, services: ServiceCache::default(), memory: Mutex::new(Memory::new()) }
    }

    /// Handles the payload of an invocation. An [`EventError`] means that nothing in it could be named, and nothing was
    /// done; whatever else fails is in the report.
    pub async fn handle(&self, payload: &[u8], deadline: Deadline) -> Result<Handled, EventError> {
        let mut batch = take_apart(payload, &self.settings.event_sources)?;
        let (delivery, delivered, late) = (batch.delivery, batch.ids(), batch.empty_like());
        let aws = self.connections.awake();
        let queue = Queue::of(&batch, &aws);
        let rest = coalesce(queue.as_ref(), &mut batch, &self.settings, deadline).await;
        let desk = |batch: &Batch, polls_over| Desk {
            queue: queue.as_ref(),
            polls_over,
            receipts: batch.receipts(),
            deadline,
        };
        let first = desk(&batch, Some(rest.over()));
        let late = async {
            let late = rest.end(late).await;
            let desk = desk(&late, None);
            self.work(&aws, late, &desk).await
        };
        let (first, late) = tokio::join!(self.work(&aws, batch, &first), late);
        self.connections.used();
        Ok(Handled { delivery, delivered, report: Report::join([first, late]) })
    }

    /// Plans, does it, and tells what became of it.
    pub async fn drain(&self, batch: Batch, deadline: Deadline) -> Report {
        let alone = Desk { queue: None, polls_over: None, receipts: Receipts::new(), deadline };
        let report = self.work(&self.connections.awake(), batch, &alone).await;
        self.connections.used();
        report
    }

    /// Plans, and tells what would become of it.
    pub async fn dry_run(&self, batch: Batch, deadline: Deadline) -> Report {
        let aws = self.connections.awake();
        let caller = Caller { aws: &aws, pace: &self.pace };
        let reading = self.read(batch);
        let mut found = discover(caller, &self.services, &reading.notices, &self.settings, deadline).await;
        let plan = self.plan(caller, reading, &mut found, deadline).await;
        report(plan, &Execution::DryRun)
    }

    /// Does what of a batch there is time for, and gives the rest back.
    async fn work(&self, aws: &Aws, batch: Batch, desk: &Desk<'_>) -> Report {
        let caller = Caller { aws, pace: &self.pace };
        let Reading { notices, ignored, malformed } = self.read(batch);
        let found = discover(caller, &self.services, &notices, &self.settings, desk.deadline).await;
        let allowance = self.pace.allowance(desk.deadline.keeping(FOR_A_WAVE));
        let Schedule { waves, postponed } = schedule(notices, &found.findings, &self.settings, allowance);
        let rest = Plan { ignored, malformed, ..self.postpone(postponed) };
        let rest = desk.settled_after_the_polls(report(rest, &Execution::DryRun));
        let (rest, done) = tokio::join!(rest, self.waves(caller, waves, found, desk));
        Report::join([rest].into_iter().chain(done))
    }

    /// One wave after the other: each is looked up, planned, executed and settled with the queue before the next.
    async fn waves(
        &self,
        caller: Caller<'_>,
        waves: Vec<Vec<Incoming>>,
        mut found: Found,
        desk: &Desk<'_>,
    ) -> Vec<Report> {
        let mut reports = Vec::new();
        for wave in waves {
            let is_late = !reports.is_empty() && desk.deadline.left() < FOR_A_WAVE;
            let report = if is_late {
                report(self.postpone(wave), &Execution::DryRun)
            } else {
                self.wave(caller, wave, &mut found, desk.deadline).await
            };
            reports.push(desk.settled(report).await);
        }
        reports
    }

    async fn wave(&self, caller: Caller<'_>, notices: Vec<Incoming>, found: &mut Found, deadline: Deadline) -> Report {
        let plan = self.plan(caller, Reading { notices, ..Reading::default() }, found, deadline).await;
        let execution = execute(caller, &plan, deadline).await;
        let report = report(plan, &execution);
        self.remember(&report);
        report
    }

    fn postpone(&self, notices: Vec<Incoming>) -> Plan {
        postpone(notices, &self.settings, Timestamp::now())
    }

    fn read(&self, batch: Batch) -> Reading {
        let mut memory = self.memory();
        memory.note(&batch, Timestamp::now());
        read(batch, &self.settings, &memory)
    }

    async fn plan(&self, caller: Caller<'_>, wave: Reading, found: &mut Found, deadline: Deadline) -> Plan {
        let findings = look(caller, &self.services, &wave.notices, found, &self.settings, deadline).await;
        plan(wave, &findings, self.memory().going(), &self.settings, Timestamp::now())
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

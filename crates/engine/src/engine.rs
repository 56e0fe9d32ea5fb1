//! The engine: what an execution environment keeps from one invocation to the next, and its entry points.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use spotdrain_core::model::arn::{LoadBalancerArn, TargetGroupArn};
use spotdrain_core::plan::rate_limit::{Budget, CallKind};
use spotdrain_core::read::batch::{Batch, Delivery, parse_payload};
use spotdrain_core::read::json::EventError;
use spotdrain_core::read::memory::Memory;
use spotdrain_core::report::Report;
use spotdrain_core::settings::Settings;

use crate::cloud::Cloud;
use crate::deadline::Deadline;
use crate::invocation::Invocation;
use crate::locate::ServiceCache;
use crate::receive::Arrivals;
use crate::run::run;
use crate::shares::MIN_ATTEMPT;

/// The target groups of the configured load balancers.
type BalancerGroups = BTreeMap<LoadBalancerArn, Vec<TargetGroupArn>>;

/// The engine of one execution environment.
#[derive(Debug)]
pub struct Engine<C> {
    pub(crate) cloud: C,
    pub(crate) settings: Settings,
    pub(crate) services: RefCell<ServiceCache>,
    pub(crate) memory: RefCell<Memory>,
    pub(crate) balancers: RefCell<Option<(Timestamp, BalancerGroups)>>,
    pub(crate) arrivals: RefCell<Arrivals>,
    /// The groups in which few healthy targets remained after a deregistration, and that have not been read since.
    pub(crate) low: RefCell<BTreeSet<TargetGroupArn>>,
    budget: RefCell<Budget>,
    since: Timestamp,
}

/// An invocation that was handled.
#[derive(Debug)]
pub struct Handled {
    pub delivery: Delivery,
    /// The ids of the messages that Lambda delivered.
    pub delivered: BTreeSet<String>,
    /// The report on these messages, and on those that the engine received itself.
    pub report: Report,
}

impl Handled {
    /// Returns the ids of the messages of Lambda that must return to the queue. The engine returns those that it received
    /// itself: an id that Lambda does not know would fail the whole batch.
    /// Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>
    pub fn returned(&self) -> impl Iterator<Item = &str> {
        self.report.failed_messages().into_iter().filter(|id| self.delivered.contains(*id))
    }
}

impl<C: Cloud> Engine<C> {
    #[must_use]
    pub fn new(cloud: C, settings: Settings) -> Self {
        let (budget, since) = (RefCell::new(Budget::new(&settings)), cloud.now());
        Self {
            cloud,
            settings,
            services: RefCell::default(),
            memory: RefCell::default(),
            balancers: RefCell::default(),
            arrivals: RefCell::default(),
            low: RefCell::default(),
            budget,
            since,
        }
    }

    pub fn cloud(&self) -> &C {
        &self.cloud
    }

    /// Handles the payload of an invocation. An [`EventError`] means that the payload could not be parsed and nothing was done;
    /// all other failures are in the report.
    pub async fn handle(&self, payload: &[u8], deadline: Deadline) -> Result<Handled, EventError> {
        let batch = parse_payload(payload, &self.settings.event_sources)?;
        let (delivery, delivered) = (batch.delivery, batch.ids());
        let invocation = Invocation::begin(self, batch.queue, deadline);
        let report = run(&invocation, batch.messages).await;
        Ok(Handled { delivery, delivered, report })
    }

    /// Handles a batch without deleting or returning messages.
    pub async fn drain(&self, batch: Batch, deadline: Deadline) -> Report {
        run(&Invocation::begin(self, None, deadline), batch.messages).await
    }

    /// Reports what [`drain`](Self::drain) would do, without the writes.
    pub async fn dry_run(&self, batch: Batch, deadline: Deadline) -> Report {
        run(&Invocation { is_dry: true, ..Invocation::begin(self, None, deadline) }, batch.messages).await
    }

    /// Takes the token of a call, and returns how long to wait for it; `None` if the deadline is earlier, and then no token is
    /// taken.
    pub(crate) fn take(&self, kind: CallKind, deadline: Deadline) -> Option<Duration> {
        let now = self.cloud.now();
        let (mut budget, elapsed) = (self.budget.borrow_mut(), self.elapsed(now));
        (budget.wait(kind, elapsed) + MIN_ATTEMPT <= deadline.left(now)).then(|| budget.take(kind, elapsed))
    }

    /// Calls a function with the budget and the time since the engine was created.
    pub(crate) fn budget<T>(&self, with: impl FnOnce(&mut Budget, Duration) -> T) -> T {
        with(&mut self.budget.borrow_mut(), self.elapsed(self.cloud.now()))
    }

    /// Returns the time since the engine was created. If the wall clock is set back, the buckets only fill later.
    fn elapsed(&self, now: Timestamp) -> Duration {
        Duration::try_from(now.duration_since(self.since)).unwrap_or_default()
    }
}

//! The context of one invocation: its engine, its deadline, and the queue that its messages came from.

use std::cell::RefCell;
use std::time::Duration;

use futures_util::future::{Either, select};
use jiff::Timestamp;
use spotdrain_core::model::arn::QueueArn;
use spotdrain_core::plan::rate_limit::CallKind;
use spotdrain_core::read::batch::Receipts;
use tracing::warn;

use crate::cloud::Cloud;
use crate::deadline::{Deadline, later};
use crate::engine::Engine;
use crate::retry::{Limit, RetriedCall};

/// The context of every step of an invocation.
#[derive(Debug)]
pub(crate) struct Invocation<'a, C> {
    pub(crate) engine: &'a Engine<C>,
    pub(crate) queue: Option<QueueArn>,
    pub(crate) deadline: Deadline,
    pub(crate) started_at: Timestamp,
    /// Nothing is deregistered or recorded.
    pub(crate) is_dry: bool,
    /// The receipts of the messages that were received so far.
    pub(crate) receipts: RefCell<Receipts>,
}

impl<'a, C: Cloud> Invocation<'a, C> {
    /// Begins an invocation. Connections from before a freeze are not used again: a request on a dead connection would get no
    /// answer until its time limit. Nor are groups read back after a freeze, because their deregistration is long past.
    pub(crate) fn begin(engine: &'a Engine<C>, queue: Option<QueueArn>, deadline: Deadline) -> Self {
        if engine.cloud.was_thawed() {
            engine.cloud.reconnect();
            engine.low.borrow_mut().clear();
        }
        let is_reachable = |queue: &QueueArn| queue.url(engine.settings.queue_url.as_deref()).is_some();
        if let (Some(queue), Some(url)) = (&queue, &engine.settings.queue_url)
            && url.rsplit('/').next() != Some(queue.name())
        {
            warn!(queue = queue.as_str(), url, "SPOTDRAIN_QUEUE_URL is ignored: it is the URL of another queue");
        }
        let queue = queue.filter(is_reachable);
        engine.budget(|budget, _| budget.release_writes());
        Self { engine, queue, deadline, started_at: engine.cloud.now(), is_dry: false, receipts: RefCell::default() }
    }

    pub(crate) fn cloud(&self) -> &'a C {
        &self.engine.cloud
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.engine.cloud.now()
    }

    /// A call with a rate limit.
    pub(crate) fn request(&self, name: &'static str, kind: CallKind, deadline: Deadline) -> RetriedCall<'a, C> {
        RetriedCall { engine: self.engine, name, limit: Limit::Rate(kind), deadline }
    }

    /// The write of a turn.
    pub(crate) fn write_request(&self) -> RetriedCall<'a, C> {
        RetriedCall { engine: self.engine, name: "DeregisterTargets", limit: Limit::Turn, deadline: self.deadline }
    }

    /// A call of SQS.
    pub(crate) fn queue_request(&self, name: &'static str) -> RetriedCall<'a, C> {
        RetriedCall { engine: self.engine, name, limit: Limit::None, deadline: self.deadline }
    }
}

/// Returns the result of a future, or `None` after `limit`.
pub(crate) async fn within<C: Cloud, T>(cloud: &C, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    let end = std::pin::pin!(cloud.sleep_until(later(cloud.now(), limit)));
    match select(std::pin::pin!(future), end).await {
        Either::Left((result, _)) => Some(result),
        Either::Right(((), _)) => None,
    }
}

/// Sleeps for a time. Returns at once for zero: the timer would take a millisecond for it.
pub(crate) async fn pause<C: Cloud>(cloud: &C, duration: Duration) {
    if !duration.is_zero() {
        cloud.sleep_until(later(cloud.now(), duration)).await;
    }
}

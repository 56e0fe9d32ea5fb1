//! A notice: one task's Spot interruption, with what is needed to act on it and to tell of it.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use crate::arn::{ClusterArn, ServiceName, TaskArn};
use crate::event::TaskChange;
use crate::limits::NOTICE;
use crate::stop::{RecognisedBy, StopCode};

/// One task's Spot interruption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// EventBridge's id of the event.
    pub event_id: String,
    /// The task as the event has it; its addresses are not empty.
    pub change: TaskChange,
    /// By what the interruption was recognised.
    pub recognised_by: RecognisedBy,
}

/// How long ago the interruption was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// So long.
    Known(SignedDuration),
    /// Its date is in the future: nothing can be told from it, and it counts as old.
    Future,
}

impl Notice {
    /// The task.
    #[must_use]
    pub fn task(&self) -> &TaskArn {
        &self.change.task
    }

    /// The task's cluster.
    #[must_use]
    pub fn cluster(&self) -> &ClusterArn {
        &self.change.cluster
    }

    /// The task's service; `None` for a standalone task.
    #[must_use]
    pub fn service(&self) -> Option<&ServiceName> {
        self.change.service.as_ref()
    }

    /// The task's addresses, IPv4 first.
    #[must_use]
    pub fn addresses(&self) -> &[IpAddr] {
        &self.change.addresses
    }

    /// The task's stop code, if it has one.
    #[must_use]
    pub fn stop_code(&self) -> Option<&StopCode> {
        self.change.stop_code.as_ref()
    }

    /// When the interruption began: `stoppingAt`, else the event's own time.
    #[must_use]
    pub fn interrupted_at(&self) -> Timestamp {
        self.change.interrupted_at()
    }

    /// When the task is gone at the latest.
    #[must_use]
    pub fn deadline(&self) -> Timestamp {
        self.interrupted_at().saturating_add(NOTICE).unwrap_or(Timestamp::MAX)
    }

    /// How old the interruption is.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Age {
        let age = now.duration_since(self.interrupted_at());
        if age.is_negative() { Age::Future } else { Age::Known(age) }
    }

    /// Whether ECS must be asked that the addresses are still the task's: the notice is older than `fresh`, or the task
    /// is past RUNNING. ECS gives an address to another task only after the interface of the first is deleted.
    #[must_use]
    pub fn needs_ownership(&self, now: Timestamp, fresh: SignedDuration) -> bool {
        let is_fresh = matches!(self.age(now), Age::Known(age) if age <= fresh);
        !is_fresh || self.change.last_status.is_past_running()
    }
}

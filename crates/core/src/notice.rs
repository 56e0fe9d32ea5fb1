//! A notice: one task's Spot interruption, with what is needed to act on it and to tell of it.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::event::TaskChange;
use crate::limits::NOTICE;
use crate::stop::RecognisedBy;

/// One task's Spot interruption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// EventBridge's id of the event.
    pub event_id: String,
    /// The task as the event has it; its addresses are not empty.
    #[serde(flatten)]
    pub task: TaskChange,
    /// By what the interruption was recognised.
    pub recognised_by: RecognisedBy,
}

impl Notice {
    /// When the interruption began: `stoppingAt`, else the event's own time.
    #[must_use]
    pub fn interrupted_at(&self) -> Timestamp {
        self.task.interrupted_at()
    }

    /// When the task is gone at the latest.
    #[must_use]
    pub fn deadline(&self) -> Timestamp {
        self.interrupted_at().saturating_add(NOTICE).unwrap_or(Timestamp::MAX)
    }

    /// How old the interruption is; `None` if it is dated in the future, from which nothing follows: it then counts as old.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        let age = now.duration_since(self.interrupted_at());
        (!age.is_negative()).then_some(age)
    }

    /// Whether ECS must be asked that the addresses are still the task's: the notice is older than `fresh`, or the task
    /// is past RUNNING. ECS gives an address to another task only after the interface of the first is deleted.
    #[must_use]
    pub fn needs_ownership(&self, now: Timestamp, fresh: SignedDuration) -> bool {
        let is_fresh = self.age(now).is_some_and(|age| age <= fresh);
        !is_fresh || self.task.last_status.is_past_running()
    }
}

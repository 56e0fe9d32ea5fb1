//! A notice: the Spot interruption of one task.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use strum::IntoStaticStr;

use crate::model::limits::NOTICE;
use crate::model::observed::DescribedTask;
use crate::model::task_change::TaskChange;
use crate::model::task_status::{RecognisedBy, TaskStatus};

/// One task's Spot interruption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// EventBridge's id of the event.
    pub event_id: String,
    /// The task as the event has it. It may have no address: see [`Notice::needs_address`].
    #[serde(flatten)]
    pub task: TaskChange,
    /// By what the interruption was recognised.
    pub recognised_by: RecognisedBy,
    /// Who sent the event: `aws.ecs`, or a simulator.
    #[serde(rename = "event_source", skip_serializing_if = "is_ecs")]
    pub source: String,
}

/// The source of ECS's own events; a record names every other one.
const ECS: &str = "aws.ecs";

fn is_ecs(source: &str) -> bool {
    source == ECS
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

    /// Whether ECS says that the task is not stopping. A simulated notice is always contradicted, and acted on all the same.
    #[must_use]
    pub fn is_contradicted_by(&self, task: &DescribedTask) -> bool {
        is_ecs(&self.source) && task.desired_status != TaskStatus::Stopped
    }

    /// Whether ECS must be asked for the task's addresses: it runs or has run, so it has some, and the event names none.
    #[must_use]
    pub fn needs_address(&self) -> bool {
        self.task.addresses.is_empty()
    }

    /// Whether ECS must be asked that the addresses are still the task's: the notice is older than `fresh`, or the task
    /// is past RUNNING. ECS gives an address to another task only after the interface of the first is deleted.
    #[must_use]
    pub fn needs_ownership(&self, now: Timestamp, fresh: SignedDuration) -> bool {
        let is_fresh = self.age(now).is_some_and(|age| age <= fresh);
        !is_fresh || self.task.last_status.is_past_running() || self.task.addresses.is_empty()
    }
}

/// Why an event is none of our business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, IntoStaticStr)]
pub enum Ignored {
    /// Another source or detail-type.
    OtherEvent,
    /// ECS does not want the task to stop.
    NotStopping,
    /// It stops, and not because its Spot capacity is taken back.
    NotSpot,
    /// Its network interface is gone or departing.
    AlreadyDown,
    /// Another cluster than those in scope, or its service's tag `spotdrain` is `off`.
    OutOfScope,
    /// It has not reached RUNNING, and has no network interface with an address.
    NoAddress,
    /// This task was handled to the end, at this version or a later one.
    Repeated,
}

impl Ignored {
    /// The name, as it is in reports and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

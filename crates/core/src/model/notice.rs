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
    /// The task as the event describes it. It may have no address: see [`Notice::needs_address`].
    #[serde(flatten)]
    pub task: TaskChange,
    pub recognised_by: RecognisedBy,
    /// The source of the event: `aws.ecs`, or that of simulated events.
    #[serde(rename = "event_source", skip_serializing_if = "is_ecs")]
    pub source: String,
}

/// The source of ECS's own events; a record names every other one.
const ECS: &str = "aws.ecs";

fn is_ecs(source: &str) -> bool {
    source == ECS
}

impl Notice {
    /// Returns when the interruption began: `stoppingAt`, else the event's own time.
    #[must_use]
    pub fn interrupted_at(&self) -> Timestamp {
        self.task.interrupted_at()
    }

    /// Returns when the task is gone at the latest.
    #[must_use]
    pub fn deadline(&self) -> Timestamp {
        self.interrupted_at().saturating_add(NOTICE).unwrap_or(Timestamp::MAX)
    }

    /// Returns how old the interruption is; `None` if it is dated in the future, which counts as old.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        let age = now.duration_since(self.interrupted_at());
        (!age.is_negative()).then_some(age)
    }

    /// Returns whether ECS says that the task is not stopping. That is no contradiction for a simulated notice.
    #[must_use]
    pub fn is_contradicted_by(&self, task: &DescribedTask) -> bool {
        is_ecs(&self.source) && task.desired_status != TaskStatus::Stopped
    }

    /// Returns whether ECS must be asked for the task's addresses, because the event has none.
    #[must_use]
    pub fn needs_address(&self) -> bool {
        self.task.addresses.is_empty()
    }

    /// Returns whether ECS must be asked that the addresses still belong to the task: the notice is older than `fresh` or dated
    /// in the future, or the task is past RUNNING. ECS gives an address to another task only after it deleted the interface of
    /// the first.
    #[must_use]
    pub fn needs_ownership(&self, now: Timestamp, fresh: SignedDuration) -> bool {
        let is_fresh = self.age(now).is_some_and(|age| age <= fresh);
        !is_fresh || self.task.last_status.is_past_running() || self.task.addresses.is_empty()
    }
}

/// Why an event needs no action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, IntoStaticStr)]
pub enum Ignored {
    /// Another source or detail-type.
    OtherEvent,
    /// The task's desired status is not STOPPED.
    NotStopping,
    /// The task stops for another reason than a Spot interruption.
    NotSpot,
    /// The task's network interface is being removed or gone.
    AlreadyDown,
    /// The cluster is not in scope, or the service's tag `spotdrain` is `off`.
    OutOfScope,
    /// The task has not reached RUNNING and has no address.
    NoAddress,
    /// The task was handled to the end at this version or a later one.
    Repeated,
}

impl Ignored {
    /// Returns the name in records and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

//! Why and how far a task is stopping: its stop code, its reason and its two statuses.
//!
//! The stop code of a notice is not reliably one value: AWS's page showed `TerminationNotice` until 2023 and shows
//! `SpotInterruption` now for the same snippet, and users report events with no code at all (aws/containers-roadmap
//! issue 1565). So any of the two codes, or the documented beginning of the reason, makes an interruption.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html>

use serde::{Deserialize, Serialize};
use strum::{AsRefStr, Display, EnumString};

/// How the reason of a Spot interruption begins, in every form that is known.
pub const SPOT_REASON: &str = "Your Spot Task was interrupted";

/// Why ECS stops a task.
/// Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html> (`stopCode`)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, AsRefStr, Display, EnumString)]
pub enum StopCode {
    /// The task could not be started.
    TaskFailedToStart,
    /// A container that the task cannot do without ended.
    EssentialContainerExited,
    /// Somebody called `StopTask`.
    UserInitiated,
    /// The service's scheduler: scaling in, a deployment, a failed health check.
    ServiceSchedulerInitiated,
    /// Fargate takes the task's Spot capacity back; the form documented today.
    SpotInterruption,
    /// The same; the form documented until 2023.
    TerminationNotice,
    /// A value that AWS had not published when this was written, kept as it came.
    #[serde(untagged)]
    #[strum(default, transparent)]
    Other(String),
}

impl StopCode {
    /// Reads AWS's text.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        text.parse().unwrap_or_else(|_| Self::Other(text.to_owned()))
    }
}

/// What a notice had as its stop code. AWS's documents show two codes for an interruption, and users report notices without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopCodeForm {
    /// A code that is published.
    Known,
    /// A code that AWS had not published when this was written.
    New,
    /// No code.
    Absent,
}

impl StopCodeForm {
    /// Returns the form of a notice's stop code.
    #[must_use]
    pub fn of(code: Option<&StopCode>) -> Self {
        match code {
            None => Self::Absent,
            Some(StopCode::Other(_)) => Self::New,
            Some(_) => Self::Known,
        }
    }
}

/// Where a task is in its life.
/// Source: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, AsRefStr, Display, EnumString)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE")]
pub enum TaskStatus {
    /// ECS prepares what the task needs, such as its network interface.
    Provisioning,
    /// Waiting for capacity.
    Pending,
    /// Running, not yet registered with its load balancer.
    Activating,
    /// Running.
    Running,
    /// On its way out; ECS deregisters its targets here.
    Deactivating,
    /// The containers have got their stop signal.
    Stopping,
    /// The network interface is being taken away: from here on its address may be another task's.
    Deprovisioning,
    /// Over.
    Stopped,
    /// Over, and removed from ECS.
    Deleted,
    /// A value that AWS had not published when this was written, kept as it came.
    #[serde(untagged)]
    #[strum(default, transparent)]
    Other(String),
}

impl TaskStatus {
    /// Reads AWS's text.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        text.parse().unwrap_or_else(|_| Self::Other(text.to_owned()))
    }
}

impl TaskStatus {
    /// The network interface is gone or departing: the task's address may belong to another task.
    #[must_use]
    pub fn is_down(&self) -> bool {
        matches!(self, Self::Deprovisioning | Self::Stopped | Self::Deleted)
    }

    /// The task has not reached RUNNING: it may have no address yet.
    #[must_use]
    pub fn is_before_running(&self) -> bool {
        matches!(self, Self::Provisioning | Self::Pending | Self::Activating)
    }

    /// The task is further than RUNNING, or somewhere that is not known.
    #[must_use]
    pub fn is_past_running(&self) -> bool {
        !self.is_before_running() && *self != Self::Running
    }
}

/// By what a Spot interruption was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RecognisedBy {
    /// The stop code is one of the two that are known.
    StopCode,
    /// Only the reason says so: the stop code is absent or new, which is worth an alarm.
    Reason,
}

/// Tells a Spot interruption from every other stop; `None` for the others.
#[must_use]
pub fn spot_interruption(code: Option<&StopCode>, reason: Option<&str>) -> Option<RecognisedBy> {
    if matches!(code, Some(StopCode::SpotInterruption | StopCode::TerminationNotice)) {
        return Some(RecognisedBy::StopCode);
    }
    reason.is_some_and(|reason| reason.starts_with(SPOT_REASON)).then_some(RecognisedBy::Reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_form_is_recognised() {
        let table = [
            (Some("SpotInterruption"), Some("Your Spot Task was interrupted."), Some(RecognisedBy::StopCode)),
            (Some("TerminationNotice"), None, Some(RecognisedBy::StopCode)),
            (None, Some("Your Spot Task was interrupted."), Some(RecognisedBy::Reason)),
            (Some("SpotReclaim"), Some("Your Spot Task was interrupted: capacity"), Some(RecognisedBy::Reason)),
            (Some("UserInitiated"), Some("Task stopped by user"), None),
            (Some("spotinterruption"), None, None),
            (None, Some("not: Your Spot Task was interrupted."), None),
            (None, None, None),
        ];
        for (code, reason, expected) in table {
            let code = code.map(StopCode::from_text);
            assert_eq!(spot_interruption(code.as_ref(), reason), expected, "{code:?} {reason:?}");
        }
    }

    #[test]
    fn an_unknown_status_is_past_running_and_not_down() {
        let status = TaskStatus::from_text("HIBERNATING");
        assert_eq!(status, TaskStatus::Other("HIBERNATING".into()));
        assert!(status.is_past_running() && !status.is_down());
    }
}

//! The status of a task and why it stops, and which of the reasons is a Spot interruption.
//!
//! The stop code of a notice is not reliably one value: AWS's page showed `TerminationNotice` until 2023 and shows
//! `SpotInterruption` now for the same snippet, and users report events without a code (aws/containers-roadmap issue 1565). So
//! either code, or the documented beginning of the reason, makes an interruption.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html>

use serde::{Deserialize, Serialize};
use strum::{AsRefStr, Display, EnumString};

/// How the reason of a Spot interruption begins in every known form.
pub const SPOT_REASON: &str = "Your Spot Task was interrupted";

/// Why ECS stops a task.
/// Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html> (`stopCode`)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, AsRefStr, Display, EnumString)]
pub enum StopCode {
    /// The task could not be started.
    TaskFailedToStart,
    /// An essential container ended.
    EssentialContainerExited,
    /// A user called `StopTask`.
    UserInitiated,
    /// The service scheduler stopped it: scaling in, a deployment, a failed health check.
    ServiceSchedulerInitiated,
    /// Fargate reclaims the task's Spot capacity. This is the code that is documented today.
    SpotInterruption,
    /// Fargate reclaims the task's Spot capacity. This is the code that was documented until 2023.
    TerminationNotice,
    /// A value that was not documented when this was written.
    #[serde(untagged)]
    #[strum(default, transparent)]
    Other(String),
}

impl StopCode {
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        text.parse().unwrap_or_else(|_| Self::Other(text.to_owned()))
    }
}

/// Whether a notice had a stop code, and a known one. AWS's documents show two codes for an interruption, and users report
/// notices without a code.
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

/// A status in the life cycle of a task.
/// Source: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, AsRefStr, Display, EnumString)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE")]
pub enum TaskStatus {
    /// ECS prepares what the task needs, such as its network interface.
    Provisioning,
    /// Waiting for capacity.
    Pending,
    /// Running, but not yet registered with its load balancer.
    Activating,
    Running,
    /// Before SIGTERM; ECS deregisters the task's targets here.
    Deactivating,
    /// The containers received SIGTERM.
    Stopping,
    /// ECS removes the network interface: from here on its address may belong to another task.
    Deprovisioning,
    Stopped,
    /// ECS no longer lists it.
    Deleted,
    /// A value that was not documented when this was written.
    #[serde(untagged)]
    #[strum(default, transparent)]
    Other(String),
}

impl TaskStatus {
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        text.parse().unwrap_or_else(|_| Self::Other(text.to_owned()))
    }
}

impl TaskStatus {
    /// Returns whether the network interface is being removed or gone, so that the address may belong to another task.
    #[must_use]
    pub fn is_down(&self) -> bool {
        matches!(self, Self::Deprovisioning | Self::Stopped | Self::Deleted)
    }

    /// Returns whether the task has not reached RUNNING, so that it may have no address yet.
    #[must_use]
    pub fn is_before_running(&self) -> bool {
        matches!(self, Self::Provisioning | Self::Pending | Self::Activating)
    }

    /// Returns whether the task is past RUNNING, or in a status that is not documented.
    #[must_use]
    pub fn is_past_running(&self) -> bool {
        !self.is_before_running() && *self != Self::Running
    }
}

/// How a Spot interruption was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RecognisedBy {
    /// By one of the two documented stop codes.
    StopCode,
    /// By the reason alone: the stop code is absent or new, which raises an alarm.
    Reason,
}

/// Recognises a Spot interruption; `None` for every other stop.
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

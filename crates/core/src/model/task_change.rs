//! A task as an "ECS Task State Change" event describes it.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::arn::{ClusterArn, ServiceName, TaskArn};
use crate::model::task_platform::TaskPlatform;
use crate::model::task_status::{StopCode, TaskStatus};

/// A task as it was when ECS sent the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskChange {
    #[serde(rename = "task")]
    pub arn: TaskArn,
    /// From the event's own field: the old form of a task ARN has no cluster.
    pub cluster: ClusterArn,
    /// `None` for a standalone task.
    pub service: Option<ServiceName>,
    pub last_status: TaskStatus,
    pub desired_status: TaskStatus,
    /// Notices without a stop code have been reported (aws/containers-roadmap issue 1565).
    pub stop_code: Option<StopCode>,
    /// The reason in words; for a notice "Your Spot Task was interrupted."
    pub stopped_reason: Option<String>,
    /// The time of the event, in whole seconds.
    #[serde(skip)]
    pub event_time: Timestamp,
    /// When the task began to stop.
    #[serde(skip)]
    pub stopping_at: Option<Timestamp>,
    /// Counts the changes of the task; a repeated event has the same version.
    pub version: Option<u64>,
    /// `FARGATE_SPOT` for a Spot task of Fargate.
    pub capacity_provider: Option<String>,
    /// The addresses of its attached network interfaces, IPv4 first.
    pub addresses: Vec<IpAddr>,
    /// The status of its `elb` attachment, if it has one: how far ECS is with its own deregistration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elb_attachment: Option<String>,
    #[serde(flatten)]
    pub platform: TaskPlatform,
    /// The fields that could not be read, and what is used instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl TaskChange {
    /// Returns when the task began to stop: `stoppingAt`, else the event's own time.
    #[must_use]
    pub fn interrupted_at(&self) -> Timestamp {
        self.stopping_at.unwrap_or(self.event_time)
    }
}

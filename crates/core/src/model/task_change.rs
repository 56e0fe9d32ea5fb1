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
    /// The task.
    #[serde(rename = "task")]
    pub arn: TaskArn,
    /// Its cluster. The old task ARN has none, so this comes from its own field.
    pub cluster: ClusterArn,
    /// Its service, unless it is a standalone task.
    pub service: Option<ServiceName>,
    /// Where the task is in its life.
    pub last_status: TaskStatus,
    /// Where ECS wants it to be.
    pub desired_status: TaskStatus,
    /// Why ECS stops it. Real notices without one have been reported.
    pub stop_code: Option<StopCode>,
    /// The same for people; for a notice "Your Spot Task was interrupted."
    pub stopped_reason: Option<String>,
    /// When the event was made, to the second.
    #[serde(skip)]
    pub event_time: Timestamp,
    /// When the stop began.
    #[serde(skip)]
    pub stopping_at: Option<Timestamp>,
    /// Counts the task's changes; a repeated event has an equal one.
    pub version: Option<u64>,
    /// `FARGATE_SPOT`, where the task came from a capacity provider.
    pub capacity_provider: Option<String>,
    /// The addresses of its interfaces, IPv4 first.
    pub addresses: Vec<IpAddr>,
    /// The status of its `elb` attachment, if it has one: how far ECS is with its own deregistration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elb_attachment: Option<String>,
    /// Where it runs, and on what.
    #[serde(flatten)]
    pub platform: TaskPlatform,
    /// The fields that could not be read, and what is used in their place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl TaskChange {
    /// When the stop began: `stoppingAt`, else the event's own time.
    #[must_use]
    pub fn interrupted_at(&self) -> Timestamp {
        self.stopping_at.unwrap_or(self.event_time)
    }
}

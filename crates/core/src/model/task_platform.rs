//! Where a task ran, on what, and since when. No decision uses this: it is recorded for the report.

use jiff::Timestamp;
use serde::Serialize;

/// The zone, size, processor and platform of a task. Each field may be absent from the event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TaskPlatform {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability_zone: Option<String>,
    /// In CPU units: 1024 are one vCPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<u32>,
    /// In MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u32>,
    /// `x86_64` or `arm64`: the attribute `ecs.cpu-architecture`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Fargate's platform version, such as `1.4.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<String>,
    /// `Linux`, or a Windows family.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform_family: Option<String>,
    /// When the task reached RUNNING.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
}

impl TaskPlatform {
    /// Returns for how many seconds the task had run at `end`; `None` if it never ran, or started after `end`.
    #[must_use]
    pub fn ran_seconds(&self, end: Timestamp) -> Option<u64> {
        u64::try_from(end.duration_since(self.started_at?).as_secs()).ok()
    }
}

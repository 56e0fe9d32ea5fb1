//! What AWS answered about services, target groups and tasks, or that it did not answer.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;

use crate::arn::{ClusterArn, ServiceName, TargetGroupArn, TaskArn};
use crate::outcome::Failure;
use crate::target::RegisteredTarget;

/// Names one service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceKey {
    /// Its cluster.
    pub cluster: ClusterArn,
    /// Its name there.
    pub service: ServiceName,
}

/// One target group of a service, with the container's port that ECS registers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceGroup {
    /// The group.
    pub arn: TargetGroupArn,
    /// The service's `containerPort`.
    pub port: Option<u16>,
}

/// What the service's tag `spotdrain` asks for. It can only restrict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceTag {
    /// Leave this service alone.
    Off,
    /// Report, and change nothing.
    Observe,
    /// Its tasks begin with `spotdrain-hold`: leave the registrations whose health check asks the hold's port.
    Hold,
    /// Nothing is restricted: the tag says `on` or `enforce`.
    On,
    /// A value that is none of them. Somebody who sets the tag wants to restrict: it counts as `observe`, and is told.
    Unknown(String),
}

impl ServiceTag {
    /// The tag's key.
    pub const KEY: &str = "spotdrain";

    /// Reads the tag's value.
    #[must_use]
    pub fn from_value(value: &str) -> Self {
        match value.trim().to_ascii_lowercase().as_str() {
            "off" => Self::Off,
            "observe" => Self::Observe,
            "hold" => Self::Hold,
            "on" | "enforce" => Self::On,
            _ => Self::Unknown(value.chars().take(64).collect()),
        }
    }
}

/// A service, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Service {
    /// Every target group that a task of it may be in: of the service, the alternate ones of blue/green, and those of
    /// its task sets.
    pub groups: Vec<ServiceGroup>,
    /// Its tag.
    pub tag: Option<ServiceTag>,
}

/// What AWS answered about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding<T> {
    /// It is there.
    Found(T),
    /// AWS says that it does not exist, or no longer.
    Missing,
    /// AWS could not be asked.
    Unknown(Failure),
}

/// A service, by DescribeServices.
pub type ServiceFinding = Finding<Service>;

/// All targets of a group, by DescribeTargetHealth.
pub type GroupFinding = Finding<Vec<RegisteredTarget>>;

/// The addresses of a task that still has its network interface, by DescribeTasks. A task that is DEPROVISIONING or further is
/// missing, as is one that ECS has forgotten.
pub type TaskFinding = Finding<Vec<IpAddr>>;

/// All that was found for one batch.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// By service; a service that is not here was not asked for.
    pub services: BTreeMap<ServiceKey, ServiceFinding>,
    /// By target group.
    pub groups: BTreeMap<TargetGroupArn, GroupFinding>,
    /// By task; only of the tasks whose ownership had to be asked.
    pub tasks: BTreeMap<TaskArn, TaskFinding>,
    /// When the tasks were asked for; `None` if none were.
    pub asked_at: Option<Timestamp>,
}

//! What AWS said when it was asked: of services, of target groups and of tasks. Also that it did not say.

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

/// What DescribeServices said of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceFinding {
    /// It is there.
    Found(Service),
    /// There is none of that name, or no longer.
    Missing,
    /// It could not be asked.
    Unknown(Failure),
}

/// What DescribeTargetHealth said of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupFinding {
    /// All its targets.
    Read(Vec<RegisteredTarget>),
    /// There is no such group: `TargetGroupNotFound`.
    Missing,
    /// It could not be read.
    Unknown(Failure),
}

/// What DescribeTasks said of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskFinding {
    /// It still has its network interface, with these addresses.
    Up(Vec<IpAddr>),
    /// It is DEPROVISIONING or further, or ECS does not know it any more.
    Down,
    /// It could not be asked.
    Unknown(Failure),
}

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

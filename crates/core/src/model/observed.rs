//! AWS's answers about services, target groups and tasks, or why there is no answer; and what identifies a registration.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use strum::{AsRefStr, Display, EnumString};

use crate::model::arn::{ClusterArn, ServiceName, TargetGroupArn};
use crate::model::outcome::Failure;
use crate::model::task_status::TaskStatus;

/// Identifies a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceKey {
    pub cluster: ClusterArn,
    pub service: ServiceName,
}

/// One target group of a service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceGroup {
    pub arn: TargetGroupArn,
    /// The service's `containerPort`, which ECS registers.
    pub port: Option<u16>,
}

/// The value of a service's tag `spotdrain`. It can only restrict what is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceTag {
    /// Leave this service alone.
    Off,
    /// Report what would be done, and change nothing.
    Observe,
    /// Its containers start with `spotdrain-hold`: leave the registrations whose health check asks the hold's port.
    Hold,
    /// `on` or `enforce`: no restriction.
    On,
    /// An unknown value counts as `observe`, because whoever sets the tag wants a restriction. The record has the value.
    Unknown(String),
}

impl ServiceTag {
    pub const KEY: &str = "spotdrain";

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

/// What the plan needs to know about a service: where its tasks may be registered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Service {
    /// Every target group in which a task may be registered: those of the service, the alternate ones of blue/green
    /// deployments, and those of its task sets.
    pub groups: Vec<ServiceGroup>,
    pub tag: Option<ServiceTag>,
    /// The tags could not be read: `tag` is the last one that was read, if any.
    pub tags_unknown: bool,
    /// The ARNs of its current revisions, which may have further groups.
    pub revisions: Vec<String>,
    /// ECS manages the ingress: the groups are only in the revisions.
    pub is_managed: bool,
    /// It has a load balancer, managed ingress or a gateway of any kind.
    pub has_balancer: bool,
    /// Why the revisions could not be read.
    pub revision_failure: Option<Failure>,
}

/// What the plan needs to know about a service revision.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revision {
    pub arn: String,
    pub groups: Vec<ServiceGroup>,
    /// It has a load balancer, managed ingress or a gateway of any kind.
    pub has_balancer: bool,
}

impl Service {
    /// Returns whether the target groups may be in the revisions: with ECS Gateway and Express Mode they are only there.
    #[must_use]
    pub fn needs_revisions(&self) -> bool {
        !self.revisions.is_empty() && (self.groups.is_empty() || self.is_managed)
    }

    /// Adds the target groups of the revisions.
    pub fn extend<'a>(&mut self, revisions: impl IntoIterator<Item = &'a Revision>) {
        for revision in revisions {
            self.has_balancer |= revision.has_balancer;
            self.groups.extend(revision.groups.iter().cloned());
        }
        self.groups.sort();
        self.groups.dedup();
    }
}

/// AWS's answer about one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation<T> {
    Found(T),
    /// AWS says that it does not exist.
    Missing,
    /// The call failed.
    Unknown(Failure),
}

/// The answer of DescribeServices about one service.
pub type ServiceObservation = Observation<Service>;

/// The answer of DescribeTargetHealth: all targets of a group.
pub type GroupObservation = Observation<Vec<RegisteredTarget>>;

/// The answer of DescribeTasks about one task.
pub type TaskObservation = Observation<DescribedTask>;

/// A task as DescribeTasks describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedTask {
    pub last_status: TaskStatus,
    pub desired_status: TaskStatus,
    /// The addresses of its attached network interfaces.
    pub addresses: Vec<IpAddr>,
    pub stopping_at: Option<Timestamp>,
    pub stopped_at: Option<Timestamp>,
}

/// The state of a target in DescribeTargetHealth.
/// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, AsRefStr, Display, EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum TargetState {
    /// Being registered, or in its first health checks.
    Initial,
    Healthy,
    Unhealthy,
    /// Unhealthy, while its connections get time to end. It is still registered.
    #[serde(rename = "unhealthy.draining")]
    #[strum(serialize = "unhealthy.draining")]
    UnhealthyDraining,
    /// Not in use: the group has no listener, or the target's zone is not enabled.
    Unused,
    /// Being deregistered.
    Draining,
    /// Its health checks are disabled.
    Unavailable,
    /// A value that was not documented when this was written.
    #[serde(untagged)]
    #[strum(default, transparent)]
    Other(String),
}

impl TargetState {
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        text.parse().unwrap_or_else(|_| Self::Other(text.to_owned()))
    }
}

/// The id and zone of a target exactly as DescribeTargetHealth returned them. DeregisterTargets sends them back unchanged: an
/// IPv6 address has several spellings, and the zone `all` is required for a target outside the group's VPC.
/// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html>
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetId {
    pub id: String,
    pub zone: Option<String>,
}

/// A target of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredTarget {
    pub as_read: TargetId,
    /// The id, parsed.
    pub address: IpAddr,
    /// The registered port, which may differ from the group's port.
    pub port: u16,
    /// The port of the health check; `None` if AWS does not return it.
    /// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealthDescription.html>
    pub check_port: Option<u16>,
    pub state: TargetState,
}

/// One target in one target group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Registration {
    pub target_group: TargetGroupArn,
    pub target: Target,
}

/// An address and a port. DeregisterTargets needs the port with which the target was registered.
/// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    pub address: IpAddr,
    /// `None` if the port is not known: AWS then takes the group's port.
    pub port: Option<u16>,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.address, self.port) {
            (IpAddr::V6(address), Some(port)) => write!(f, "[{address}]:{port}"),
            (address, Some(port)) => write!(f, "{address}:{port}"),
            (address, None) => write!(f, "{address}"),
        }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

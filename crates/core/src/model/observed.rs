//! What AWS answered about services, target groups and tasks, or that it did not answer; and how a registration is named.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use strum::{AsRefStr, Display, EnumString};

use crate::model::arn::{ClusterArn, ServiceName, TargetGroupArn};
use crate::model::outcome::Failure;
use crate::model::task_status::TaskStatus;

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
    /// The tags could not be read: `tag` is the last one that was, if any.
    pub tags_unknown: bool,
    /// The ARNs of its current revisions, which may have further groups.
    pub revisions: Vec<String>,
    /// ECS manages its ingress, so that its groups are in its revisions alone.
    pub is_managed: bool,
    /// It has a load balancer, managed ingress or a gateway, in whatever form.
    pub has_balancer: bool,
    /// Why its revisions could not be read.
    pub revision_failure: Option<Failure>,
}

/// A service revision, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Revision {
    pub arn: String,
    pub groups: Vec<ServiceGroup>,
    /// It has a load balancer, managed ingress or a gateway, in whatever form.
    pub has_balancer: bool,
}

impl Service {
    /// Whether its target groups may be in its revisions: ECS Gateway and Express Mode have them nowhere else.
    #[must_use]
    pub fn needs_revisions(&self) -> bool {
        !self.revisions.is_empty() && (self.groups.is_empty() || self.is_managed)
    }

    /// Adds what its revisions have.
    pub fn extend<'a>(&mut self, revisions: impl IntoIterator<Item = &'a Revision>) {
        for revision in revisions {
            self.has_balancer |= revision.has_balancer;
            self.groups.extend(revision.groups.iter().cloned());
        }
        self.groups.sort();
        self.groups.dedup();
    }
}

/// What AWS answered about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation<T> {
    /// It is there.
    Found(T),
    /// AWS says that it does not exist, or no longer.
    Missing,
    /// AWS could not be asked.
    Unknown(Failure),
}

/// A service, by DescribeServices.
pub type ServiceObservation = Observation<Service>;

/// All targets of a group, by DescribeTargetHealth.
pub type GroupObservation = Observation<Vec<RegisteredTarget>>;

/// A task, by DescribeTasks.
pub type TaskObservation = Observation<DescribedTask>;

/// A task as ECS describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedTask {
    pub last_status: TaskStatus,
    pub desired_status: TaskStatus,
    /// The addresses of its interfaces that are attached.
    pub addresses: Vec<IpAddr>,
    /// When it began to stop.
    pub stopping_at: Option<Timestamp>,
    /// When it had stopped.
    pub stopped_at: Option<Timestamp>,
}

/// The state of a target, as DescribeTargetHealth tells it.
/// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html>
#[derive(Debug, Clone, PartialEq, Eq, Serialize, AsRefStr, Display, EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum TargetState {
    /// Being registered, or at its first health checks.
    Initial,
    /// Passes its health checks.
    Healthy,
    /// Fails them.
    Unhealthy,
    /// Fails them, and its connections are given time to end. Not deregistered.
    #[serde(rename = "unhealthy.draining")]
    #[strum(serialize = "unhealthy.draining")]
    UnhealthyDraining,
    /// Not in use: the group has no listener, or the target's zone is not enabled.
    Unused,
    /// Being deregistered.
    Draining,
    /// Its health is not checked.
    Unavailable,
    /// A value that AWS had not published when this was written, kept as it came.
    #[serde(untagged)]
    #[strum(default, transparent)]
    Other(String),
}

impl TargetState {
    /// Reads AWS's text.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        text.parse().unwrap_or_else(|_| Self::Other(text.to_owned()))
    }
}

/// A target's id and zone exactly as DescribeTargetHealth gave them. They are sent back as they were read: an IPv6 address has
/// several spellings, and the zone `all` is required for a target outside the group's VPC.
/// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html>
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetId {
    pub id: String,
    pub zone: Option<String>,
}

/// A target as it stands in its group, with the port that is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredTarget {
    pub as_read: TargetId,
    /// The address that the id spells.
    pub address: IpAddr,
    /// The port under which it is registered, which may differ from the group's own.
    pub port: u16,
    /// The port that the health check asks; `None` where AWS does not say it.
    /// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealthDescription.html>
    pub check_port: Option<u16>,
    /// Its state.
    pub state: TargetState,
}

/// Names one registration. Without a port it stands for the group's own, which could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Registration {
    /// The group.
    pub target_group: TargetGroupArn,
    /// The target.
    pub target: Target,
}

/// An address and the port to name beside it.
/// AWS wants the same port that the target was registered with.
/// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The address.
    pub address: IpAddr,
    /// The port; `None` where it could be neither read nor known.
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

//! A registration: one target (address, port) in one target group, and its state there.

use std::fmt;
use std::net::IpAddr;

use serde::{Serialize, Serializer};
use strum::{AsRefStr, Display, EnumString};

use crate::arn::TargetGroupArn;

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

/// A target as it stands in its group, with the port that is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredTarget {
    /// The target's address.
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

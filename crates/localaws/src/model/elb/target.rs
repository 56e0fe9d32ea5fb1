//! A target as a call names it, and a registered target.

use std::fmt;
use std::net::Ipv6Addr;

use crate::model::elb::health::{Health, State};

/// A target as a call names it. Without a port, the target group's port applies.
///
/// A target that was registered with a port override must be deregistered with its id and port (`ELBv2` API,
/// `DeregisterTargets`). An id alone never matches a target on another port than the group's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// An IP address, or an instance id.
    pub id: String,
    /// The port, if the call has one.
    pub port: Option<u16>,
    /// The Availability Zone, if the call has one. It is not part of the target's identity.
    pub zone: Option<String>,
}

impl From<&str> for Target {
    fn from(id: &str) -> Self {
        Self { id: id.to_owned(), port: None, zone: None }
    }
}

impl From<(&str, u16)> for Target {
    fn from((id, port): (&str, u16)) -> Self {
        Self { id: id.to_owned(), port: Some(port), zone: None }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            None => f.write_str(&self.id),
            Some(port) if self.id.parse::<Ipv6Addr>().is_ok() => write!(f, "[{}]:{port}", self.id),
            Some(port) => write!(f, "{}:{port}", self.id),
        }
    }
}

/// A target of a target group at one point in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// An IP address, or an instance id.
    pub id: String,
    pub port: u16,
    /// The Availability Zone, if the registration had one.
    pub zone: Option<String>,
    pub health: Health,
}

impl Registered {
    #[must_use]
    pub fn state(&self) -> State {
        self.health.state
    }
}

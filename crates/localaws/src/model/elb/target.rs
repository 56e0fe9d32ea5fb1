//! How is a target named, in a call and in an answer?

use std::fmt;
use std::net::Ipv6Addr;

use crate::model::elb::health::{Health, State};

/// A target as a call names it. Without a port the target group's own port is meant.
///
/// AWS (`DeregisterTargets`, `ELBv2` API): a target that was registered with a port override is deregistered by id and port
/// both. So an id alone never reaches a target on another port than the group's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// An address, or the id of an instance.
    pub id: String,
    /// The port, where the call gives one.
    pub port: Option<u16>,
    /// The Availability Zone, where the call gives one. It is no part of a target's identity.
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

/// A target of a target group, as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// An address, or the id of an instance.
    pub id: String,
    /// The port.
    pub port: u16,
    /// The Availability Zone, if the registration named one.
    pub zone: Option<String>,
    /// State and reason.
    pub health: Health,
}

impl Registered {
    /// The state alone.
    #[must_use]
    pub fn state(&self) -> State {
        self.health.state
    }
}

//! What a check is, and what it says where it finds something.

use std::fmt;

use serde::Serialize;

use crate::model::root::Place;
use crate::model::setting::Unknown;
use crate::model::subject::{DeliverySite, GroupSite, ServiceSite};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Connections are lost at every interruption, or the function does nothing.
    Error,
    /// Connections are lost in some interruptions.
    Warning,
    /// Worth a look: no connection need be lost by it.
    Note,
}

impl Severity {
    /// The name, as it is in tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A check.
#[derive(Debug)]
pub struct Check {
    /// Its number, which never changes.
    pub id: &'static str,
    /// How bad it is where it finds something.
    pub severity: Severity,
    /// What it finds, in a few words.
    pub title: &'static str,
    /// Why that loses connections.
    pub explanation: &'static str,
    /// Where AWS, or whoever measured it, says so.
    pub sources: &'static [&'static str],
    /// The check itself.
    pub run: Run,
}

/// What a check is made of, and of what it is made once.
#[derive(Debug, Clone, Copy)]
pub enum Run {
    /// Once for each service.
    EveryService(fn(&ServiceSite<'_>) -> Verdict),
    /// Once for each service that may have tasks on Fargate Spot.
    SpotService(fn(&ServiceSite<'_>) -> Verdict),
    /// Once for each target group of each such service.
    Group(fn(&GroupSite<'_>) -> Verdict),
    /// Once.
    Delivery(fn(&DeliverySite<'_>) -> Verdict),
}

/// What a check says: nothing, a fault, or that it cannot be made.
pub type Verdict = Result<Option<Fault>, Unknown>;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The thing that is to be changed.
    pub place: Place,
    /// What is set there.
    pub found: String,
    /// What it costs in an interruption.
    pub cost: Cost,
    /// How to mend it.
    pub mend: Mend,
}

/// What a fault costs in one interruption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Which connections.
    pub connections: Connections,
    /// For how many seconds they are lost, where that can be said.
    pub seconds: Option<u32>,
}

/// Which connections are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Connections {
    /// None.
    None,
    /// Those that come while the load balancer still sends.
    New,
    /// Those that are open.
    Open,
    /// Both.
    All,
}

impl Cost {
    /// No connection.
    pub const NONE: Self = Self { connections: Connections::None, seconds: None };

    /// These connections, for how long cannot be said.
    #[must_use]
    pub const fn of(connections: Connections) -> Self {
        Self { connections, seconds: None }
    }

    /// These connections, for so many seconds.
    #[must_use]
    pub const fn for_seconds(connections: Connections, seconds: u32) -> Self {
        Self { connections, seconds: Some(seconds) }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = match self.connections {
            Connections::None => return f.write_str("no connection"),
            Connections::New => "new connections",
            Connections::Open => "open connections",
            Connections::All => "open and new connections",
        };
        match self.seconds {
            Some(seconds) => write!(f, "{which}, {seconds} s of them"),
            None => f.write_str(which),
        }
    }
}

/// How to mend it: as a command against AWS, and as a line of a template. What has no such form is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Mend {
    /// A command of the AWS CLI.
    pub command: String,
    /// The line of a template.
    pub template: String,
}

impl Mend {
    pub(crate) fn new(command: impl Into<String>, template: impl Into<String>) -> Self {
        Self { command: command.into(), template: template.into() }
    }
}

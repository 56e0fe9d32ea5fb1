//! The lines of the log: one JSON object a step.

use serde::Serialize;

use crate::signal::Signal;
use crate::step::Reason;

/// A line; `step` tells which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Line {
    /// The settings are wrong, or the command cannot be run: the hold ends with this code.
    Refused {
        /// The exit code.
        code: u8,
        /// Every problem.
        problems: Vec<String>,
    },
    /// The application was started.
    Started(Box<Start>),
    /// What a check of the application found, and it is not what the one before found.
    Health {
        /// Whether a load balancer would call it healthy.
        healthy: bool,
        /// What it found.
        found: String,
    },
    /// A signal was passed on.
    Signal {
        /// Which.
        signal: Signal,
    },
    /// The stop signal came. The health endpoint fails from here on; the application does not know yet.
    Stopping {
        /// Which.
        signal: Signal,
        /// How long is held at most.
        max_hold_ms: u64,
    },
    /// The first look at the connections.
    Holding {
        /// How many are established on the ports that are watched.
        established: usize,
    },
    /// The application was told.
    Forward {
        /// By which signal.
        signal: Signal,
        /// Why now.
        reason: Reason,
        /// What was seen by then.
        #[serde(flatten)]
        counts: Counts,
    },
    /// The application ended: the last line.
    Exited {
        /// The exit code, which is the hold's own.
        code: u8,
        /// The signal that ended it.
        #[serde(skip_serializing_if = "Option::is_none")]
        signal: Option<Signal>,
        /// What was seen since the stop signal, if one came.
        #[serde(flatten)]
        counts: Option<Counts>,
        /// How many connections came after the application was told.
        #[serde(skip_serializing_if = "Option::is_none")]
        new_after_forward: Option<u64>,
    },
    /// Something is not as it should be, and the hold goes on.
    Warning {
        /// What.
        text: String,
    },
}

/// What was seen since the stop signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// How long ago the stop signal came.
    pub after_ms: u64,
    /// How many connections were established at the last look; `None`: the kernel did not tell.
    pub established: Option<usize>,
    /// How many new connections came since.
    pub new: u64,
    /// How long after the stop signal the last of them came; `None`: none came.
    pub last_new_after_ms: Option<u64>,
}

/// How the hold was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Start {
    /// The hold's version.
    pub version: &'static str,
    /// The hold's own process id, as it sees it.
    pub pid: u32,
    /// Whether it is the container's first process. If not, it is made the one that orphans are given to.
    pub first_process: bool,
    /// Whether it has a terminal: the application then shares its process group.
    pub terminal: bool,
    /// The application's process id.
    pub child: u32,
    /// The application's command, without its arguments.
    pub command: String,
    /// The ports that are watched.
    pub ports: Vec<u16>,
    /// Where the health endpoint is.
    pub health: Option<String>,
    /// How the application is checked.
    pub check: Option<String>,
    /// The signal that is held back.
    pub stop_signal: Signal,
    /// The signal that is forwarded.
    pub forward: Signal,
    /// The quiet time.
    pub quiet_ms: u128,
    /// The least hold.
    pub min_hold_ms: u128,
    /// The longest hold.
    pub max_hold_ms: u128,
}

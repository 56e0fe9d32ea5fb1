//! Why a drill cannot run. The messages are for users and say what to do next.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Prevents a drill from running, or its figures from being valid.
#[derive(Debug, Error)]
pub enum DrillError {
    #[error(
        "{} not found: the drill uses it as load balancer. Install the package haproxy \
         (Debian, Ubuntu: apt-get install haproxy), or pass the program's path with --haproxy", .0.display()
    )]
    NoHaproxy(PathBuf),
    #[error(
        "{} not found: the scenarios hold and both need it. Build it (cargo build -p spotdrain-hold), pass its path with \
         --hold, or skip these scenarios (--only nothing,function)", .0.display()
    )]
    NoHold(PathBuf),
    /// A program or part did not start.
    #[error("{what} did not start: {why}")]
    Start {
        what: String,
        /// Its output, or the operating system's error.
        why: String,
    },
    /// A running part stopped answering.
    #[error("{what}: {why}")]
    Broken { what: String, why: String },
    /// The function returned an error.
    #[error("the function failed: {0}")]
    Function(String),
    /// The load balancer's log and the clients disagree about the number of connections.
    #[error(
        "clients opened {opened} connections, but the load balancer logged {logged}, so the figures would be wrong. \
         The machine may be overloaded: try again, or lower --rate"
    )]
    Incomplete { opened: usize, logged: usize },
}

impl DrillError {
    pub(crate) fn start(what: impl Into<String>, why: &(impl std::fmt::Display + ?Sized)) -> Self {
        Self::Start { what: what.into(), why: why.to_string() }
    }

    pub(crate) fn broken(what: impl Into<String>, why: &io::Error) -> Self {
        Self::Broken { what: what.into(), why: why.to_string() }
    }
}

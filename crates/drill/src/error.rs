//! Why a drill cannot be run. The texts are for a person and say what to do next.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// What keeps a drill from being run, or its figures from being believed.
#[derive(Debug, Error)]
pub enum DrillError {
    /// There is no load balancer.
    #[error(
        "{} is not there: it is the drill's load balancer. Install the package haproxy \
         (Debian, Ubuntu: apt-get install haproxy), or name the program with --haproxy", .0.display()
    )]
    NoHaproxy(PathBuf),
    /// There is no hold.
    #[error(
        "{} is not there: the ways hold and both need it. Build it (cargo build -p spotdrain-hold), name it with --hold, \
         or leave these ways out (--only nothing,function)", .0.display()
    )]
    NoHold(PathBuf),
    /// Something did not start.
    #[error("{what} did not start: {why}")]
    Start {
        /// What.
        what: String,
        /// What it said, or the system.
        why: String,
    },
    /// Something that runs could not be reached.
    #[error("{what}: {why}")]
    Broken {
        /// What.
        what: String,
        /// The reason.
        why: String,
    },
    /// The function did not do its work.
    #[error("the function: {0}")]
    Function(String),
    /// The load balancer's log and the clients do not agree.
    #[error(
        "{opened} connections were opened, but the load balancer's log has {logged}: the figures would be wrong. \
         The machine may be too busy; try again, or with a lower --rate"
    )]
    Incomplete {
        /// By the clients.
        opened: usize,
        /// By the log.
        logged: usize,
    },
}

impl DrillError {
    pub(crate) fn start(what: impl Into<String>, why: &(impl std::fmt::Display + ?Sized)) -> Self {
        Self::Start { what: what.into(), why: why.to_string() }
    }

    pub(crate) fn broken(what: impl Into<String>, why: &io::Error) -> Self {
        Self::Broken { what: what.into(), why: why.to_string() }
    }
}

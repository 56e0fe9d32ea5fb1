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
    #[error(
        "{} not found: it is the application of the drill's tasks. Build it (cargo build -p spotdrain-drill), or run your own \
         application with --app and --port", .0.display()
    )]
    NoApplication(PathBuf),
    /// The user's application listens on one port, which several tasks in one network cannot share.
    #[error(
        "--app needs network namespaces: all tasks listen on the same port. Run the drill as root, or allow user namespaces"
    )]
    NoNamespaces,
    /// The clients opened no connection for a while, so that losses may be missing.
    #[error(
        "the drill's own clients stood still for {seconds} s of real time until {at} s, so the figures would be wrong. The machine \
         may be overloaded, or the drill was suspended: run it again"
    )]
    Stalled { at: f64, seconds: f64 },
    /// The machine had no file descriptor or port left.
    #[error(
        "{0} connections could not be opened because this machine had no file descriptor or port left, so the figures would be \
         wrong: lower --rate, or raise the limit (ulimit -n)"
    )]
    NotOpened(usize),
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

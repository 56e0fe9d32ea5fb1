//! The records of the log. `docs/hold.md` explains every field.

use serde::Serialize;

use crate::process::signal::Signal;
use crate::rules::Reason;

/// One record; its field `step` names the variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum LogRecord {
    /// Nothing was started: invalid settings, or a command that cannot be run.
    Refused { code: u8, problems: Vec<String> },
    /// The application was started.
    Started(Box<Start>),
    /// A check of the application gave another result than the one before.
    Health { healthy: bool, found: String },
    /// A signal was passed on.
    Signal { signal: Signal },
    /// The stop signal came. The health endpoint fails from now on; the application has not been signalled.
    Stopping { signal: Signal, max_hold_ms: u64 },
    /// What runs at the stop signal has ended.
    OnStop {
        /// The program, or the URL.
        command: String,
        succeeded: bool,
        result: String,
        /// The end of its output, if it failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        output: Option<String>,
    },
    /// The first sample of the connections after the stop signal.
    Holding { established: usize },
    /// The application was sent its stop signal.
    Forward {
        signal: Signal,
        reason: Reason,
        #[serde(flatten)]
        counts: Counts,
    },
    /// The application ended: the last record.
    Exited {
        /// The hold's own exit code.
        code: u8,
        /// The application's exit code, if the hold exits with a different one.
        #[serde(skip_serializing_if = "Option::is_none")]
        application_code: Option<u8>,
        /// The signal that ended the application.
        #[serde(skip_serializing_if = "Option::is_none")]
        signal: Option<Signal>,
        /// A signal that was passed on shortly before, and may be the image's stop signal.
        #[serde(skip_serializing_if = "Option::is_none")]
        not_held: Option<Signal>,
        /// Present only if the stop signal came.
        #[serde(flatten)]
        counts: Option<Counts>,
        #[serde(skip_serializing_if = "Option::is_none")]
        new_after_forward: Option<u64>,
    },
    /// Something is wrong, but the hold continues.
    Warning { text: String },
}

/// What was observed since the stop signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub after_ms: u64,
    /// Established connections in the last sample; `None` if the kernel's tables could not be read.
    pub established: Option<usize>,
    /// New connections since the stop signal.
    pub new: u64,
    /// When the last new connection or datagram was seen, in milliseconds after the stop signal.
    pub last_new_after_ms: Option<u64>,
    /// Datagrams received since the stop signal, if a watched port has a UDP socket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datagrams: Option<u64>,
    /// Whether there were new connections, and every one of them was gone at the next sample.
    #[serde(skip_serializing_if = "is_false")]
    pub checks_only: bool,
    /// Whether the commands last reported work in progress, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work_in_progress: Option<bool>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// How the hold was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Start {
    pub version: &'static str,
    pub pid: u32,
    /// Whether the hold is process 1. If not, it adopts orphans as a subreaper.
    pub first_process: bool,
    /// Whether it has a terminal: the application then shares its process group.
    pub terminal: bool,
    /// The application's process id.
    pub child: u32,
    /// The application's program, without its arguments.
    pub command: String,
    pub ports: Vec<u16>,
    pub health: Option<String>,
    pub check: Option<String>,
    pub stop_signal: Signal,
    pub forward: Signal,
    pub quiet_ms: u64,
    pub min_hold_ms: u64,
    pub max_hold_ms: u64,
    pub on_stop: Vec<String>,
    pub quiet_command: Option<String>,
}

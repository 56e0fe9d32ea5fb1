//! Exit codes and errors of the command line. 64, 65 and 75 are from `sysexits.h`.

use std::process::ExitCode;

use spotdrain_core::report::{Report, Verdict};
use thiserror::Error;

/// The exit code of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, or nothing to do.
    Done,
    /// 1: failed, and a retry would fail too; or the doctor found an error.
    Failed,
    /// 2: the doctor found a warning, with `--strict`.
    Warned,
    /// 64: a flag or a setting is invalid.
    BadConfiguration,
    /// 65: an event or a template cannot be read.
    BadEvent,
    /// 75: failed, and a retry may succeed.
    TryAgain,
    /// 141: the reader of standard output has closed it, as `head` does. A shell reports the same for a program that SIGPIPE ended.
    OutputClosed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Warned => 2,
            Exit::BadConfiguration => 64,
            Exit::BadEvent => 65,
            Exit::TryAgain => 75,
            Exit::OutputClosed => 141,
        })
    }
}

impl Exit {
    /// Returns the exit code for a report. An unreadable message counts only if nothing else failed.
    pub(crate) fn of(report: &Report) -> Self {
        let failed = report.notices.iter().any(|notice| notice.failures().next().is_some());
        match report.verdict {
            Verdict::Done | Verdict::Nothing => Self::Done,
            Verdict::Retry => Self::TryAgain,
            Verdict::Failed if failed => Self::Failed,
            Verdict::Failed => Self::BadEvent,
        }
    }
}

/// Why a command cannot do its work. The text says what to do next.
#[derive(Debug, Error)]
pub(crate) enum CliError {
    #[error("{0}")]
    Configuration(String),
    /// An event, or a template.
    #[error("{0}")]
    Event(String),
    #[error("{0}")]
    Failed(String),
    /// AWS cannot be reached at the moment.
    #[error("{0}")]
    Unreachable(String),
    /// The reader of standard output has closed it. Nothing is printed.
    #[error("standard output was closed by its reader")]
    OutputClosed,
}

impl CliError {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Configuration(_) => Exit::BadConfiguration,
            Self::Event(_) => Exit::BadEvent,
            Self::Failed(_) => Exit::Failed,
            Self::Unreachable(_) => Exit::TryAgain,
            Self::OutputClosed => Exit::OutputClosed,
        }
    }
}

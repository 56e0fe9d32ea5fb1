//! How the command ends: the exit codes, and what they stand for. 64, 65 and 75 are those of `sysexits.h`.

use std::process::ExitCode;

use spotdrain_core::report::{Report, Verdict};
use thiserror::Error;

/// The exit code of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done, or nothing to do.
    Done,
    /// 1: failed, and another try would too; or the doctor has found an error.
    Failed,
    /// 2: the doctor has found a warning, and was asked to be strict.
    Warned,
    /// 64: a flag or a setting is wrong.
    BadConfiguration,
    /// 65: an event or a template cannot be read.
    BadEvent,
    /// 75: failed, and another try may mend it.
    TryAgain,
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
        })
    }
}

impl Exit {
    /// What a report comes to. A message that cannot be read counts only where nothing else failed.
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

/// What keeps a command from doing its work. The text is for a person and says what to do next.
#[derive(Debug, Error)]
pub(crate) enum Problem {
    #[error("{0}")]
    Configuration(String),
    /// An event, or a template.
    #[error("{0}")]
    Event(String),
    #[error("{0}")]
    Failed(String),
    /// AWS cannot be reached now.
    #[error("{0}")]
    Unreachable(String),
}

impl Problem {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Configuration(_) => Exit::BadConfiguration,
            Self::Event(_) => Exit::BadEvent,
            Self::Failed(_) => Exit::Failed,
            Self::Unreachable(_) => Exit::TryAgain,
        }
    }
}

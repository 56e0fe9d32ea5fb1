//! The application's process, and the orphans that a first process has to reap.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::process::{self, Pid, WaitOptions, WaitStatus};
use rustix_libc_wrappers::process::SignalExt as _;
use thiserror::Error;

use super::signal::Signal;

/// The application.
#[derive(Debug, Clone, Copy)]
pub struct Child {
    pid: Pid,
    signals_group: bool,
}

/// Where the application runs, and what its signals reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessGroup {
    /// The hold's own process group.
    Shared,
    /// Its own process group; only the application itself is signalled.
    Own,
    /// Its own process group, which is signalled as a whole.
    Signalled,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It exited with this code.
    Code(u8),
    /// A signal with this number ended it.
    Signal(u8),
}

/// The command cannot be run.
#[derive(Debug, Error)]
#[error("{program}: {error}")]
pub struct StartError {
    program: String,
    error: io::Error,
}

impl StartError {
    /// The shell's exit code: 127 for a command that does not exist, 126 for one that cannot be run.
    /// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_08_02>
    #[must_use]
    pub fn code(&self) -> u8 {
        if self.error.kind() == ErrorKind::NotFound { 127 } else { 126 }
    }
}

impl Ending {
    /// The exit code that a shell reports: 128 + N for signal N.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal(number) => number.saturating_add(128),
        }
    }
}

impl Child {
    /// Starts the command.
    pub fn start(command: &[OsString], group: ProcessGroup) -> Result<Self, StartError> {
        let start_error = |error| StartError { program: program(command), error };
        let Some((program, arguments)) = command.split_first() else {
            return Err(start_error(ErrorKind::NotFound.into()));
        };
        let mut command = Command::new(program);
        command.args(arguments);
        if group != ProcessGroup::Shared {
            command.process_group(0);
        }
        let pid = command.spawn().and_then(|child| pid_of(&child)).map_err(start_error)?;
        Ok(Self { pid, signals_group: group == ProcessGroup::Signalled })
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Sends a signal. The process has not been reaped yet, so its id has not been reused.
    pub fn send(&self, signal: Signal) -> io::Result<()> {
        let signal = process::Signal::from_raw(signal.number()).ok_or(ErrorKind::InvalidInput)?;
        let send = if self.signals_group { process::kill_process_group } else { process::kill_process };
        Ok(send(self.pid, signal)?)
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Whether other processes of a signalled group are still running.
    #[must_use]
    pub fn group_is_running(&self) -> bool {
        self.signals_group && process::test_kill_process_group(self.pid).is_ok()
    }
}

/// Reaps every child that has ended: the application, the hold's commands, and orphans.
#[must_use]
pub fn reap() -> Vec<(Pid, Ending)> {
    let ended = std::iter::from_fn(|| process::wait(WaitOptions::NOHANG).ok().flatten());
    ended.filter_map(|(pid, status)| Some((pid, ending(status)?))).collect()
}

/// Returns the id of a process that has just been started.
pub(crate) fn pid_of(child: &std::process::Child) -> io::Result<Pid> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    pid.ok_or_else(|| io::Error::other("no process id"))
}

/// The program's name for the log. Arguments are left out: they may contain secrets.
#[must_use]
pub fn program(command: &[OsString]) -> String {
    command.first().map(|program| program.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Adopts orphans, which only process 1 does by default. Source: `PR_SET_CHILD_SUBREAPER(2const)`.
pub fn adopt_orphans() -> io::Result<()> {
    Ok(process::set_child_subreaper(Some(process::getpid()))?)
}

fn ending(status: WaitStatus) -> Option<Ending> {
    let number = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
    let exited = status.exit_status().map(|code| Ending::Code(number(code)));
    exited.or_else(|| status.terminating_signal().map(|signal| Ending::Signal(number(signal))))
}

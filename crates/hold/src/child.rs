//! The application, and the orphans that come to a first process.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::process::{self, Pid, WaitOptions, WaitStatus};
use rustix_libc_wrappers::process::SignalExt as _;
use thiserror::Error;

use crate::signal::Signal;
use crate::step::Ending;

/// The application.
#[derive(Debug, Clone, Copy)]
pub struct Child {
    pid: Pid,
}

/// The command cannot be run.
#[derive(Debug, Error)]
#[error("{command}: {error}")]
pub struct StartError {
    command: String,
    error: io::Error,
}

impl StartError {
    /// The exit code, as a shell has it: 127 for a command that is not there, 126 for one that cannot be run.
    /// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_08_02>
    #[must_use]
    pub fn code(&self) -> u8 {
        if self.error.kind() == ErrorKind::NotFound { 127 } else { 126 }
    }
}

impl Child {
    /// Starts the command, in a process group of its own or in the hold's.
    pub fn start(command: &[OsString], own_group: bool) -> Result<Self, StartError> {
        let told = |error| StartError { command: told(command), error };
        let Some((program, arguments)) = command.split_first() else {
            return Err(told(ErrorKind::NotFound.into()));
        };
        let mut command = Command::new(program);
        command.args(arguments);
        if own_group {
            command.process_group(0);
        }
        let child = command.spawn().map_err(told)?;
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        Ok(Self { pid: pid.ok_or_else(|| told(io::Error::other("no process id")))? })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Sends it a signal. It is not reaped yet, so the process id is its own.
    pub fn send(&self, signal: Signal) -> io::Result<()> {
        let signal = process::Signal::from_raw(signal.number()).ok_or(ErrorKind::InvalidInput)?;
        Ok(process::kill_process(self.pid, signal)?)
    }

    /// Reaps every child that has ended, orphans too; how the application ended, if it did.
    #[must_use]
    pub fn reap(&self) -> Option<Ending> {
        let mut ended = None;
        while let Ok(Some((pid, status))) = process::wait(WaitOptions::NOHANG) {
            ended = if pid == self.pid { ending(status).or(ended) } else { ended };
        }
        ended
    }
}

/// The command as text, for the log: without its arguments, which may have secrets.
#[must_use]
pub fn told(command: &[OsString]) -> String {
    command.first().map(|program| program.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A process that is not the first is given orphans only if it asks for them. Source: `PR_SET_CHILD_SUBREAPER(2const)`.
pub fn take_orphans() -> io::Result<()> {
    Ok(process::set_child_subreaper(Some(process::getpid()))?)
}

fn ending(status: WaitStatus) -> Option<Ending> {
    let number = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
    let by_itself = status.exit_status().map(|code| Ending::Code(number(code)));
    by_itself.or_else(|| status.terminating_signal().map(|signal| Ending::Signal(number(signal))))
}

//! A running command, limited in time and in output. The hold never blocks on it.

use std::io::{self, ErrorKind, PipeReader, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::process::CommandExt as _;
use std::process::Stdio;
use std::time::Duration;

use rustix::io::ioctl_fionbio;
use rustix::process::{Pid, Signal, kill_process_group};

use super::command::Command;
use crate::process::child::{Ending, pid_of};

/// The end of the output is kept for the log.
const MAX_KEPT_BYTES: usize = 1000;
/// After this much output, the pipe is closed.
const MAX_BYTES: usize = 1024 * 1024;
/// The maximum number of reads of 4 KB in a row, so that other work is not delayed.
const MAX_READS: usize = 8;

/// A running command, in its own process group.
#[derive(Debug)]
pub struct CommandRun {
    pid: Pid,
    output: Option<PipeReader>,
    received: usize,
    end_of_output: Vec<u8>,
    until: Duration,
    was_killed: bool,
}

impl CommandRun {
    /// Starts the command with these variables. It is killed at `until`.
    pub fn start(command: &Command, variables: &[(&str, String)], until: Duration) -> io::Result<Self> {
        let (output, writer) = io::pipe()?;
        ioctl_fionbio(&output, true)?;
        let mut process = std::process::Command::new(&command.program);
        process.args(&command.arguments).envs(variables.iter().map(|(name, value)| (name, value)));
        process.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).process_group(0);
        let pid = pid_of(&process.spawn()?)?;
        Ok(Self { pid, output: Some(output), received: 0, end_of_output: Vec::new(), until, was_killed: false })
    }

    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Reads output, and kills the command when its time is up.
    pub fn advance(&mut self, now: Duration) {
        self.read();
        if now >= self.until && !self.was_killed {
            self.kill();
        }
    }

    /// Kills the command and what it has started.
    pub fn kill(&mut self) {
        self.was_killed = true;
        let _has_ended = kill_process_group(self.pid, Signal::KILL);
    }

    /// The output to wait for.
    #[must_use]
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.output.as_ref().map(PipeReader::as_fd)
    }

    /// When it is killed, unless that has happened.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        Some(self.until).filter(|_| !self.was_killed)
    }

    /// Describes how the command ended.
    #[must_use]
    pub fn result(&self, ending: Ending) -> String {
        match ending {
            _ if self.was_killed => "killed: its time was up".to_owned(),
            Ending::Code(code) => format!("exit code {code}"),
            Ending::Signal(number) => format!("ended by signal {number}"),
        }
    }

    /// The end of the output, at most 1000 bytes.
    #[must_use]
    pub fn output(&mut self) -> Option<String> {
        self.read();
        let text = String::from_utf8_lossy(&self.end_of_output).trim().to_owned();
        Some(text).filter(|text| !text.is_empty())
    }

    fn read(&mut self) {
        let mut part = [0; 4096];
        for _ in 0..MAX_READS {
            let Some(output) = &mut self.output else { return };
            match output.read(&mut part) {
                Ok(length) if length > 0 && self.received < MAX_BYTES => {
                    self.received = self.received.saturating_add(length);
                    self.keep(part.get(..length).unwrap_or_default());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Ok(_) | Err(_) => self.output = None,
            }
        }
    }

    fn keep(&mut self, part: &[u8]) {
        self.end_of_output.extend(part);
        let surplus = self.end_of_output.len().saturating_sub(MAX_KEPT_BYTES);
        self.end_of_output.drain(..surplus);
    }
}

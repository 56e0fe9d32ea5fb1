//! `--quiet-command`: asks a command again and again whether there is work in progress.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::process::Pid;

use super::Context;
use super::command::Command;
use super::run::CommandRun;
use crate::process::child::Ending;

/// The pause between two runs.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs the command after the stop signal, one run at a time.
#[derive(Debug)]
pub struct QuietCommand {
    command: Command,
    timeout: Duration,
    context: Context,
    run: Option<CommandRun>,
    next: Duration,
    is_busy: bool,
    last_problem: Option<String>,
}

impl QuietCommand {
    /// The first run is due immediately; until it has ended, work is assumed to be in progress.
    #[must_use]
    pub fn new(command: Command, timeout: Duration, context: Context) -> Self {
        Self { command, timeout, context, run: None, next: Duration::ZERO, is_busy: true, last_problem: None }
    }

    /// Whether there was work in progress at the end of the last run. A failed run counts as work.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Makes progress without waiting; returns a warning if the command cannot be started.
    pub fn advance(&mut self, now: Duration) -> Option<String> {
        if let Some(run) = &mut self.run {
            run.advance(now);
        } else if now >= self.next {
            return self.start(now);
        }
        None
    }

    /// Handles the end of a child process, if it is the command. An exit code below 126 is an answer. Anything else is a problem,
    /// which is returned as a warning if it differs from the previous one.
    pub fn ended(&mut self, pid: Pid, ending: Ending, now: Duration) -> Option<String> {
        let mut run = self.run.take_if(|run| run.pid() == pid)?;
        self.next = now.saturating_add(PAUSE);
        self.is_busy = ending != Ending::Code(0);
        if matches!(ending, Ending::Code(0..126)) {
            return None;
        }
        let output = run.output().map(|output| format!(": {output}")).unwrap_or_default();
        self.problem(format!("{}{output}", run.result(ending)))
    }

    /// Kills the run.
    pub fn kill(&mut self) {
        if let Some(run) = &mut self.run {
            run.kill();
        }
    }

    /// The output to wait for.
    #[must_use]
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.run.as_ref().and_then(CommandRun::fd)
    }

    /// When [`Self::advance`] is due even without an event.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        match &self.run {
            Some(run) => run.deadline(),
            None => Some(self.next),
        }
    }

    fn start(&mut self, now: Duration) -> Option<String> {
        match CommandRun::start(&self.command, &self.context.variables(now), now.saturating_add(self.timeout)) {
            Ok(run) => {
                self.run = Some(run);
                None
            }
            Err(error) => {
                (self.next, self.is_busy) = (now.saturating_add(PAUSE), true);
                self.problem(error.to_string())
            }
        }
    }

    fn problem(&mut self, problem: String) -> Option<String> {
        let warning = format!("quiet-command {} (counts as work in progress): {problem}", self.command);
        let is_new = self.last_problem.as_ref() != Some(&problem);
        self.last_problem = Some(problem);
        is_new.then_some(warning)
    }
}

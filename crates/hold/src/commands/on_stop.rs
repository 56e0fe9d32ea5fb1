//! `--on-stop` and `--on-stop-url`: what the hold does once when the stop signal comes.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::process::Pid;

use super::Context;
use super::command::Command;
use super::run::CommandRun;
use crate::health::check::ApplicationCheck;
use crate::health::{ApplicationHealth, Cause};
use crate::http::{HttpGet, Version};
use crate::log::record::LogRecord;
use crate::process::child::Ending;
use crate::settings::Settings;

/// What runs at the stop signal.
#[derive(Debug, Default)]
pub struct OnStop {
    command: Option<(Command, CommandRun)>,
    request: Option<(ApplicationCheck, HttpGet)>,
}

impl OnStop {
    /// Starts what is configured; also returns what failed to start.
    #[must_use]
    pub fn start(settings: &Settings, context: Context, now: Duration) -> (Self, Vec<LogRecord>) {
        let until = now.saturating_add(settings.times.on_stop_timeout);
        let (mut all, mut records) = (Self::default(), Vec::new());
        if let Some(command) = settings.on_stop.clone() {
            match CommandRun::start(&command, &context.variables(now), until) {
                Ok(run) => all.command = Some((command, run)),
                Err(error) => records.push(record(command.to_string(), false, error.to_string(), None)),
            }
        }
        if let Some(url) = settings.on_stop_url.clone() {
            match HttpGet::begin(&url, Version::Http11, until) {
                Ok(get) => all.request = Some((url, get)),
                Err(health) => records.push(request_record(&url, health)),
            }
        }
        (all, records)
    }

    /// Whether something is still running.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.command.is_some() || self.request.is_some()
    }

    /// Makes progress without waiting; returns the result of the request once.
    pub fn advance(&mut self, now: Duration) -> Option<LogRecord> {
        if let Some((_, run)) = &mut self.command {
            run.advance(now);
        }
        let (url, get) = self.request.as_mut()?;
        let record = get.advance(url, now).map(|health| request_record(url, health));
        if record.is_some() {
            self.request = None;
        }
        record
    }

    /// Handles the end of a child process, if it is the command, and returns its result.
    pub fn ended(&mut self, pid: Pid, ending: Ending) -> Option<LogRecord> {
        let (command, mut run) = self.command.take_if(|(_, run)| run.pid() == pid)?;
        let succeeded = ending == Ending::Code(0);
        let output = if succeeded { None } else { run.output() };
        Some(record(command.to_string(), succeeded, run.result(ending), output))
    }

    /// Kills the command.
    pub fn kill(&mut self) {
        if let Some((_, run)) = &mut self.command {
            run.kill();
        }
    }

    /// What to wait for.
    pub fn interest(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        let output = self.command.iter().filter_map(|(_, run)| run.fd()).map(|fd| (fd, PollFlags::IN));
        output.chain(self.request.iter().map(|(_, get)| get.interest()))
    }

    /// When [`Self::advance`] is due even without an event.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let command = self.command.as_ref().and_then(|(_, run)| run.deadline());
        command.into_iter().chain(self.request.as_ref().map(|(_, get)| get.until())).min()
    }
}

fn request_record(url: &ApplicationCheck, health: ApplicationHealth) -> LogRecord {
    let result = match health {
        ApplicationHealth::NoAnswer(Cause::TimedOut) => "no answer: its time was up".to_owned(),
        other => other.to_string(),
    };
    record(url.to_string(), health.is_good(), result, None)
}

fn record(command: String, succeeded: bool, result: String, output: Option<String>) -> LogRecord {
    LogRecord::OnStop { command, succeeded, result, output }
}

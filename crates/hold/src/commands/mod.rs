//! The commands that the hold runs beside the application, from the stop signal on.

pub mod command;
pub mod on_stop;
pub mod quiet_command;
pub mod run;

use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::process::Pid;

use crate::log::record::LogRecord;
use crate::process::child::{Child, Ending};
use crate::settings::Settings;
use on_stop::OnStop;
use quiet_command::QuietCommand;

/// What is configured to run after the stop signal.
#[derive(Debug)]
pub struct Commands {
    on_stop: OnStop,
    quiet: Option<QuietCommand>,
    is_configured: bool,
}

/// The values for the environment variables of a command.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// When the application gets its stop signal at the latest.
    pub forwarded_at: Duration,
    pub application: Child,
}

impl Context {
    /// Whole seconds until the application gets its stop signal at the latest, and its process id.
    #[must_use]
    pub fn variables(&self, now: Duration) -> [(&'static str, String); 2] {
        let left = self.forwarded_at.saturating_sub(now).as_secs();
        [("SPOTDRAIN_SECONDS_LEFT", left.to_string()), ("SPOTDRAIN_APPLICATION_PID", self.application.id().to_string())]
    }
}

impl Commands {
    /// Starts the command and the request for the stop signal, and returns those that failed to start.
    #[must_use]
    pub fn start(settings: &Settings, application: Child, now: Duration) -> (Self, Vec<LogRecord>) {
        let context = Context { forwarded_at: now.saturating_add(settings.times.max_hold), application };
        let (on_stop, records) = OnStop::start(settings, context, now);
        let timeout = settings.times.quiet_command_timeout;
        let quiet = settings.quiet_command.clone().map(|command| QuietCommand::new(command, timeout, context));
        let is_configured = quiet.is_some() || settings.on_stop.is_some() || settings.on_stop_url.is_some();
        (Self { on_stop, quiet, is_configured }, records)
    }

    /// Returns whether a command reports work in progress, or the command or request for the stop signal is still running;
    /// `None` if nothing is configured.
    #[must_use]
    pub fn work_in_progress(&self) -> Option<bool> {
        let is_busy = self.on_stop.is_running() || self.quiet.as_ref().is_some_and(QuietCommand::is_busy);
        self.is_configured.then_some(is_busy)
    }

    /// Makes progress without waiting.
    pub fn advance(&mut self, now: Duration) -> Vec<LogRecord> {
        let warning = self.quiet.as_mut().and_then(|quiet| quiet.advance(now));
        self.on_stop.advance(now).into_iter().chain(warning.map(warning_record)).collect()
    }

    /// Handles the end of a child process, if it is one of the commands.
    pub fn ended(&mut self, pid: Pid, ending: Ending, now: Duration) -> Option<LogRecord> {
        let warning = self.quiet.as_mut().and_then(|quiet| quiet.ended(pid, ending, now));
        self.on_stop.ended(pid, ending).or(warning.map(warning_record))
    }

    /// Stops asking for work in progress.
    pub fn stop_asking(&mut self) {
        if let Some(mut quiet) = self.quiet.take() {
            quiet.kill();
        }
    }

    /// Kills everything that is still running.
    pub fn kill(&mut self) {
        self.stop_asking();
        self.on_stop.kill();
    }

    /// What to wait for.
    pub fn interest(&self) -> impl Iterator<Item = (BorrowedFd<'_>, PollFlags)> {
        let quiet = self.quiet.iter().filter_map(QuietCommand::fd).map(|fd| (fd, PollFlags::IN));
        self.on_stop.interest().chain(quiet)
    }

    /// When [`Self::advance`] is due even without an event.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let quiet = self.quiet.as_ref().and_then(QuietCommand::deadline);
        self.on_stop.deadline().into_iter().chain(quiet).min()
    }
}

fn warning_record(text: String) -> LogRecord {
    LogRecord::Warning { text }
}

//! The loop: wait for an event, feed it to the rules, and perform their actions.

mod sampler;
mod start;

use std::io;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Pid;

use crate::commands::Commands;
use crate::health::checker::Checker;
use crate::health::endpoint::Endpoint;
use crate::health::{ApplicationHealth, Cause};
use crate::log::Log;
use crate::log::record::LogRecord;
use crate::metadata::MetadataRequest;
use crate::process::child::{self, Child, Ending};
use crate::process::signals::Signals;
use crate::rules::{HoldAction, HoldState, Input, Rules};
use crate::settings::Settings;
use sampler::Sampler;
pub use start::Refusal;

/// A running hold.
pub struct Hold {
    settings: Settings,
    rules: Rules,
    state: HoldState,
    signals: Signals,
    child: Child,
    /// How the application ended, while the rest of its process group is still running.
    ended: Option<Ending>,
    endpoint: Option<Endpoint>,
    checker: Option<Checker>,
    sampler: Sampler,
    /// From the stop signal on.
    commands: Option<Commands>,
    metadata: Option<MetadataRequest>,
    started: Instant,
    log: Log,
}

impl Hold {
    /// Runs until the application has ended; returns the exit code.
    #[must_use]
    pub fn run(mut self) -> u8 {
        loop {
            self.wait();
            if let Some(code) = self.turn() {
                return code;
            }
        }
    }

    /// Does everything that is due without waiting; returns the exit code if the application has ended.
    fn turn(&mut self) -> Option<u8> {
        let now = self.started.elapsed();
        for signal in self.signals.take() {
            self.step(Input::Signal(signal), now);
        }
        self.step(Input::Tick, now);
        self.serve(now);
        self.reap(now).or_else(|| self.sample(now))
    }

    /// Runs after the signals were sent. Until a process is reaped, its id cannot be reused.
    fn reap(&mut self, now: Duration) -> Option<u8> {
        for (pid, ending) in child::reap() {
            self.child_ended(pid, ending, now);
        }
        let ending = self.ended?;
        let waits_for_group = self.child.group_is_running() && self.state.leaves_time(self.settings.times.grace, now);
        if waits_for_group { None } else { self.step(Input::Exited(ending), now) }
    }

    fn child_ended(&mut self, pid: Pid, ending: Ending, now: Duration) {
        if pid == self.child.pid() {
            self.ended = Some(ending);
        }
        let record = self.commands.as_mut().and_then(|commands| commands.ended(pid, ending, now));
        self.log.write_all(record);
    }

    fn serve(&mut self, now: Duration) {
        let result = self.checker.as_mut().and_then(|checker| checker.advance(now)).map(|health| self.shown(health));
        result.and_then(|health| self.step(Input::Checked(health), now));
        if let Some(endpoint) = &mut self.endpoint {
            let before = endpoint.unsupported().len();
            endpoint.serve(now);
            for protocol in endpoint.unsupported().iter().skip(before) {
                self.log.warn(protocol.advice());
            }
        }
        let records = self.commands.as_mut().map(|commands| commands.advance(now));
        self.log.write_all(records.into_iter().flatten());
        match self.metadata.as_mut().and_then(|metadata| metadata.advance(now)) {
            Some(Ok(task)) => self.log.set_task(task),
            Some(Err(problem)) => self.log.warn(problem),
            None => return,
        }
        self.metadata = None;
    }

    /// The health to show for the result of a check.
    fn shown(&self, health: ApplicationHealth) -> ApplicationHealth {
        let fails = self.settings.fail_health_file.as_ref().is_some_and(|file| file.exists());
        if fails { ApplicationHealth::NoAnswer(Cause::FailFile) } else { health }
    }

    fn sample(&mut self, now: Duration) -> Option<u8> {
        if !self.state.is_sampling() || now < self.sampler.next() {
            return None;
        }
        let endpoint = &mut self.endpoint;
        let own = || endpoint.as_mut().map_or(0, |endpoint| endpoint.accepted(now));
        let (sample, warning) = self.sampler.sample(now, own);
        self.log.write_all(warning.map(|text| LogRecord::Warning { text }));
        let work_in_progress = self.commands.as_ref().and_then(Commands::work_in_progress);
        self.step(Input::Sampled(sample.map(|sample| sample.with_work(work_in_progress))), now)
    }

    fn step(&mut self, input: Input, now: Duration) -> Option<u8> {
        let (state, actions) = self.rules.step(self.state, input, now);
        self.state = state;
        actions.into_iter().find_map(|action| self.perform(action, now))
    }

    fn perform(&mut self, action: HoldAction, now: Duration) -> Option<u8> {
        match action {
            HoldAction::Forward(signal) => {
                let sent = self.child.send(signal);
                self.warn_on_error("the signal did not reach the application", sent);
            }
            HoldAction::SetHealth(health) => {
                let shown = self.endpoint.as_mut().map_or(Ok(()), |endpoint| endpoint.set_health(health, now));
                self.warn_on_error("the health endpoint's port", shown);
            }
            HoldAction::BeginHold => self.begin_hold(now),
            HoldAction::EndHold => self.commands.iter_mut().for_each(Commands::stop_asking),
            HoldAction::Log(record) => self.log.write(&record),
            HoldAction::Exit(code) => {
                self.commands.iter_mut().for_each(Commands::kill);
                return Some(code);
            }
        }
        None
    }

    fn begin_hold(&mut self, now: Duration) {
        self.checker = None;
        self.sampler.start(now);
        let (commands, failed) = Commands::start(&self.settings, self.child, now);
        self.commands = Some(commands);
        self.log.write_all(failed);
    }

    /// Waits for a signal, for a socket or pipe, or until something is due.
    fn wait(&self) {
        let now = self.started.elapsed();
        let endpoint = self.endpoint.iter().flat_map(|endpoint| endpoint.fds(now));
        let readable = std::iter::once(self.signals.fd()).chain(endpoint).map(|fd| (fd, PollFlags::IN));
        let all = readable
            .chain(self.checker.iter().filter_map(Checker::interest))
            .chain(self.commands.iter().flat_map(Commands::interest))
            .chain(self.metadata.iter().filter_map(MetadataRequest::interest));
        let mut fds: Vec<_> = all.map(|(fd, flags)| PollFd::from_borrowed_fd(fd, flags)).collect();
        let timeout =
            self.deadline(now).map(|at| at.saturating_sub(now)).and_then(|left| Timespec::try_from(left).ok());
        let _interrupted_by_a_signal = poll(&mut fds, timeout.as_ref());
    }

    fn deadline(&self, now: Duration) -> Option<Duration> {
        let deadlines = [
            self.rules.deadline(&self.state),
            self.state.is_sampling().then(|| self.sampler.next()),
            self.endpoint.as_ref().and_then(|endpoint| endpoint.deadline(now)),
            self.checker.as_ref().map(Checker::deadline),
            self.commands.as_ref().and_then(Commands::deadline),
            self.metadata.as_ref().map(MetadataRequest::deadline),
        ];
        deadlines.into_iter().flatten().min()
    }

    fn warn_on_error(&mut self, what: &str, result: io::Result<()>) {
        if let Err(error) = result {
            self.log.warn(format!("{what}: {error}"));
        }
    }
}

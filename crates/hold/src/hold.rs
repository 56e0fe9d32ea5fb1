//! The loop: wait for an event, feed it to the rules, and perform their actions.

use std::io;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::connections::counter::{ConnectionCounter, PortFilter, Sample};
use crate::connections::kernel::Kernel;
use crate::health::check::Check;
use crate::health::checker::Checker;
use crate::health::endpoint::Endpoint;
use crate::log::Log;
use crate::log::record::{LogRecord, Start};
use crate::process::child::{self, Child};
use crate::process::signals::Signals;
use crate::process::terminal;
use crate::rules::{Action, Input, Rules, State};
use crate::settings::Settings;

/// The interval between samples. The counter includes connections that come and go in between, and a sample is not free:
/// the kernel walks through all buckets of its tables, 7 ms of CPU time where there are half a million.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(500);

/// Why nothing was started.
#[derive(Debug)]
pub struct Refusal {
    /// The exit code.
    pub code: u8,
    pub problem: String,
}

/// A running hold.
pub struct Hold {
    rules: Rules,
    state: State,
    signals: Signals,
    child: Child,
    endpoint: Option<Endpoint>,
    checker: Option<Checker>,
    kernel: Kernel,
    filter: PortFilter,
    counter: Option<ConnectionCounter>,
    next_sample: Duration,
    has_warned_unreadable: bool,
    started: Instant,
    log: Log,
}

impl Hold {
    /// Binds the port and catches the signals before it starts the application, so that no signal is lost.
    pub fn start(settings: &Settings, log: Log) -> Result<Self, Refusal> {
        let endpoint = endpoint(settings)?;
        let has_terminal = terminal::exists();
        let signals = Signals::catch(has_terminal).map_err(|error| refusal(126, "the signals", &error))?;
        let is_first = std::process::id() == 1;
        let orphans = if is_first { Ok(()) } else { child::adopt_orphans() };
        let child = Child::start(&settings.command, !has_terminal)
            .map_err(|error| Refusal { code: error.code(), problem: error.to_string() })?;
        let mut hold = Self::new(settings, log, signals, child, endpoint);
        hold.log.write(&LogRecord::Started(Box::new(start(settings, hold.child, has_terminal))));
        hold.warn_on_error("orphans cannot be adopted", orphans);
        hold.try_kernel();
        Ok(hold)
    }

    fn new(settings: &Settings, log: Log, signals: Signals, child: Child, endpoint: Option<Endpoint>) -> Self {
        let checker = settings.check.clone().filter(|_| endpoint.is_some());
        let own_port = settings.health.map(|address| address.port());
        Self {
            rules: Rules::from(settings),
            state: State::default(),
            signals,
            child,
            endpoint,
            checker: checker.map(|check| Checker::new(check, settings.check_interval, settings.check_timeout)),
            kernel: Kernel::default(),
            filter: PortFilter { ports: settings.ports.clone(), own_port, ignore_local: settings.ignore_loopback },
            counter: None,
            next_sample: Duration::ZERO,
            has_warned_unreadable: false,
            started: Instant::now(),
            log,
        }
    }

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
        self.reap(now).or_else(|| self.serve(now)).or_else(|| self.sample(now))
    }

    /// Comes after the signals: the id of a process that has not been reaped has not been reused.
    fn reap(&mut self, now: Duration) -> Option<u8> {
        let ending = self.child.reap()?;
        self.step(Input::Exited(ending), now)
    }

    fn serve(&mut self, now: Duration) -> Option<u8> {
        let result = self.checker.as_mut().and_then(|checker| checker.advance(now));
        let code = result.and_then(|health| self.step(Input::Checked(health), now));
        if let Some(endpoint) = &mut self.endpoint {
            let before = endpoint.unsupported().len();
            endpoint.serve(now);
            for protocol in endpoint.unsupported().iter().skip(before) {
                self.log.warn(protocol.advice());
            }
        }
        code
    }

    fn sample(&mut self, now: Duration) -> Option<u8> {
        if !self.state.is_sampling() || now < self.next_sample {
            return None;
        }
        self.next_sample = now.saturating_add(SAMPLE_INTERVAL);
        let sample = self.read(now);
        self.step(Input::Sampled(sample), now)
    }

    fn read(&mut self, now: Duration) -> Option<Sample> {
        let endpoint = &mut self.endpoint;
        let own = || endpoint.as_mut().map_or(0, |endpoint| endpoint.accepted(now));
        let reading = match self.counter {
            Some(_) => self.kernel.read(&self.filter, own),
            None => self.kernel.begin(&self.filter, own),
        };
        match reading {
            Ok(reading) => {
                let counter = self.counter.get_or_insert_with(|| ConnectionCounter::start(reading.clone()));
                Some(counter.sample(reading))
            }
            Err(error) => {
                self.warn_unreadable(&error);
                None
            }
        }
    }

    fn step(&mut self, input: Input, now: Duration) -> Option<u8> {
        let (state, actions) = self.rules.step(self.state, input, now);
        self.state = state;
        actions.into_iter().find_map(|action| self.perform(action, now))
    }

    fn perform(&mut self, action: Action, now: Duration) -> Option<u8> {
        match action {
            Action::Forward(signal) => {
                let sent = self.child.send(signal);
                self.warn_on_error("the signal did not reach the application", sent);
            }
            Action::SetHealth(health) => {
                let shown = self.endpoint.as_mut().map_or(Ok(()), |endpoint| endpoint.set_health(health, now));
                self.warn_on_error("the health endpoint's port", shown);
            }
            Action::StartSampling => {
                self.checker = None;
                self.next_sample = now;
            }
            Action::Log(record) => self.log.write(&record),
            Action::Exit(code) => return Some(code),
        }
        None
    }

    /// Waits for a signal, for a socket, or until something is due.
    fn wait(&self) {
        let now = self.started.elapsed();
        let endpoint = self.endpoint.iter().flat_map(|endpoint| endpoint.fds(now));
        let readable = std::iter::once(self.signals.fd()).chain(endpoint).map(|fd| (fd, PollFlags::IN));
        let all = readable.chain(self.checker.iter().filter_map(Checker::interest));
        let mut fds: Vec<_> = all.map(|(fd, flags)| PollFd::from_borrowed_fd(fd, flags)).collect();
        let timeout =
            self.deadline(now).map(|at| at.saturating_sub(now)).and_then(|left| Timespec::try_from(left).ok());
        let _interrupted_by_a_signal = poll(&mut fds, timeout.as_ref());
    }

    fn deadline(&self, now: Duration) -> Option<Duration> {
        let sample = Some(self.next_sample).filter(|_| self.state.is_sampling());
        let endpoint = self.endpoint.as_ref().and_then(|endpoint| endpoint.deadline(now));
        let checker = self.checker.as_ref().map(Checker::deadline);
        [sample, endpoint, checker, self.rules.deadline(&self.state)].into_iter().flatten().min()
    }

    /// Reads once at the start what is needed after the stop signal, while there is time to fix a problem.
    fn try_kernel(&mut self) {
        if let Err(error) = self.kernel.begin(&self.filter, || 0) {
            self.warn_unreadable(&error);
        }
    }

    fn warn_unreadable(&mut self, error: &io::Error) {
        if !self.has_warned_unreadable {
            self.log.warn(format!("connections are unknown, so the stop signal is held for max-hold: {error}"));
        }
        self.has_warned_unreadable = true;
    }

    fn warn_on_error(&mut self, what: &str, result: io::Result<()>) {
        if let Err(error) = result {
            self.log.warn(format!("{what}: {error}"));
        }
    }
}

fn endpoint(settings: &Settings) -> Result<Option<Endpoint>, Refusal> {
    let closes = matches!(settings.check, Some(Check::Tcp(_)));
    let opened = settings.health.map(|address| {
        Endpoint::open(address, closes).map_err(|error| refusal(64, &format!("health {address}"), &error))
    });
    opened.transpose()
}

fn refusal(code: u8, what: &str, error: &io::Error) -> Refusal {
    Refusal { code, problem: format!("{what}: {error}") }
}

fn start(settings: &Settings, child: Child, terminal: bool) -> Start {
    let pid = std::process::id();
    Start {
        version: env!("CARGO_PKG_VERSION"),
        pid,
        first_process: pid == 1,
        terminal,
        child: child.id(),
        command: child::program(&settings.command),
        ports: settings.ports.clone(),
        health: settings.health.map(|address| address.to_string()),
        check: settings.check.as_ref().map(ToString::to_string),
        stop_signal: settings.stop_signal,
        forward: settings.forward,
        quiet_ms: settings.times.quiet.as_millis(),
        min_hold_ms: settings.times.min_hold.as_millis(),
        max_hold_ms: settings.times.max_hold.as_millis(),
    }
}

//! The loop: wait, take what came, step, do what is to be done.

use std::io;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::check::Check;
use crate::checker::Checker;
use crate::child::{self, Child};
use crate::endpoint::Endpoint;
use crate::kernel::Kernel;
use crate::line::{Line, Start};
use crate::log::Log;
use crate::settings::Settings;
use crate::signals::Signals;
use crate::step::{Action, Input, Rules, State};
use crate::tally::{Look, Scope, Tally};
use crate::terminal;

/// From one look at the connections to the next. The counter has those that come and go in between, and a look is not
/// free: for the tables the kernel walks through all its buckets, 7 ms of a processor where there are half a million.
const LOOK: Duration = Duration::from_millis(500);

/// Why nothing was started.
#[derive(Debug)]
pub struct Refusal {
    /// The exit code.
    pub code: u8,
    /// The reason.
    pub problem: String,
}

/// A hold that runs.
pub struct Hold {
    rules: Rules,
    state: State,
    signals: Signals,
    child: Child,
    endpoint: Option<Endpoint>,
    checker: Option<Checker>,
    kernel: Kernel,
    scope: Scope,
    tally: Option<Tally>,
    next_look: Duration,
    is_blind: bool,
    started: Instant,
    log: Log,
}

impl Hold {
    /// Takes the port, catches the signals, and only then starts the application: no signal is lost.
    pub fn start(settings: &Settings, log: Log) -> Result<Self, Refusal> {
        let endpoint = endpoint(settings)?;
        let has_terminal = terminal::is_there();
        let signals = Signals::catch(has_terminal).map_err(|error| refusal(126, "the signals", &error))?;
        let is_first = std::process::id() == 1;
        let orphans = if is_first { Ok(()) } else { child::take_orphans() };
        let child = Child::start(&settings.command, !has_terminal)
            .map_err(|error| Refusal { code: error.code(), problem: error.to_string() })?;
        let mut hold = Self::new(settings, log, signals, child, endpoint);
        hold.log.say(&Line::Started(Box::new(start(settings, hold.child, has_terminal))));
        hold.warn_of("orphans are not given to the hold", orphans);
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
            scope: Scope { ports: settings.ports.clone(), own_port, ignore_local: settings.ignore_loopback },
            tally: None,
            next_look: Duration::ZERO,
            is_blind: false,
            started: Instant::now(),
            log,
        }
    }

    /// Runs until the application has ended; the exit code.
    #[must_use]
    pub fn run(mut self) -> u8 {
        loop {
            self.wait();
            if let Some(code) = self.turn() {
                return code;
            }
        }
    }

    /// Everything that can be done without waiting; the exit code, if the application has ended.
    fn turn(&mut self) -> Option<u8> {
        let now = self.started.elapsed();
        for signal in self.signals.take() {
            self.step(Input::Signal(signal), now);
        }
        self.step(Input::Tick, now);
        self.reap(now).or_else(|| self.serve(now)).or_else(|| self.look(now))
    }

    /// Only after the signals are sent: a process id that is not reaped yet is still the application's.
    fn reap(&mut self, now: Duration) -> Option<u8> {
        let ending = self.child.reap()?;
        self.step(Input::Exited(ending), now)
    }

    fn serve(&mut self, now: Duration) -> Option<u8> {
        let found = self.checker.as_mut().and_then(|checker| checker.advance(now));
        let code = found.and_then(|health| self.step(Input::Checked(health), now));
        if let Some(endpoint) = &mut self.endpoint {
            endpoint.serve(now);
        }
        code
    }

    fn look(&mut self, now: Duration) -> Option<u8> {
        if !self.state.is_watching() || now < self.next_look {
            return None;
        }
        self.next_look = now.saturating_add(LOOK);
        let look = self.read(now);
        self.step(Input::Looked(look), now)
    }

    fn read(&mut self, now: Duration) -> Option<Look> {
        let endpoint = &mut self.endpoint;
        let own = || endpoint.as_mut().map_or(0, |endpoint| endpoint.accepted(now));
        let reading = match self.tally {
            Some(_) => self.kernel.look(&self.scope, own),
            None => self.kernel.begin(&self.scope, own),
        };
        match reading {
            Ok(reading) => Some(self.tally.get_or_insert_with(|| Tally::begin(reading.clone())).look(reading)),
            Err(error) => {
                self.warn_blind(&error);
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
                self.warn_of("the signal did not reach the application", sent);
            }
            Action::Show(health) => {
                let shown = self.endpoint.as_mut().map_or(Ok(()), |endpoint| endpoint.show(health, now));
                self.warn_of("the health endpoint's port", shown);
            }
            Action::Watch => {
                self.checker = None;
                self.next_look = now;
            }
            Action::Say(line) => self.log.say(&line),
            Action::Exit(code) => return Some(code),
        }
        None
    }

    /// Waits for a signal, a connection, or the next time at which something is to be done.
    fn wait(&self) {
        let now = self.started.elapsed();
        let endpoint = self.endpoint.iter().flat_map(|endpoint| endpoint.fds(now));
        let readable = std::iter::once(self.signals.fd()).chain(endpoint).map(|fd| (fd, PollFlags::IN));
        let all = readable.chain(self.checker.iter().filter_map(Checker::interest));
        let mut fds: Vec<_> = all.map(|(fd, flags)| PollFd::from_borrowed_fd(fd, flags)).collect();
        let timeout =
            self.deadline(now).map(|at| at.saturating_sub(now)).and_then(|left| Timespec::try_from(left).ok());
        let _interrupted_is_a_turn_too = poll(&mut fds, timeout.as_ref());
    }

    fn deadline(&self, now: Duration) -> Option<Duration> {
        let look = Some(self.next_look).filter(|_| self.state.is_watching());
        let endpoint = self.endpoint.as_ref().and_then(|endpoint| endpoint.deadline(now));
        let checker = self.checker.as_ref().map(Checker::deadline);
        [look, endpoint, checker, self.rules.deadline(&self.state)].into_iter().flatten().min()
    }

    /// What will be needed after the stop signal is tried at the start, while there is time to mend it.
    fn try_kernel(&mut self) {
        if let Err(error) = self.kernel.begin(&self.scope, || 0) {
            self.warn_blind(&error);
        }
    }

    fn warn_blind(&mut self, error: &io::Error) {
        if !self.is_blind {
            let text = format!("connections cannot be seen, so the stop signal is held for max-hold: {error}");
            self.log.say(&Line::Warning { text });
        }
        self.is_blind = true;
    }

    fn warn_of(&mut self, what: &str, result: io::Result<()>) {
        if let Err(error) = result {
            self.log.say(&Line::Warning { text: format!("{what}: {error}") });
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
        command: child::told(&settings.command),
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

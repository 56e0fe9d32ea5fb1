//! The rules as a pure function: a state, an input and the time give a new state and a list of actions.
//!
//! The stop signal is held back while the application goes on serving. It is forwarded when the watched ports have been
//! quiet for long enough, when the maximum hold is over, or when a second stop signal arrives. Every other signal is passed
//! on at once.

use std::time::Duration;

use crate::connections::counter::Sample;
use crate::health::{Cause, Health};
use crate::log::record::{Counts, LogRecord};
use crate::process::child::Ending;
use crate::process::signal::Signal;
use crate::settings::Settings;

/// The settings that the rules need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    pub stop: Signal,
    /// The signal sent to the application instead.
    pub forward: Signal,
    /// Time without a connection after which the stop signal is forwarded.
    pub quiet: Duration,
    pub min_hold: Duration,
    pub max_hold: Duration,
}

/// An event. Its time is passed beside it, as the duration since any fixed moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A signal for the application arrived.
    Signal(Signal),
    /// A check of the application ended.
    Checked(Health),
    /// The connections were sampled; `None` if the kernel's tables could not be read.
    Sampled(Option<Sample>),
    Exited(Ending),
    Tick,
}

/// What the loop has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send this signal to the application.
    Forward(Signal),
    /// Show this on the health endpoint.
    SetHealth(Health),
    /// Stop checking the application, and start sampling its connections.
    StartSampling,
    Log(LogRecord),
    /// Exit with this code.
    Exit(u8),
}

/// Why the stop signal was forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Quiet,
    MaxHold,
    SecondSignal,
}

/// The state of the hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    health: Health,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Serving,
    Holding { since: Duration, seen: Totals, quiet_since: Option<Duration> },
    Forwarded { since: Duration, seen: Totals, new_before_forward: u64 },
    Ended,
}

/// What was observed since the stop signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Totals {
    established: Option<usize>,
    new: u64,
    last_new_after: Option<Duration>,
}

type Stepped = (State, Vec<Action>);

impl From<&Settings> for Rules {
    fn from(settings: &Settings) -> Self {
        let times = settings.times;
        Self {
            stop: settings.stop_signal,
            forward: settings.forward,
            quiet: times.quiet,
            min_hold: times.min_hold,
            max_hold: times.max_hold,
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self { health: Health::NoAnswer(Cause::NotChecked), phase: Phase::Serving }
    }
}

impl State {
    /// Whether the connections are sampled: from the stop signal until the application ends.
    #[must_use]
    pub fn is_sampling(&self) -> bool {
        matches!(self.phase, Phase::Holding { .. } | Phase::Forwarded { .. })
    }
}

impl Rules {
    /// Returns the state after an input, and the actions.
    #[must_use]
    pub fn step(&self, state: State, input: Input, now: Duration) -> Stepped {
        if state.phase == Phase::Ended {
            return (state, Vec::new());
        }
        let (state, mut actions) = match input {
            Input::Signal(signal) if signal == self.stop => self.stopped(state, now),
            Input::Signal(signal) => (state, Self::pass_on(signal)),
            Input::Checked(health) => checked(state, health),
            Input::Sampled(sample) => self.sampled(state, sample, now),
            Input::Exited(ending) => return exited(state, ending, now),
            Input::Tick => (state, Vec::new()),
        };
        let (state, more) = self.forward_if_overdue(state, now);
        actions.extend(more);
        (state, actions)
    }

    /// When a step is due even without an input: at the end of the maximum hold.
    #[must_use]
    pub fn deadline(&self, state: &State) -> Option<Duration> {
        match state.phase {
            Phase::Holding { since, .. } => Some(since.saturating_add(self.max_hold)),
            _ => None,
        }
    }

    fn stopped(&self, state: State, now: Duration) -> Stepped {
        match state.phase {
            Phase::Serving => self.hold(now),
            Phase::Holding { since, seen, .. } => self.forward(state, since, seen, Reason::SecondSignal, now),
            Phase::Forwarded { .. } | Phase::Ended => (state, Self::pass_on(self.forward)),
        }
    }

    fn hold(&self, now: Duration) -> Stepped {
        let health = Health::NoAnswer(Cause::Stopping);
        let phase = Phase::Holding { since: now, seen: Totals::default(), quiet_since: None };
        let record = LogRecord::Stopping { signal: self.stop, max_hold_ms: millis(self.max_hold) };
        (State { health, phase }, vec![Action::SetHealth(health), Action::StartSampling, Action::Log(record)])
    }

    fn pass_on(signal: Signal) -> Vec<Action> {
        vec![Action::Forward(signal), Action::Log(LogRecord::Signal { signal })]
    }

    fn sampled(&self, state: State, sample: Option<Sample>, now: Duration) -> Stepped {
        match state.phase {
            Phase::Holding { since, seen, quiet_since } => {
                let first = if seen.established.is_none() { first_sample(sample) } else { Vec::new() };
                let quiet_since = sample.and_then(|sample| still_quiet_since(seen, sample, quiet_since, now));
                let seen = seen.with(sample, now.saturating_sub(since));
                let state = State { phase: Phase::Holding { since, seen, quiet_since }, ..state };
                let (state, more) = self.forward_if_quiet(state, now);
                (state, first.into_iter().chain(more).collect())
            }
            Phase::Forwarded { since, seen, new_before_forward } => {
                let seen = seen.with(sample, now.saturating_sub(since));
                (State { phase: Phase::Forwarded { since, seen, new_before_forward }, ..state }, Vec::new())
            }
            Phase::Serving | Phase::Ended => (state, Vec::new()),
        }
    }

    /// Called only after a sample, so that quiet is always an observation.
    fn forward_if_quiet(&self, state: State, now: Duration) -> Stepped {
        match state.phase {
            Phase::Holding { since, seen, quiet_since: Some(quiet_since) }
                if now.saturating_sub(quiet_since) >= self.quiet && now.saturating_sub(since) >= self.min_hold =>
            {
                self.forward(state, since, seen, Reason::Quiet, now)
            }
            _ => (state, Vec::new()),
        }
    }

    fn forward_if_overdue(&self, state: State, now: Duration) -> Stepped {
        match state.phase {
            Phase::Holding { since, seen, .. } if now.saturating_sub(since) >= self.max_hold => {
                self.forward(state, since, seen, Reason::MaxHold, now)
            }
            _ => (state, Vec::new()),
        }
    }

    fn forward(&self, state: State, since: Duration, seen: Totals, reason: Reason, now: Duration) -> Stepped {
        let counts = seen.counts(now.saturating_sub(since));
        let record = LogRecord::Forward { signal: self.forward, reason, counts };
        let phase = Phase::Forwarded { since, seen, new_before_forward: seen.new };
        (State { phase, ..state }, vec![Action::Forward(self.forward), Action::Log(record)])
    }
}

impl Totals {
    /// Without a sample the last known numbers stay.
    fn with(self, sample: Option<Sample>, after: Duration) -> Self {
        let Some(sample) = sample else { return self };
        let last_new_after = if sample.new > self.new { Some(after) } else { self.last_new_after };
        Self { established: Some(sample.established), new: sample.new.max(self.new), last_new_after }
    }

    fn counts(self, after: Duration) -> Counts {
        let last_new_after_ms = self.last_new_after.map(millis);
        Counts { after_ms: millis(after), established: self.established, new: self.new, last_new_after_ms }
    }
}

/// Since when it is quiet. A connection that came and went between two samples may have ended just now.
fn still_quiet_since(seen: Totals, sample: Sample, quiet_since: Option<Duration>, now: Duration) -> Option<Duration> {
    match sample {
        Sample { established: 1.., .. } => None,
        Sample { new, .. } if new > seen.new => Some(now),
        Sample { .. } => quiet_since.or(Some(now)),
    }
}

fn first_sample(sample: Option<Sample>) -> Vec<Action> {
    sample.map(|sample| Action::Log(LogRecord::Holding { established: sample.established })).into_iter().collect()
}

/// After the stop signal, the result of a late check is not shown.
fn checked(state: State, health: Health) -> Stepped {
    if state.phase != Phase::Serving || state.health == health {
        return (state, Vec::new());
    }
    let record = LogRecord::Health { healthy: health.is_good(), found: health.to_string() };
    (State { health, ..state }, vec![Action::SetHealth(health), Action::Log(record)])
}

fn exited(state: State, ending: Ending, now: Duration) -> Stepped {
    let (counts, new_after_forward) = match state.phase {
        Phase::Holding { since, seen, .. } => (Some(seen.counts(now.saturating_sub(since))), None),
        Phase::Forwarded { since, seen, new_before_forward } => {
            (Some(seen.counts(now.saturating_sub(since))), Some(seen.new.saturating_sub(new_before_forward)))
        }
        Phase::Serving | Phase::Ended => (None, None),
    };
    let signal = match ending {
        Ending::Signal(number) => Signal::from_number(number.into()),
        Ending::Code(_) => None,
    };
    let record = LogRecord::Exited { code: ending.code(), signal, counts, new_after_forward };
    (State { phase: Phase::Ended, ..state }, vec![Action::Log(record), Action::Exit(ending.code())])
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

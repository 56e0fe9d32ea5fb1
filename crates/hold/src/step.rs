//! The rules, as a pure function: a state, an input and the time give a new state and what is to be done.
//!
//! The stop signal is held back while the application serves on. It is forwarded as soon as the port has been quiet for
//! long enough, the longest hold is over, or a second stop signal comes. Every other signal is passed on at once.

use std::time::Duration;

use crate::health::{Health, Why};
use crate::line::{Counts, Line};
use crate::settings::Settings;
use crate::signal::Signal;
use crate::tally::Look;

/// What does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The signal that is held back.
    pub stop: Signal,
    /// The one that is forwarded in its place.
    pub forward: Signal,
    /// So long the port must have been quiet.
    pub quiet: Duration,
    /// So long is held in any case.
    pub min_hold: Duration,
    /// Longer is never held.
    pub max_hold: Duration,
}

/// What happened. The time is given beside it, counted from any fixed moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A signal came that is for the application.
    Signal(Signal),
    /// A check of the application ended.
    Checked(Health),
    /// The kernel was asked for the port's connections; `None`: it did not tell.
    Looked(Option<Look>),
    /// The application ended.
    Exited(Ending),
    /// Time passed.
    Tick,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send the application this signal.
    Forward(Signal),
    /// Let the health endpoint tell this.
    Show(Health),
    /// Check the application no longer, and begin to look at its connections.
    Watch,
    /// Write this line.
    Say(Line),
    /// End with this code.
    Exit(u8),
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this code.
    Code(u8),
    /// By a signal, of this number.
    Signal(u8),
}

/// Why the signal was forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No connection for long enough.
    Quiet,
    /// The longest hold is over.
    MaxHold,
    /// The stop signal came again.
    SecondSignal,
}

/// Where the hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    health: Health,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Serving,
    Holding { since: Duration, seen: Seen, quiet_since: Option<Duration> },
    Told { since: Duration, seen: Seen, new_before: u64 },
    Ended,
}

/// What was seen since the stop signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Seen {
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
        Self { health: Health::Silent(Why::NotChecked), phase: Phase::Serving }
    }
}

impl State {
    /// Whether a stop signal came and the application has not ended: its connections are looked at.
    #[must_use]
    pub fn is_watching(&self) -> bool {
        matches!(self.phase, Phase::Holding { .. } | Phase::Told { .. })
    }
}

impl Ending {
    /// The exit code that tells of it, as a shell would.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal(number) => number.saturating_add(128),
        }
    }
}

impl Rules {
    /// One step.
    #[must_use]
    pub fn step(&self, state: State, input: Input, now: Duration) -> Stepped {
        if state.phase == Phase::Ended {
            return (state, Vec::new());
        }
        let (state, mut actions) = match input {
            Input::Signal(signal) if signal == self.stop => self.stopped(state, now),
            Input::Signal(signal) => (state, self.passed_on(signal)),
            Input::Checked(health) => checked(state, health),
            Input::Looked(look) => self.looked(state, look, now),
            Input::Exited(ending) => return exited(state, ending, now),
            Input::Tick => (state, Vec::new()),
        };
        let (state, more) = self.overdue(state, now);
        actions.extend(more);
        (state, actions)
    }

    /// When time alone makes a difference: the end of the longest hold.
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
            Phase::Holding { since, seen, .. } => self.tell(state, since, seen, Reason::SecondSignal, now),
            Phase::Told { .. } | Phase::Ended => (state, self.passed_on(self.forward)),
        }
    }

    fn hold(&self, now: Duration) -> Stepped {
        let health = Health::Silent(Why::Stopping);
        let phase = Phase::Holding { since: now, seen: Seen::default(), quiet_since: None };
        let line = Line::Stopping { signal: self.stop, max_hold_ms: millis(self.max_hold) };
        (State { health, phase }, vec![Action::Show(health), Action::Watch, Action::Say(line)])
    }

    #[expect(clippy::unused_self, reason = "a rule like the others")]
    fn passed_on(&self, signal: Signal) -> Vec<Action> {
        vec![Action::Forward(signal), Action::Say(Line::Signal { signal })]
    }

    fn looked(&self, state: State, look: Option<Look>, now: Duration) -> Stepped {
        match state.phase {
            Phase::Holding { since, seen, quiet_since } => {
                let first = if seen.established.is_none() { told_first(look) } else { Vec::new() };
                let quiet_since = look.and_then(|look| still_quiet(seen, look, quiet_since, now));
                let seen = seen.with(look, now.saturating_sub(since));
                let state = State { phase: Phase::Holding { since, seen, quiet_since }, ..state };
                let (state, more) = self.judge(state, now);
                (state, first.into_iter().chain(more).collect())
            }
            Phase::Told { since, seen, new_before } => {
                let seen = seen.with(look, now.saturating_sub(since));
                (State { phase: Phase::Told { since, seen, new_before }, ..state }, Vec::new())
            }
            Phase::Serving | Phase::Ended => (state, Vec::new()),
        }
    }

    /// Judged only where the kernel has just been asked: what is quiet now was seen to be.
    fn judge(&self, state: State, now: Duration) -> Stepped {
        match state.phase {
            Phase::Holding { since, seen, quiet_since: Some(quiet_since) }
                if now.saturating_sub(quiet_since) >= self.quiet && now.saturating_sub(since) >= self.min_hold =>
            {
                self.tell(state, since, seen, Reason::Quiet, now)
            }
            _ => (state, Vec::new()),
        }
    }

    fn overdue(&self, state: State, now: Duration) -> Stepped {
        match state.phase {
            Phase::Holding { since, seen, .. } if now.saturating_sub(since) >= self.max_hold => {
                self.tell(state, since, seen, Reason::MaxHold, now)
            }
            _ => (state, Vec::new()),
        }
    }

    fn tell(&self, state: State, since: Duration, seen: Seen, reason: Reason, now: Duration) -> Stepped {
        let counts = seen.counts(now.saturating_sub(since));
        let line = Line::Forward { signal: self.forward, reason, counts };
        let phase = Phase::Told { since, seen, new_before: seen.new };
        (State { phase, ..state }, vec![Action::Forward(self.forward), Action::Say(line)])
    }
}

impl Seen {
    /// What is established stays as it was last seen, where the kernel does not tell.
    fn with(self, look: Option<Look>, after: Duration) -> Self {
        let Some(look) = look else { return self };
        let last_new_after = if look.new > self.new { Some(after) } else { self.last_new_after };
        Self { established: Some(look.established), new: look.new.max(self.new), last_new_after }
    }

    fn counts(self, after: Duration) -> Counts {
        let last_new_after_ms = self.last_new_after.map(millis);
        Counts { after_ms: millis(after), established: self.established, new: self.new, last_new_after_ms }
    }
}

/// Since when the port is quiet: a connection that came and went between two looks may have ended just now.
fn still_quiet(seen: Seen, look: Look, quiet_since: Option<Duration>, now: Duration) -> Option<Duration> {
    match look {
        Look { established: 1.., .. } => None,
        Look { new, .. } if new > seen.new => Some(now),
        Look { .. } => quiet_since.or(Some(now)),
    }
}

fn told_first(look: Option<Look>) -> Vec<Action> {
    look.map(|look| Action::Say(Line::Holding { established: look.established })).into_iter().collect()
}

/// After the stop signal the application is no longer checked, and what a late check says is not shown.
fn checked(state: State, health: Health) -> Stepped {
    if state.phase != Phase::Serving || state.health == health {
        return (state, Vec::new());
    }
    let line = Line::Health { healthy: health.is_good(), found: health.to_string() };
    (State { health, ..state }, vec![Action::Show(health), Action::Say(line)])
}

fn exited(state: State, ending: Ending, now: Duration) -> Stepped {
    let (counts, new_after_forward) = match state.phase {
        Phase::Holding { since, seen, .. } => (Some(seen.counts(now.saturating_sub(since))), None),
        Phase::Told { since, seen, new_before } => {
            (Some(seen.counts(now.saturating_sub(since))), Some(seen.new.saturating_sub(new_before)))
        }
        Phase::Serving | Phase::Ended => (None, None),
    };
    let signal = match ending {
        Ending::Signal(number) => Signal::from_number(number.into()),
        Ending::Code(_) => None,
    };
    let line = Line::Exited { code: ending.code(), signal, counts, new_after_forward };
    (State { phase: Phase::Ended, ..state }, vec![Action::Say(line), Action::Exit(ending.code())])
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

//! The rules as a pure function from a state, an input and the time to a new state and a list of actions.
//!
//! The stop signal is held back while the application goes on serving. It is forwarded when the watched ports have been
//! quiet for long enough, when the maximum hold is over, or when a second stop signal arrives. Every other signal is passed
//! on at once.

use std::time::Duration;

mod exit;
mod totals;

use serde::Serialize;

use crate::health::{ApplicationHealth, Cause};
use crate::log::record::LogRecord;
use crate::process::child::Ending;
use crate::process::signal::Signal;
use crate::settings::Settings;
pub use totals::Sample;
use totals::{Totals, millis};

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
    /// Whether connections that were gone at the next sample do not count.
    pub ignore_empty: bool,
    /// The exit code if the application ended because of the stop signal.
    pub exit_code: Option<u8>,
}

/// An event. Its time is passed beside it, as the duration since any fixed moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A signal for the application arrived.
    Signal(Signal),
    /// A check of the application ended.
    Checked(ApplicationHealth),
    /// The connections were sampled; `None` if the kernel's tables could not be read.
    Sampled(Option<Sample>),
    Exited(Ending),
    Tick,
}

/// What the loop has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldAction {
    /// Send this signal to the application.
    Forward(Signal),
    /// Show this on the health endpoint.
    SetHealth(ApplicationHealth),
    /// Stop checking the application, run the commands for the stop signal, and start sampling.
    BeginHold,
    /// Stop asking for work in progress, because the application has its signal.
    EndHold,
    Log(LogRecord),
    /// Exit with this code.
    Exit(u8),
}

/// Why the stop signal was forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Quiet,
    MaxHold,
    SecondSignal,
}

/// The state of the hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoldState {
    health: ApplicationHealth,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Has the last signal that was passed on, and the time.
    Serving {
        passed_on: Option<(Signal, Duration)>,
    },
    Holding {
        since: Duration,
        totals: Totals,
        quiet_since: Option<Duration>,
    },
    Forwarded {
        since: Duration,
        at: Duration,
        totals: Totals,
        new_before_forward: u64,
    },
    Ended,
}

type Stepped = (HoldState, Vec<HoldAction>);

impl From<&Settings> for Rules {
    fn from(settings: &Settings) -> Self {
        let times = settings.times;
        Self {
            stop: settings.stop_signal,
            forward: settings.forward,
            quiet: times.quiet,
            min_hold: times.min_hold,
            max_hold: times.max_hold,
            ignore_empty: settings.ignore_empty,
            exit_code: settings.exit_code,
        }
    }
}

impl Default for HoldState {
    fn default() -> Self {
        Self { health: ApplicationHealth::NoAnswer(Cause::NotChecked), phase: Phase::Serving { passed_on: None } }
    }
}

impl HoldState {
    /// Whether processes of the application's group may still run this long after the stop signal was forwarded. Before that, the
    /// end of the application ends the hold.
    #[must_use]
    pub fn leaves_time(&self, grace: Duration, now: Duration) -> bool {
        matches!(self.phase, Phase::Forwarded { at, .. } if now < at.saturating_add(grace))
    }

    /// Whether the connections are sampled: from the stop signal until the application ends.
    #[must_use]
    pub fn is_sampling(&self) -> bool {
        matches!(self.phase, Phase::Holding { .. } | Phase::Forwarded { .. })
    }
}

impl Rules {
    /// Returns the state after an input, and the actions.
    #[must_use]
    pub fn step(&self, state: HoldState, input: Input, now: Duration) -> Stepped {
        if state.phase == Phase::Ended {
            return (state, Vec::new());
        }
        let (state, mut actions) = match input {
            Input::Signal(signal) if signal == self.stop => self.stopped(state, now),
            Input::Signal(signal) => pass_on(state, signal, now),
            Input::Checked(health) => checked(state, health),
            Input::Sampled(sample) => self.sampled(state, sample, now),
            Input::Exited(ending) => return self.exited(state, ending, now),
            Input::Tick => (state, Vec::new()),
        };
        let (state, more) = self.forward_if_overdue(state, now);
        actions.extend(more);
        (state, actions)
    }

    /// When a step is due even without an input: at the end of the maximum hold.
    #[must_use]
    pub fn deadline(&self, state: &HoldState) -> Option<Duration> {
        match state.phase {
            Phase::Holding { since, .. } => Some(since.saturating_add(self.max_hold)),
            _ => None,
        }
    }

    fn stopped(&self, state: HoldState, now: Duration) -> Stepped {
        match state.phase {
            Phase::Serving { .. } => self.hold(now),
            Phase::Holding { since, totals, .. } => self.forward(state, since, totals, Reason::SecondSignal, now),
            Phase::Forwarded { .. } | Phase::Ended => pass_on(state, self.forward, now),
        }
    }

    fn hold(&self, now: Duration) -> Stepped {
        let health = ApplicationHealth::NoAnswer(Cause::Stopping);
        let phase = Phase::Holding { since: now, totals: Totals::default(), quiet_since: None };
        let record = LogRecord::Stopping { signal: self.stop, max_hold_ms: millis(self.max_hold) };
        (
            HoldState { health, phase },
            vec![HoldAction::SetHealth(health), HoldAction::BeginHold, HoldAction::Log(record)],
        )
    }

    fn sampled(&self, state: HoldState, sample: Option<Sample>, now: Duration) -> Stepped {
        match state.phase {
            Phase::Holding { since, totals, quiet_since } => {
                let first = if totals.established.is_none() { first_sample(sample) } else { None };
                let quiet_since = sample.and_then(|sample| self.still_quiet_since(totals, sample, quiet_since, now));
                let totals = totals.with(sample, now.saturating_sub(since));
                let state = HoldState { phase: Phase::Holding { since, totals, quiet_since }, ..state };
                let (state, more) = self.forward_if_quiet(state, now);
                (state, first.into_iter().chain(more).collect())
            }
            Phase::Forwarded { since, at, totals, new_before_forward } => {
                let totals = totals.with(sample, now.saturating_sub(since));
                (HoldState { phase: Phase::Forwarded { since, at, totals, new_before_forward }, ..state }, Vec::new())
            }
            Phase::Serving { .. } | Phase::Ended => (state, Vec::new()),
        }
    }

    /// Since when the ports have been quiet. A connection that came and went between two samples may have ended just now.
    fn still_quiet_since(
        &self,
        totals: Totals,
        sample: Sample,
        quiet_since: Option<Duration>,
        now: Duration,
    ) -> Option<Duration> {
        let came_and_went = sample.new > totals.new && !self.ignore_empty;
        if sample.established > 0 || sample.work_in_progress == Some(true) {
            None
        } else if came_and_went || sample.datagrams > totals.datagrams {
            Some(now)
        } else {
            quiet_since.or(Some(now))
        }
    }

    /// Called only after a sample, so that the ports are never assumed to be quiet.
    fn forward_if_quiet(&self, state: HoldState, now: Duration) -> Stepped {
        match state.phase {
            Phase::Holding { since, totals, quiet_since: Some(quiet_since) }
                if now.saturating_sub(quiet_since) >= self.quiet && now.saturating_sub(since) >= self.min_hold =>
            {
                self.forward(state, since, totals, Reason::Quiet, now)
            }
            _ => (state, Vec::new()),
        }
    }

    fn forward_if_overdue(&self, state: HoldState, now: Duration) -> Stepped {
        match state.phase {
            Phase::Holding { since, totals, .. } if now.saturating_sub(since) >= self.max_hold => {
                self.forward(state, since, totals, Reason::MaxHold, now)
            }
            _ => (state, Vec::new()),
        }
    }

    fn forward(&self, state: HoldState, since: Duration, totals: Totals, reason: Reason, now: Duration) -> Stepped {
        let counts = totals.counts(now.saturating_sub(since));
        let record = LogRecord::Forward { signal: self.forward, reason, counts };
        let phase = Phase::Forwarded { since, at: now, totals, new_before_forward: totals.new };
        (
            HoldState { phase, ..state },
            vec![HoldAction::Forward(self.forward), HoldAction::EndHold, HoldAction::Log(record)],
        )
    }
}

fn pass_on(state: HoldState, signal: Signal, now: Duration) -> Stepped {
    let phase = match state.phase {
        Phase::Serving { .. } => Phase::Serving { passed_on: Some((signal, now)) },
        other => other,
    };
    (HoldState { phase, ..state }, vec![HoldAction::Forward(signal), HoldAction::Log(LogRecord::Signal { signal })])
}

fn first_sample(sample: Option<Sample>) -> Option<HoldAction> {
    sample.map(|sample| HoldAction::Log(LogRecord::Holding { established: sample.established }))
}

/// After the stop signal, the result of a late check is not shown.
fn checked(state: HoldState, health: ApplicationHealth) -> Stepped {
    if !matches!(state.phase, Phase::Serving { .. }) || state.health == health {
        return (state, Vec::new());
    }
    let record = LogRecord::Health { healthy: health.is_good(), found: health.to_string() };
    (HoldState { health, ..state }, vec![HoldAction::SetHealth(health), HoldAction::Log(record)])
}

//! The result of a probe: its JSON, and pure functions that compute it from the connections.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::clients::connection::Attempt;
use crate::clients::outcome::{ConnectionOutcome, outcome_seen_by_client};
use crate::clients::traffic::{Stall, TrafficSettings};
use crate::clock::rounded;
use crate::probe::estimate::Interval;
use crate::probe::measured::Measured;
use crate::report::figures::longest_gap;

/// The version of the JSON: `docs/schema/probe-1.json`.
pub const SCHEMA: &str = "spotdrain-probe-1";

/// A probe's result. All times are seconds since its start, by the clock of this machine alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbeRecord {
    pub schema: &'static str,
    pub against: String,
    /// When the probe started, in UTC.
    pub started: String,
    pub rate: u32,
    pub held_percent: u32,
    /// How long connections were opened.
    pub seconds: f64,
    #[serde(flatten)]
    pub total: ConnectionCounts,
    pub per_second: Vec<Second>,
    /// The servers that named themselves, sorted by name.
    pub servers: Vec<Server>,
    pub marks: Vec<ProbeMark>,
    /// The changes of the targets' states.
    pub states: Vec<StateChange>,
    /// The longest time during which the probe's own clients opened nothing. If there was one, the figures are not valid.
    pub stalled: Option<Stall>,
    /// The connections that this machine could not open, because it had no file descriptor or port left. They are not counted
    /// elsewhere. If there are any, the figures are not valid.
    pub not_opened: usize,
    pub experiment: Option<ExperimentRecord>,
    pub measured: Measured,
}

/// Connections by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct ConnectionCounts {
    pub opened: usize,
    pub refused: usize,
    pub reset: usize,
    pub cut: usize,
    /// The longest time between two served connections with a lost one between them.
    pub longest_gap_seconds: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Second {
    pub second: usize,
    #[serde(flatten)]
    pub counts: ConnectionCounts,
}

/// A server, identified by the name in its answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Server {
    pub name: String,
    pub served: usize,
    /// When its last connection was opened.
    pub last_new: f64,
    /// Its served connections in each second.
    #[serde(skip)]
    pub per_second: Vec<f64>,
}

/// A moment that the user or the experiment marked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbeMark {
    pub at: f64,
    pub text: String,
}

/// A new state of a target, as returned by DescribeTargetHealth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StateChange {
    /// The times of the two answers between which the state changed.
    #[serde(flatten)]
    pub seen: Interval,
    pub target: String,
    /// `None` if the target is not in the group.
    pub state: Option<String>,
    pub reason: Option<String>,
}

impl std::fmt::Display for StateChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let reason = self.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        write!(f, "target {}: {}{reason}", self.target, self.state.as_deref().unwrap_or("not in the group"))
    }
}

/// The experiment that the probe ran.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExperimentRecord {
    pub kind: &'static str,
    pub target_group: String,
    pub task: String,
    pub target: String,
    /// The name by which the target's answers were recognised.
    pub server: Option<String>,
    /// Why a delay could not be estimated.
    pub not_measured: Option<String>,
}

impl ConnectionCounts {
    /// All lost connections.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.refused + self.reset + self.cut
    }

    fn add(&mut self, outcome: ConnectionOutcome) {
        match outcome {
            ConnectionOutcome::Served => {}
            ConnectionOutcome::Refused => self.refused += 1,
            ConnectionOutcome::Reset => self.reset += 1,
            ConnectionOutcome::Cut => self.cut += 1,
        }
    }
}

/// Counts the connections in total and per second. They must be sorted by the time at which they were opened. A cut connection
/// counts in the second in which it ended, every other one in the second in which it was opened.
pub(crate) fn count(attempts: &[Attempt], seconds: f64) -> (ConnectionCounts, Vec<Second>) {
    let mut total = ConnectionCounts::default();
    let mut by_second: BTreeMap<usize, ConnectionCounts> =
        (0..second(seconds.ceil())).map(|at| (at, ConnectionCounts::default())).collect();
    let mut opened: BTreeMap<usize, Vec<(f64, bool)>> = BTreeMap::new();
    for attempt in attempts {
        let outcome = outcome_seen_by_client(attempt.view);
        let lost_at = if outcome == ConnectionOutcome::Cut { attempt.ended } else { attempt.opened };
        total.opened += 1;
        total.add(outcome);
        by_second.entry(second(attempt.opened)).or_default().opened += 1;
        by_second.entry(second(lost_at)).or_default().add(outcome);
        opened.entry(second(attempt.opened)).or_default().push((attempt.opened, outcome.is_loss()));
    }
    for (at, its) in &opened {
        by_second.entry(*at).or_default().longest_gap_seconds = rounded(longest_gap(its.iter().copied()));
    }
    total.longest_gap_seconds = rounded(longest_gap(opened.into_values().flatten()));
    (total, by_second.into_iter().map(|(second, counts)| Second { second, counts }).collect())
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a probe's seconds are few and not negative"
)]
fn second(at: f64) -> usize {
    at.max(0.0) as usize
}

/// The servers that named themselves.
pub(crate) fn servers(attempts: &[Attempt], seconds: f64) -> Vec<Server> {
    let mut by_name: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for attempt in attempts {
        if let Some(name) = &attempt.served_by {
            by_name.entry(name).or_default().push(attempt.opened);
        }
    }
    let server = |(name, times): (&str, Vec<f64>)| {
        let mut per_second = vec![0.0; second(seconds.ceil())];
        for at in &times {
            if let Some(rate) = per_second.get_mut(second(*at)) {
                *rate += 1.0;
            }
        }
        let last_new = rounded(times.iter().copied().fold(0.0, f64::max));
        Server { name: name.to_owned(), served: times.len(), last_new, per_second }
    };
    by_name.into_iter().map(server).collect()
}

impl ProbeRecord {
    /// A result without marks, states and experiment.
    pub(crate) fn of(
        against: &str,
        started: String,
        settings: TrafficSettings,
        seconds: f64,
        attempts: &[Attempt],
    ) -> Self {
        let (total, per_second) = count(attempts, seconds);
        Self {
            schema: SCHEMA,
            against: against.to_owned(),
            started,
            rate: settings.rate,
            held_percent: settings.held_percent,
            seconds: rounded(seconds),
            total,
            per_second,
            servers: servers(attempts, seconds),
            marks: Vec::new(),
            states: Vec::new(),
            stalled: None,
            not_opened: 0,
            experiment: None,
            measured: Measured::default(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::clients::outcome::ClientView;

    pub(crate) fn attempt(opened: f64, view: ClientView, served_by: Option<&str>) -> Attempt {
        let served_by = served_by.map(str::to_owned);
        Attempt { opened, ended: opened + 2.5, port: Some(1), is_held: false, view, served_by }
    }

    #[test]
    fn a_cut_connection_is_lost_when_it_ended() {
        let attempts = [
            attempt(0.1, ClientView::Whole, Some("a")),
            attempt(0.5, ClientView::Part, Some("b")),
            attempt(1.0, ClientView::Refused, None),
            attempt(1.2, ClientView::Nothing, None),
            attempt(1.9, ClientView::Whole, Some("a")),
        ];
        let (total, per_second) = count(&attempts, 3.0);
        assert_eq!((total.opened, total.refused, total.reset, total.cut, total.lost()), (5, 1, 1, 1, 3));
        assert_eq!(total.longest_gap_seconds.to_bits(), 1.8_f64.to_bits());
        let by_second: Vec<_> =
            per_second.iter().map(|one| (one.second, one.counts.opened, one.counts.lost())).collect();
        assert_eq!(by_second, [(0, 2, 0), (1, 3, 2), (2, 0, 0), (3, 0, 1)]);
        let names: Vec<_> =
            servers(&attempts, 3.0).into_iter().map(|one| (one.name, one.served, one.per_second)).collect();
        assert_eq!(names, [("a".to_owned(), 2, vec![1.0, 1.0, 0.0]), ("b".to_owned(), 1, vec![1.0, 0.0, 0.0])]);
    }
}

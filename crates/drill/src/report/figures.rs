//! The figures of a run: lost connections, the longest gap, and the last new connection.

use serde::Serialize;

use crate::clients::connection::Connection;
use crate::clients::outcome::ConnectionOutcome;
use crate::clock::rounded;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Connections opened in the whole run.
    pub opened: usize,
    /// Connections that no task accepted.
    pub refused: usize,
    /// Connections that ended before the first byte of an answer.
    pub reset: usize,
    /// Connections that ended in the middle.
    pub cut: usize,
    /// The longest time between two served connections with lost ones between them, in real milliseconds. Zero without
    /// loss.
    pub longest_gap_ms: f64,
    /// When the last new connection reached an interrupted task.
    pub last_new: Option<f64>,
}

/// What happened to an interrupted task, in seconds since the notice.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Marks {
    pub task: String,
    pub deregistered: Option<f64>,
    /// When the load balancer marked it unhealthy.
    pub unhealthy: Option<f64>,
    pub last_new: Option<f64>,
    /// When its application received SIGTERM.
    #[serde(rename = "told")]
    pub sigterm: Option<f64>,
    /// Why the hold forwarded SIGTERM at that time.
    #[serde(rename = "told_because")]
    pub sigterm_reason: Option<String>,
    /// When it was killed, if it had not ended before.
    pub killed: Option<f64>,
}

impl Figures {
    /// Computes the figures. `interrupted` are the names of the interrupted tasks.
    #[must_use]
    pub fn of(connections: &[Connection], interrupted: &[&str], scale: f64) -> Self {
        let times = connections.iter().map(|connection| (connection.opened, connection.outcome.is_loss()));
        let count = |outcome| connections.iter().filter(|connection| connection.outcome == outcome).count();
        Self {
            opened: connections.len(),
            refused: count(ConnectionOutcome::Refused),
            reset: count(ConnectionOutcome::Reset),
            cut: count(ConnectionOutcome::Cut),
            longest_gap_ms: (longest_gap(times) / scale * 1e4).round() / 10.0,
            last_new: interrupted.iter().filter_map(|task| last_new(connections, task)).max_by(f64::total_cmp),
        }
    }

    /// All lost connections.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.refused + self.reset + self.cut
    }
}

/// When the last new connection after the notice reached this task.
pub(crate) fn last_new(connections: &[Connection], task: &str) -> Option<f64> {
    let to_task = connections.iter().filter(|connection| connection.target.as_deref() == Some(task));
    to_task.map(|connection| connection.opened).filter(|at| *at >= 0.0).max_by(f64::total_cmp).map(rounded)
}

/// The longest time between two served connections with a lost one between them. If connections are lost at the start or at the
/// end, the first or the last one takes the place of the served one. Takes when each connection was opened, in this order, and
/// whether it was lost.
pub(crate) fn longest_gap(connections: impl Iterator<Item = (f64, bool)>) -> f64 {
    let (mut longest, mut served, mut has_lost) = (0.0_f64, None, false);
    for (opened, is_lost) in connections {
        has_lost |= is_lost;
        let gap = opened - *served.get_or_insert(opened);
        longest = if has_lost { longest.max(gap) } else { longest };
        if !is_lost {
            (served, has_lost) = (Some(opened), false);
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(opened: f64, target: &str, outcome: ConnectionOutcome) -> Connection {
        Connection { opened, ended: opened, target: Some(target.to_owned()), is_held: false, outcome }
    }

    #[test]
    fn only_lost_connections_make_a_gap() {
        let all = [
            connection(0.0, "b", ConnectionOutcome::Served),
            connection(5.0, "b", ConnectionOutcome::Served),
            connection(6.0, "a", ConnectionOutcome::Refused),
            connection(7.0, "a", ConnectionOutcome::Cut),
            connection(8.0, "b", ConnectionOutcome::Served),
        ];
        let figures = Figures::of(&all, &["a"], 10.0);
        assert_eq!((figures.opened, figures.refused, figures.reset, figures.cut, figures.lost()), (5, 1, 0, 1, 2));
        assert_eq!((figures.longest_gap_ms, figures.last_new), (300.0, Some(7.0)));
        assert_eq!(Figures::of(&all[..2], &["a"], 10.0).longest_gap_ms.to_bits(), 0);
    }

    #[test]
    fn the_last_new_connection_is_that_of_any_interrupted_task_after_the_notice() {
        let all = [
            connection(-1.0, "a", ConnectionOutcome::Served),
            connection(3.0, "b", ConnectionOutcome::Served),
            connection(9.0, "c", ConnectionOutcome::Served),
        ];
        assert_eq!(Figures::of(&all, &["a", "b"], 1.0).last_new, Some(3.0));
        assert_eq!(Figures::of(&all, &["a"], 1.0).last_new, None);
    }
}

//! The figures of a run: what was lost, for how long, and until when new connections came.

use serde::Serialize;

use crate::attempt::Connection;
use crate::fate::Fate;

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Connections that were opened, in the whole run.
    pub opened: usize,
    /// Those that no task took.
    pub refused: usize,
    /// Those that ended before a byte of an answer.
    pub reset: usize,
    /// Those that ended in the middle.
    pub cut: usize,
    /// The longest time, in real milliseconds, from one connection that was served to the next, with lost ones between;
    /// zero: none was lost.
    pub longest_gap_ms: f64,
    /// When the last new connection was sent to a task that was interrupted.
    pub last_new: Option<f64>,
}

/// What happened to a task that was interrupted, in seconds since the notice.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Marks {
    /// Its name.
    pub task: String,
    /// When it was deregistered.
    pub deregistered: Option<f64>,
    /// When the load balancer marked it unhealthy.
    pub unhealthy: Option<f64>,
    /// When the last new connection was sent to it.
    pub last_new: Option<f64>,
    /// When its application got SIGTERM.
    pub told: Option<f64>,
    /// Why the hold told it then.
    pub told_because: Option<String>,
    /// When it was killed; it may have ended before.
    pub killed: Option<f64>,
}

impl Figures {
    /// Counts. `interrupted` are the names of the tasks that were.
    #[must_use]
    pub fn of(connections: &[Connection], interrupted: &[&str], scale: f64) -> Self {
        let count = |fate| connections.iter().filter(|connection| connection.fate == fate).count();
        Self {
            opened: connections.len(),
            refused: count(Fate::Refused),
            reset: count(Fate::Reset),
            cut: count(Fate::Cut),
            longest_gap_ms: (longest_gap(connections) / scale * 1e4).round() / 10.0,
            last_new: interrupted.iter().filter_map(|task| last_new(connections, task)).max_by(f64::total_cmp),
        }
    }

    /// All that was lost.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.refused + self.reset + self.cut
    }
}

/// A moment, to the hundredth of a second: more is noise.
pub(crate) fn rounded(moment: f64) -> f64 {
    (moment * 100.0).round() / 100.0
}

/// When the last new connection was sent to this task, if one was after the notice.
pub(crate) fn last_new(connections: &[Connection], task: &str) -> Option<f64> {
    let its = connections.iter().filter(|connection| connection.target.as_deref() == Some(task));
    its.map(|connection| connection.opened).filter(|at| *at >= 0.0).max_by(f64::total_cmp).map(rounded)
}

/// In the order in which they were opened.
fn longest_gap(connections: &[Connection]) -> f64 {
    let (mut longest, mut before, mut has_lost) = (0.0_f64, None, false);
    for connection in connections {
        if connection.fate.is_loss() {
            has_lost = true;
            continue;
        }
        let gap = connection.opened - before.unwrap_or(connection.opened);
        longest = if has_lost { longest.max(gap) } else { longest };
        (before, has_lost) = (Some(connection.opened), false);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(opened: f64, target: &str, fate: Fate) -> Connection {
        Connection { opened, ended: opened, target: Some(target.to_owned()), is_held: false, fate }
    }

    #[test]
    fn a_gap_is_one_only_where_something_was_lost() {
        let all = [
            connection(0.0, "b", Fate::Served),
            connection(5.0, "b", Fate::Served),
            connection(6.0, "a", Fate::Refused),
            connection(7.0, "a", Fate::Cut),
            connection(8.0, "b", Fate::Served),
        ];
        let figures = Figures::of(&all, &["a"], 10.0);
        assert_eq!((figures.opened, figures.refused, figures.reset, figures.cut, figures.lost()), (5, 1, 0, 1, 2));
        assert_eq!((figures.longest_gap_ms, figures.last_new), (300.0, Some(7.0)));
        assert_eq!(Figures::of(&all[..2], &["a"], 10.0).longest_gap_ms.to_bits(), 0);
    }

    #[test]
    fn the_last_new_connection_is_that_of_any_interrupted_task_after_the_notice() {
        let all = [
            connection(-1.0, "a", Fate::Served),
            connection(3.0, "b", Fate::Served),
            connection(9.0, "c", Fate::Served),
        ];
        assert_eq!(Figures::of(&all, &["a", "b"], 1.0).last_new, Some(3.0));
        assert_eq!(Figures::of(&all, &["a"], 1.0).last_new, None);
    }
}

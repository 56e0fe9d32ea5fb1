//! The connections of a run by task and time, for the chart.

use serde::Serialize;

use crate::clients::connection::Connection;
use crate::clients::outcome::ConnectionOutcome;
use crate::setup::plan::BEFORE;

/// Simulated seconds per bar.
pub(crate) const BIN: f64 = 2.0;

/// The rates of connections that reached one task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskSeries {
    pub task: String,
    pub is_interrupted: bool,
    /// Served connections per real second, for each [`BIN`].
    pub served: Vec<f64>,
    /// Lost connections per real second, for each [`BIN`].
    pub lost: Vec<f64>,
}

/// Returns the series of each task.
pub(crate) fn task_series(
    connections: &[Connection],
    tasks: &[(String, bool)],
    end: f64,
    scale: f64,
) -> Vec<TaskSeries> {
    let series = |(task, is_interrupted): &(String, bool)| {
        let to_task: Vec<_> = connections.iter().filter(|one| one.target.as_deref() == Some(task)).collect();
        let times =
            |is_loss| to_task.iter().filter(move |one| one.outcome.is_loss() == is_loss).map(|one| loss_or_start(one));
        let (served, lost) = (bins(times(false), end, scale), bins(times(true), end, scale));
        TaskSeries { task: task.clone(), is_interrupted: *is_interrupted, served, lost }
    };
    tasks.iter().map(series).collect()
}

/// A cut connection counts at its end, every other one at its start.
fn loss_or_start(connection: &Connection) -> f64 {
    if connection.outcome == ConnectionOutcome::Cut { connection.ended } else { connection.opened }
}

/// Counts per bar, as rates per real second.
fn bins(times: impl Iterator<Item = f64>, end: f64, scale: f64) -> Vec<f64> {
    let mut edges = Vec::new();
    let mut edge = -BEFORE;
    while edge < end {
        edges.push((edge, 0.0));
        edge += BIN;
    }
    for time in times {
        let bin = edges.iter_mut().rev().find(|(edge, _)| *edge <= time);
        if let Some((_, count)) = bin {
            *count += scale / BIN;
        }
    }
    edges.into_iter().map(|(_, rate)| rate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_a_rate_in_real_seconds() {
        let rates = bins([-10.0, -9.0, 0.5].into_iter(), 4.0, 10.0);
        assert_eq!(rates, [10.0, 0.0, 0.0, 0.0, 0.0, 5.0, 0.0]);
    }
}

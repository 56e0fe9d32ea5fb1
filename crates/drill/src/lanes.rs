//! The connections of a run by task and time: what the report draws.

use serde::Serialize;

use crate::attempt::Connection;
use crate::fate::Fate;
use crate::plan::BEFORE;

/// Played seconds of one bar.
pub(crate) const BIN: f64 = 2.0;

/// The connections that were sent to one task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lane {
    /// The task's name.
    pub task: String,
    /// Whether it was interrupted.
    pub is_interrupted: bool,
    /// New connections a real second that were served, for each [`BIN`].
    pub served: Vec<f64>,
    /// Those that were lost.
    pub lost: Vec<f64>,
}

/// A lane for each of these tasks.
pub(crate) fn lanes(connections: &[Connection], tasks: &[(String, bool)], end: f64, scale: f64) -> Vec<Lane> {
    let lane = |(task, is_interrupted): &(String, bool)| {
        let its: Vec<_> = connections.iter().filter(|one| one.target.as_deref() == Some(task)).collect();
        let moments = |is_loss| its.iter().filter(move |one| one.fate.is_loss() == is_loss).map(|one| moment(one));
        let (served, lost) = (bins(moments(false), end, scale), bins(moments(true), end, scale));
        Lane { task: task.clone(), is_interrupted: *is_interrupted, served, lost }
    };
    tasks.iter().map(lane).collect()
}

/// A connection that is cut is lost when it ends; every other counts where it was opened.
fn moment(connection: &Connection) -> f64 {
    if connection.fate == Fate::Cut { connection.ended } else { connection.opened }
}

/// So many a real second: a bar is a fraction of one.
fn bins(moments: impl Iterator<Item = f64>, end: f64, scale: f64) -> Vec<f64> {
    let mut edges = Vec::new();
    let mut edge = -BEFORE;
    while edge < end {
        edges.push((edge, 0.0));
        edge += BIN;
    }
    for moment in moments {
        let its = edges.iter_mut().rev().find(|(edge, _)| *edge <= moment);
        if let Some((_, count)) = its {
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

//! Joins the clients' view of each connection with its line in the load balancer's log.

use std::collections::{BTreeMap, VecDeque};

use crate::clients::outcome::{ClientView, ConnectionOutcome, outcome_of};
use crate::load_balancer::log_line::LogLine;

/// A connection as its client saw it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Attempt {
    pub(crate) opened: f64,
    pub(crate) ended: f64,
    /// The client's port; `None` if the client did not reach the load balancer.
    pub(crate) port: Option<u16>,
    pub(crate) is_held: bool,
    pub(crate) view: ClientView,
    /// The name that the server gave in its answer, if the frontend distinguishes servers.
    pub(crate) served_by: Option<String>,
}

/// A connection with its target and outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    pub opened: f64,
    pub ended: f64,
    /// The target that received it, if any.
    pub target: Option<String>,
    pub is_held: bool,
    pub outcome: ConnectionOutcome,
}

/// Joins attempts and log lines by client port. A port is reused only after its connection has ended, so the n-th use of
/// a port belongs to its n-th line.
pub(crate) fn join(mut attempts: Vec<Attempt>, mut log: Vec<LogLine>) -> Vec<Connection> {
    attempts.sort_by(|one, other| one.opened.total_cmp(&other.opened));
    log.sort_by(|one, other| one.at.total_cmp(&other.at));
    let mut by_port: BTreeMap<u16, VecDeque<LogLine>> = BTreeMap::new();
    for line in log {
        by_port.entry(line.port).or_default().push_back(line);
    }
    let mut of_port = |port| by_port.get_mut(&port).and_then(VecDeque::pop_front);
    attempts.into_iter().map(|attempt| connection(&attempt, attempt.port.and_then(&mut of_port))).collect()
}

fn connection(attempt: &Attempt, line: Option<LogLine>) -> Connection {
    Connection {
        opened: attempt.opened,
        ended: attempt.ended,
        is_held: attempt.is_held,
        outcome: outcome_of(attempt.view, line.as_ref()),
        target: line.map(|line| line.target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(opened: f64, port: u16, view: ClientView) -> Attempt {
        Attempt { opened, ended: opened + 0.1, port: Some(port), is_held: false, view, served_by: None }
    }

    fn line(at: f64, port: u16, target: &str, termination: &str) -> LogLine {
        LogLine { port, target: target.to_owned(), termination: termination.to_owned(), at }
    }

    #[test]
    fn a_reused_port_has_its_lines_in_order() {
        let log = vec![line(105.0, 7, "b", "SC"), line(101.0, 7, "a", "--"), line(103.0, 8, "c", "SD")];
        let attempts = vec![
            attempt(5.0, 7, ClientView::Nothing),
            attempt(1.0, 7, ClientView::Whole),
            attempt(3.0, 8, ClientView::Part),
        ];
        let joined: Vec<_> = join(attempts, log).into_iter().map(|one| (one.target.unwrap(), one.outcome)).collect();
        let expected =
            [("a", ConnectionOutcome::Served), ("c", ConnectionOutcome::Cut), ("b", ConnectionOutcome::Refused)];
        assert_eq!(joined, expected.map(|(target, outcome)| (target.to_owned(), outcome)));
    }
}

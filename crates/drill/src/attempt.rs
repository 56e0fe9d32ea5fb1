//! A connection that a client opened; and which line of the load balancer's log is its own.

use std::collections::{BTreeMap, VecDeque};

use crate::fate::{Fate, Seen, fate};
use crate::routed::Routed;

/// A connection, as its client tells of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Attempt {
    /// When it was opened.
    pub(crate) opened: f64,
    /// When it ended.
    pub(crate) ended: f64,
    /// The client's port; `None`: it did not reach the load balancer.
    pub(crate) port: Option<u16>,
    /// Whether it was to be held.
    pub(crate) is_held: bool,
    /// What came of it.
    pub(crate) seen: Seen,
}

/// A connection, with both sides known.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// When it was opened.
    pub opened: f64,
    /// When it ended.
    pub ended: f64,
    /// Where it was sent; `None`: nowhere.
    pub target: Option<String>,
    /// Whether it was to be held.
    pub is_held: bool,
    /// What became of it.
    pub fate: Fate,
}

/// Puts the two sides together. A client's port is used again only after its connection has ended, so that the n-th use
/// is the n-th line of that port.
pub(crate) fn join(mut attempts: Vec<Attempt>, mut log: Vec<Routed>) -> Vec<Connection> {
    attempts.sort_by(|one, other| one.opened.total_cmp(&other.opened));
    log.sort_by(|one, other| one.at.total_cmp(&other.at));
    let mut by_port: BTreeMap<u16, VecDeque<Routed>> = BTreeMap::new();
    for routed in log {
        by_port.entry(routed.port).or_default().push_back(routed);
    }
    let mut of_port = |port| by_port.get_mut(&port).and_then(VecDeque::pop_front);
    attempts.into_iter().map(|attempt| connection(&attempt, attempt.port.and_then(&mut of_port))).collect()
}

fn connection(attempt: &Attempt, routed: Option<Routed>) -> Connection {
    Connection {
        opened: attempt.opened,
        ended: attempt.ended,
        is_held: attempt.is_held,
        fate: fate(attempt.seen, routed.as_ref()),
        target: routed.map(|routed| routed.target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(opened: f64, port: u16, seen: Seen) -> Attempt {
        Attempt { opened, ended: opened + 0.1, port: Some(port), is_held: false, seen }
    }

    fn routed(at: f64, port: u16, target: &str, termination: &str) -> Routed {
        Routed { port, target: target.to_owned(), termination: termination.to_owned(), at }
    }

    #[test]
    fn a_port_that_is_used_again_has_its_lines_in_order() {
        let log = vec![routed(105.0, 7, "b", "SC"), routed(101.0, 7, "a", "--"), routed(103.0, 8, "c", "SD")];
        let attempts = vec![attempt(5.0, 7, Seen::Nothing), attempt(1.0, 7, Seen::Whole), attempt(3.0, 8, Seen::Part)];
        let told: Vec<_> = join(attempts, log).into_iter().map(|one| (one.target.unwrap(), one.fate)).collect();
        let expected = [("a", Fate::Served), ("c", Fate::Cut), ("b", Fate::Refused)];
        assert_eq!(told, expected.map(|(target, fate)| (target.to_owned(), fate)));
    }
}

//! What the rules look at, of the kernel's numbers: how many connections are established, and how many new ones came.
//!
//! The counter of passive opens counts every connection that was accepted in this network namespace. Those to the hold's
//! own endpoint, and those from this namespace to ports that are not watched, are known and taken off. A number that may
//! be wrong for a moment (a connection between the reading of two files) is never too high: [`crate::kernel`] reads in
//! that order, and the highest counts.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::socket::{Socket, Stage};

/// More connections within this namespace than these are not told apart: they count as new, and the hold is longer.
const MOST_PAIRS: usize = 4096;

/// What the rules look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// How many connections are established on the ports that are watched.
    pub established: usize,
    /// How many new ones came since the stop signal.
    pub new: u64,
}

/// Which sockets count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The ports that are watched.
    pub ports: Vec<u16>,
    /// The port of the hold's own endpoint.
    pub own_port: Option<u16>,
    /// Whether connections from this namespace to the ports do not count.
    pub ignore_local: bool,
}

/// The kernel's numbers at one time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// How many connections were accepted in this network namespace, ever.
    pub passive_opens: u64,
    /// How many of them by the hold's own endpoint.
    pub own: u64,
    /// How many are established on the ports that are watched.
    pub established: usize,
    /// Connections within this namespace that do not count.
    pub apart: BTreeSet<Pair>,
}

/// The two ends of a connection, the lesser first: both ends of one are the same pair.
pub type Pair = (SocketAddr, SocketAddr);

/// The count since the stop signal.
#[derive(Debug, Clone)]
pub struct Tally {
    start: Reading,
    known: BTreeSet<Pair>,
    apart: u64,
    new: u64,
}

impl Reading {
    /// Takes a socket of the tables in.
    pub fn add(&mut self, socket: &Socket, scope: &Scope) {
        let is_watched = |address: &SocketAddr| scope.ports.contains(&address.port());
        let counts = !(socket.is_local() && scope.ignore_local);
        if socket.stage == Stage::Established && is_watched(&socket.local) && counts {
            self.established = self.established.saturating_add(1);
        }
        let to_port = is_watched(&socket.local) || is_watched(&socket.remote);
        if socket.stage != Stage::Before && socket.is_local() && !(to_port && counts) && !scope.is_own(socket) {
            self.set_apart(socket);
        }
    }

    fn set_apart(&mut self, socket: &Socket) {
        if self.apart.len() < MOST_PAIRS {
            self.apart.insert((socket.local.min(socket.remote), socket.local.max(socket.remote)));
        }
    }
}

impl Scope {
    fn is_own(&self, socket: &Socket) -> bool {
        self.own_port.is_some_and(|port| port == socket.local.port() || port == socket.remote.port())
    }
}

impl Tally {
    /// Begins to count.
    #[must_use]
    pub fn begin(start: Reading) -> Self {
        Self { known: start.apart.clone(), start, apart: 0, new: 0 }
    }

    /// What the rules see of a reading.
    pub fn look(&mut self, reading: Reading) -> Look {
        self.apart = self.apart.saturating_add(self.newly_apart(&reading));
        let opened = reading.passive_opens.saturating_sub(self.start.passive_opens);
        let own = reading.own.saturating_sub(self.start.own);
        self.new = self.new.max(opened.saturating_sub(own).saturating_sub(self.apart));
        self.known = reading.apart;
        Look { established: reading.established, new: self.new }
    }

    /// Of a set that is full nothing can be told: what is not in it may have been there all the time.
    fn newly_apart(&self, reading: &Reading) -> u64 {
        let is_full = [&reading.apart, &self.known].iter().any(|pairs| pairs.len() >= MOST_PAIRS);
        let more = if is_full { 0 } else { reading.apart.difference(&self.known).count() };
        u64::try_from(more).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = "10.0.1.5:50000";
    const TASK: &str = "10.0.2.21:5044";

    fn scope(ignore_local: bool) -> Scope {
        Scope { ports: vec![5044], own_port: Some(8081), ignore_local }
    }

    fn reading(passive_opens: u64, scope: &Scope, sockets: &[(&str, &str, Stage)]) -> Reading {
        let mut reading = Reading { passive_opens, ..Reading::default() };
        for (local, remote, stage) in sockets {
            let (local, remote) = (local.parse().unwrap(), remote.parse().unwrap());
            reading.add(&Socket { local, remote, stage: *stage }, scope);
        }
        reading
    }

    fn established(scope: &Scope, sockets: &[(&str, &str, Stage)]) -> usize {
        reading(0, scope, sockets).established
    }

    #[test]
    fn established_connections_on_the_port_count() {
        let scope = scope(false);
        assert_eq!(
            established(&scope, &[(TASK, CLIENT, Stage::Established), ("[::1]:5044", "[::1]:9", Stage::Established)]),
            2
        );
        assert_eq!(
            established(&scope, &[("0.0.0.0:5044", "0.0.0.0:0", Stage::Before), (TASK, CLIENT, Stage::Closing)]),
            0
        );
        assert_eq!(
            established(&scope, &[("10.0.2.21:40000", "10.0.9.9:5044", Stage::Established)]),
            0,
            "an outgoing one"
        );
    }

    #[test]
    fn a_connection_within_the_task_counts_once_or_not_at_all() {
        let both = [
            ("127.0.0.1:5044", "127.0.0.1:9", Stage::Established),
            ("127.0.0.1:9", "127.0.0.1:5044", Stage::Established),
        ];
        assert_eq!((established(&scope(false), &both), established(&scope(true), &both)), (1, 0));
    }

    #[test]
    fn every_connection_that_was_accepted_is_new() {
        let mut tally = Tally::begin(reading(100, &scope(false), &[(TASK, CLIENT, Stage::Established)]));
        assert_eq!(tally.look(reading(103, &scope(false), &[])), Look { established: 0, new: 3 });
    }

    #[test]
    fn the_endpoints_own_connections_are_not_new() {
        let mut tally = Tally::begin(Reading { passive_opens: 100, own: 40, ..Reading::default() });
        assert_eq!(tally.look(Reading { passive_opens: 102, own: 41, ..Reading::default() }).new, 1);
        let local = reading(0, &scope(true), &[("127.0.0.1:8081", "127.0.0.1:9", Stage::Closing)]);
        assert!(local.apart.is_empty(), "they would be taken off twice");
    }

    #[test]
    fn connections_to_a_neighbour_are_not_new() {
        let scope = scope(false);
        let mut tally = Tally::begin(reading(100, &scope, &[("127.0.0.1:1", "127.0.0.1:6379", Stage::Established)]));
        let next = [
            ("127.0.0.1:1", "127.0.0.1:6379", Stage::Closing),
            ("127.0.0.1:2", "127.0.0.1:6379", Stage::Established),
            ("127.0.0.1:6379", "127.0.0.1:2", Stage::Established),
        ];
        assert_eq!(tally.look(reading(102, &scope, &next)).new, 1, "one was to a neighbour");
        assert_eq!(tally.look(reading(102, &scope, &next)).new, 1, "known by now");
    }

    #[test]
    fn connections_within_the_task_to_the_port_are_new_unless_they_are_ignored() {
        for (ignore, expected) in [(false, 1), (true, 0)] {
            let mut tally = Tally::begin(Reading { passive_opens: 100, ..Reading::default() });
            let checked = [("127.0.0.1:9", "127.0.0.1:5044", Stage::Closing)];
            assert_eq!(tally.look(reading(101, &scope(ignore), &checked)).new, expected);
        }
    }

    #[test]
    fn a_number_that_was_too_low_for_a_moment_is_made_good() {
        let mut tally = Tally::begin(Reading { passive_opens: 100, ..Reading::default() });
        let news: Vec<_> = [(101, 0), (101, 1), (102, 1), (103, 1)]
            .map(|(passive_opens, own)| tally.look(Reading { passive_opens, own, ..Reading::default() }).new)
            .to_vec();
        assert_eq!(news, [1, 1, 1, 2]);
    }

    #[test]
    fn more_connections_to_a_neighbour_than_can_be_told_apart_count_as_new() {
        let mut many = Reading { passive_opens: 10_000, ..Reading::default() };
        for client in 0..10_000_u16 {
            let [local, remote] = [client, 6379].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
            many.add(&Socket { local, remote, stage: Stage::Closing }, &scope(false));
        }
        assert_eq!(many.apart.len(), MOST_PAIRS);
        let mut tally = Tally::begin(many.clone());
        assert_eq!(tally.look(Reading { passive_opens: 10_007, ..Reading::default() }).new, 7);
        assert_eq!(tally.look(Reading { passive_opens: 20_000, ..many }).new, 10_000);
    }
}

//! Turns the kernel's numbers into a [`Sample`]: established connections, and new ones since the stop signal.
//!
//! The counter of passive opens includes every connection accepted in this network namespace. Connections to the hold's
//! own endpoint, and those within the namespace to ports that are not watched, are subtracted. A connection that arrives
//! between the reading of two files can make the result too low, never too high (see the order of reads in
//! [`super::kernel`]); the highest result so far counts, so the next sample corrects it.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::connections::socket::{Socket, TcpState};

/// At most this many connections within the namespace are tracked. Others count as new, which only extends the hold.
const MAX_EXCLUDED: usize = 4096;

/// What the rules decide by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Established connections on the watched ports.
    pub established: usize,
    /// New connections since the stop signal.
    pub new: u64,
}

/// Selects the sockets that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortFilter {
    pub ports: Vec<u16>,
    /// The port of the hold's health endpoint.
    pub own_port: Option<u16>,
    /// Whether to ignore connections from this namespace to the watched ports.
    pub ignore_local: bool,
}

/// The kernel's numbers at one point in time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KernelReading {
    /// Connections accepted in this network namespace since it exists.
    pub passive_opens: u64,
    /// Those of them that the hold's health endpoint accepted.
    pub own: u64,
    /// Established connections on the watched ports.
    pub established: usize,
    /// Connections within this namespace that do not count.
    pub excluded: BTreeSet<Pair>,
}

/// The two ends of a connection, the lesser first, so that both of its sockets give the same pair.
pub type Pair = (SocketAddr, SocketAddr);

/// Counts connections since the stop signal.
#[derive(Debug, Clone)]
pub struct ConnectionCounter {
    start: KernelReading,
    known: BTreeSet<Pair>,
    excluded: u64,
    new: u64,
}

impl KernelReading {
    /// Adds a socket of the tables.
    pub fn add(&mut self, socket: &Socket, filter: &PortFilter) {
        let is_watched = |address: &SocketAddr| filter.ports.contains(&address.port());
        let counts = !(socket.is_local() && filter.ignore_local);
        if socket.state == TcpState::Established && is_watched(&socket.local) && counts {
            self.established = self.established.saturating_add(1);
        }
        let to_port = is_watched(&socket.local) || is_watched(&socket.remote);
        if socket.state != TcpState::Before && socket.is_local() && !(to_port && counts) && !filter.is_own(socket) {
            self.exclude(socket);
        }
    }

    fn exclude(&mut self, socket: &Socket) {
        if self.excluded.len() < MAX_EXCLUDED {
            self.excluded.insert((socket.local.min(socket.remote), socket.local.max(socket.remote)));
        }
    }
}

impl PortFilter {
    fn is_own(&self, socket: &Socket) -> bool {
        self.own_port.is_some_and(|port| port == socket.local.port() || port == socket.remote.port())
    }
}

impl ConnectionCounter {
    /// Starts counting at this reading.
    #[must_use]
    pub fn start(start: KernelReading) -> Self {
        Self { known: start.excluded.clone(), start, excluded: 0, new: 0 }
    }

    /// Returns the sample for a later reading.
    pub fn sample(&mut self, reading: KernelReading) -> Sample {
        self.excluded = self.excluded.saturating_add(self.newly_excluded(&reading));
        let opened = reading.passive_opens.saturating_sub(self.start.passive_opens);
        let own = reading.own.saturating_sub(self.start.own);
        self.new = self.new.max(opened.saturating_sub(own).saturating_sub(self.excluded));
        self.known = reading.excluded;
        Sample { established: reading.established, new: self.new }
    }

    /// Returns 0 if a set is full: a connection that is missing in it may have existed all the time.
    fn newly_excluded(&self, reading: &KernelReading) -> u64 {
        let is_full = [&reading.excluded, &self.known].iter().any(|pairs| pairs.len() >= MAX_EXCLUDED);
        let more = if is_full { 0 } else { reading.excluded.difference(&self.known).count() };
        u64::try_from(more).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = "10.0.1.5:50000";
    const TASK: &str = "10.0.2.21:5044";

    fn filter(ignore_local: bool) -> PortFilter {
        PortFilter { ports: vec![5044], own_port: Some(8081), ignore_local }
    }

    fn reading(passive_opens: u64, filter: &PortFilter, sockets: &[(&str, &str, TcpState)]) -> KernelReading {
        let mut reading = KernelReading { passive_opens, ..KernelReading::default() };
        for (local, remote, state) in sockets {
            let (local, remote) = (local.parse().unwrap(), remote.parse().unwrap());
            reading.add(&Socket { local, remote, state: *state }, filter);
        }
        reading
    }

    fn established(filter: &PortFilter, sockets: &[(&str, &str, TcpState)]) -> usize {
        reading(0, filter, sockets).established
    }

    #[test]
    fn established_connections_on_a_watched_port_count() {
        let filter = filter(false);
        assert_eq!(
            established(
                &filter,
                &[(TASK, CLIENT, TcpState::Established), ("[::1]:5044", "[::1]:9", TcpState::Established)]
            ),
            2
        );
        assert_eq!(
            established(&filter, &[("0.0.0.0:5044", "0.0.0.0:0", TcpState::Before), (TASK, CLIENT, TcpState::Closing)]),
            0
        );
        assert_eq!(
            established(&filter, &[("10.0.2.21:40000", "10.0.9.9:5044", TcpState::Established)]),
            0,
            "an outgoing one"
        );
    }

    #[test]
    fn a_connection_within_the_task_counts_once_or_not_at_all() {
        let both = [
            ("127.0.0.1:5044", "127.0.0.1:9", TcpState::Established),
            ("127.0.0.1:9", "127.0.0.1:5044", TcpState::Established),
        ];
        assert_eq!((established(&filter(false), &both), established(&filter(true), &both)), (1, 0));
    }

    #[test]
    fn every_accepted_connection_is_new() {
        let mut counter =
            ConnectionCounter::start(reading(100, &filter(false), &[(TASK, CLIENT, TcpState::Established)]));
        assert_eq!(counter.sample(reading(103, &filter(false), &[])), Sample { established: 0, new: 3 });
    }

    #[test]
    fn the_endpoints_own_connections_are_not_new() {
        let mut counter =
            ConnectionCounter::start(KernelReading { passive_opens: 100, own: 40, ..KernelReading::default() });
        assert_eq!(counter.sample(KernelReading { passive_opens: 102, own: 41, ..KernelReading::default() }).new, 1);
        let local = reading(0, &filter(true), &[("127.0.0.1:8081", "127.0.0.1:9", TcpState::Closing)]);
        assert!(local.excluded.is_empty(), "they would be taken off twice");
    }

    #[test]
    fn connections_to_a_neighbour_are_not_new() {
        let filter = filter(false);
        let mut counter = ConnectionCounter::start(reading(
            100,
            &filter,
            &[("127.0.0.1:1", "127.0.0.1:6379", TcpState::Established)],
        ));
        let next = [
            ("127.0.0.1:1", "127.0.0.1:6379", TcpState::Closing),
            ("127.0.0.1:2", "127.0.0.1:6379", TcpState::Established),
            ("127.0.0.1:6379", "127.0.0.1:2", TcpState::Established),
        ];
        assert_eq!(counter.sample(reading(102, &filter, &next)).new, 1, "one was to a neighbour");
        assert_eq!(counter.sample(reading(102, &filter, &next)).new, 1, "known by now");
    }

    #[test]
    fn connections_within_the_task_to_the_port_are_new_unless_they_are_ignored() {
        for (ignore, expected) in [(false, 1), (true, 0)] {
            let mut counter =
                ConnectionCounter::start(KernelReading { passive_opens: 100, ..KernelReading::default() });
            let checked = [("127.0.0.1:9", "127.0.0.1:5044", TcpState::Closing)];
            assert_eq!(counter.sample(reading(101, &filter(ignore), &checked)).new, expected);
        }
    }

    #[test]
    fn a_sample_that_was_too_low_is_corrected_by_the_next() {
        let mut counter = ConnectionCounter::start(KernelReading { passive_opens: 100, ..KernelReading::default() });
        let news: Vec<_> = [(101, 0), (101, 1), (102, 1), (103, 1)]
            .map(|(passive_opens, own)| {
                counter.sample(KernelReading { passive_opens, own, ..KernelReading::default() }).new
            })
            .to_vec();
        assert_eq!(news, [1, 1, 1, 2]);
    }

    #[test]
    fn connections_beyond_the_tracking_limit_count_as_new() {
        let mut many = KernelReading { passive_opens: 10_000, ..KernelReading::default() };
        for client in 0..10_000_u16 {
            let [local, remote] = [client, 6379].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
            many.add(&Socket { local, remote, state: TcpState::Closing }, &filter(false));
        }
        assert_eq!(many.excluded.len(), MAX_EXCLUDED);
        let mut counter = ConnectionCounter::start(many.clone());
        assert_eq!(counter.sample(KernelReading { passive_opens: 10_007, ..KernelReading::default() }).new, 7);
        assert_eq!(counter.sample(KernelReading { passive_opens: 20_000, ..many }).new, 10_000);
    }
}

//! Turns the kernel's numbers into what the rules look at: connections in use, new ones, and received datagrams.
//!
//! The counter of passive opens includes every connection accepted in this network namespace. Connections to the hold's
//! own endpoint, and those within the namespace to ports that are not watched, are subtracted. A connection that arrives
//! between the reading of two files can make the result too low, never too high (see the order of reads in
//! [`super::kernel`]). The next sample corrects that, because the highest result so far counts.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use super::half_closed::Acknowledged;
use super::socket::{Socket, TcpState};
use crate::rules::Sample;

/// At most this many connections within the namespace are tracked. Others count as new, which only extends the hold.
const MAX_EXCLUDED: usize = 4096;
/// At most this many other UDP ports are remembered, for a warning.
const MAX_NAMED_PORTS: usize = 8;

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
    /// The number of these that the hold's health endpoint accepted.
    pub own: u64,
    /// Established connections on the watched ports.
    pub established: usize,
    /// Connections within this namespace that do not count, with the time for which the kernel remembers them: the longest if
    /// an end is not in `TIME_WAIT`. It only decreases, unless a new connection has the same ports: over loopback the kernel
    /// reuses ports in `TIME_WAIT` after a second. Source: `ip-sysctl`, `tcp_tw_reuse`.
    pub excluded: BTreeMap<Pair, u32>,
    /// Whether half-closed connections on the watched ports exist.
    pub has_half_closed: bool,
    /// Their progress, if it could be read.
    pub acknowledged: Acknowledged,
    /// Datagrams received in this network namespace since it exists; `None` if the kernel does not count them.
    pub datagrams: Option<u64>,
    /// Whether a watched port has a UDP socket. Known in the first reading only.
    pub is_udp_watched: bool,
    /// Other UDP ports in this namespace; their datagrams are in the same counter.
    pub other_udp_ports: BTreeSet<u16>,
}

/// The two ends of a connection, the lesser first, so that both of its sockets give the same pair.
pub type Pair = (SocketAddr, SocketAddr);

/// Counts connections since the stop signal.
#[derive(Debug, Clone)]
pub struct ConnectionCounter {
    start: KernelReading,
    known: BTreeMap<Pair, u32>,
    acknowledged: Acknowledged,
    excluded: u64,
    new: u64,
}

impl KernelReading {
    /// Adds a TCP socket.
    pub fn add(&mut self, socket: &Socket, filter: &PortFilter) {
        let counts = filter.counts(socket);
        match socket.state {
            TcpState::Established if counts => self.established = self.established.saturating_add(1),
            TcpState::HalfClosed => self.has_half_closed |= counts,
            TcpState::Before => return,
            TcpState::Established | TcpState::Closing | TcpState::TimeWait(_) => {}
        }
        if socket.is_local() && !counts && !filter.counts(&socket.other_end()) && !filter.is_own(socket) {
            self.exclude(socket);
        }
    }

    /// Adds a UDP socket. Port 0 is a socket that is not bound.
    pub fn add_udp(&mut self, socket: &Socket, filter: &PortFilter) {
        let port = socket.local.port();
        if filter.ports.contains(&port) {
            self.is_udp_watched = true;
        } else if port != 0 && self.other_udp_ports.len() < MAX_NAMED_PORTS {
            self.other_udp_ports.insert(port);
        }
    }

    fn exclude(&mut self, socket: &Socket) {
        let left = if let TcpState::TimeWait(left) = socket.state { left } else { u32::MAX };
        let pair = (socket.local.min(socket.remote), socket.local.max(socket.remote));
        if self.excluded.len() < MAX_EXCLUDED {
            self.excluded.entry(pair).and_modify(|known| *known = left.max(*known)).or_insert(left);
        }
    }
}

impl PortFilter {
    /// Whether a socket is the application's end of a connection that counts.
    #[must_use]
    pub fn counts(&self, socket: &Socket) -> bool {
        self.ports.contains(&socket.local.port()) && !(self.ignore_local && socket.is_local())
    }

    fn is_own(&self, socket: &Socket) -> bool {
        self.own_port.is_some_and(|port| port == socket.local.port() || port == socket.remote.port())
    }
}

impl ConnectionCounter {
    /// Starts counting at this reading.
    #[must_use]
    pub fn start(start: KernelReading) -> Self {
        let (known, acknowledged) = (start.excluded.clone(), start.acknowledged.clone());
        Self { known, acknowledged, start, excluded: 0, new: 0 }
    }

    /// Returns the sample for a later reading.
    pub fn sample(&mut self, reading: KernelReading) -> Sample {
        self.excluded = self.excluded.saturating_add(self.newly_excluded(&reading));
        let opened = reading.passive_opens.saturating_sub(self.start.passive_opens);
        let own = reading.own.saturating_sub(self.start.own);
        self.new = self.new.max(opened.saturating_sub(own).saturating_sub(self.excluded));
        let established = reading.established.saturating_add(self.half_closed_in_use(&reading));
        let received = || reading.datagrams.unwrap_or(0).saturating_sub(self.start.datagrams.unwrap_or(0));
        let datagrams = self.start.is_udp_watched.then(received);
        (self.known, self.acknowledged) = (reading.excluded, reading.acknowledged);
        Sample { established, new: self.new, datagrams, work_in_progress: None }
    }

    /// The UDP ports that share the counter of datagrams with the watched ones, separated by commas.
    #[must_use]
    pub fn other_udp_ports(&self) -> String {
        self.start.other_udp_ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// A half-closed connection is in use while its client acknowledges data; one that was not known counts once.
    fn half_closed_in_use(&self, reading: &KernelReading) -> usize {
        let has_changed = |(id, bytes): &(&u64, &u64)| self.acknowledged.get(id) != Some(bytes);
        reading.acknowledged.iter().filter(has_changed).count()
    }

    /// Returns 0 if a set is full, because a connection that is not in a full set may have existed before.
    fn newly_excluded(&self, reading: &KernelReading) -> u64 {
        let is_full = [&reading.excluded, &self.known].iter().any(|pairs| pairs.len() >= MAX_EXCLUDED);
        let is_new = |(pair, left): &(&Pair, &u32)| self.known.get(pair).is_none_or(|known| *left > known);
        let more = if is_full { 0 } else { reading.excluded.iter().filter(is_new).count() };
        u64::try_from(more).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: &str = "10.0.1.5:50000";
    const TASK: &str = "10.0.2.21:5044";
    const ANY: &str = "0.0.0.0:0";

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

    #[test]
    fn a_half_closed_connection_is_in_use_while_its_client_acknowledges_data() {
        let start = KernelReading { acknowledged: Acknowledged::from([(9, 5)]), ..KernelReading::default() };
        let mut counter = ConnectionCounter::start(start);
        let mut sample = |acknowledged: &[(u64, u64)]| {
            let acknowledged = acknowledged.iter().copied().collect();
            counter.sample(KernelReading { acknowledged, ..KernelReading::default() }).established
        };
        assert_eq!(sample(&[(1, 10), (2, 0), (9, 5)]), 2, "9 is not new");
        assert_eq!(sample(&[(1, 20), (2, 0)]), 1, "one makes progress");
        assert_eq!(sample(&[(1, 20), (2, 0)]), 0);
        assert_eq!(sample(&[(1, 20), (2, 1), (3, 0)]), 2);
    }

    #[test]
    fn datagrams_count_while_a_watched_port_has_a_udp_socket() {
        let mut start = KernelReading { datagrams: Some(40), ..KernelReading::default() };
        let later = KernelReading { datagrams: Some(43), ..KernelReading::default() };
        assert_eq!(ConnectionCounter::start(start.clone()).sample(later.clone()).datagrams, None);
        for address in ["0.0.0.0:53", "127.0.0.1:2000", "0.0.0.0:0"] {
            let socket =
                Socket { local: address.parse().unwrap(), remote: ANY.parse().unwrap(), state: TcpState::Before };
            start.add_udp(&socket, &PortFilter { ports: vec![53], own_port: None, ignore_local: false });
        }
        let mut counter = ConnectionCounter::start(start);
        assert_eq!(counter.sample(later).datagrams, Some(3));
        assert_eq!(counter.other_udp_ports(), "2000");
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
        assert_eq!(counter.sample(reading(103, &filter(false), &[])), Sample { new: 3, ..Sample::default() });
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
    fn a_connection_with_the_ports_of_one_before_is_not_the_one_before() {
        let filter = filter(false);
        let mut counter = ConnectionCounter::start(KernelReading::default());
        let states = [TcpState::Established, TcpState::TimeWait(5999), TcpState::TimeWait(5900)];
        let reused = [TcpState::TimeWait(5950), TcpState::TimeWait(5000), TcpState::Established];
        let opened = [1, 1, 1, 2, 2, 3];
        for (state, passive_opens) in states.into_iter().chain(reused).zip(opened) {
            let sockets = [("127.0.0.1:1", "127.0.0.1:6379", state)];
            assert_eq!(counter.sample(reading(passive_opens, &filter, &sockets)).new, 0, "{state:?}");
        }
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

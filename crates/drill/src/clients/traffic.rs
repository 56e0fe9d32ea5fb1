//! Opens connections at a fixed rate, some of them held. A slow connection does not delay the others.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::clients::client::{self, ClientAnswer};
use crate::clients::connection::Attempt;
use crate::clients::frontend::Frontend;
use crate::clients::outcome::ClientView;
use crate::clock::{Clock, rounded};

/// If the clients are delayed for this long, in real time, the figures are invalid, because connections that the service might
/// have refused were never opened.
const STALL: Duration = Duration::from_secs(1);

/// The number and kind of connections to open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrafficSettings {
    /// Connections opened per real second.
    pub rate: u32,
    /// Percentage of connections that are held open; the rest send one request.
    pub held_percent: u32,
    /// How long a held connection stays open, in seconds of the clock.
    pub held_seconds: f64,
    /// When the traffic ends.
    pub end: f64,
}

/// A time during which the clients should have opened connections, but opened none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Stall {
    /// When the clients continued, in seconds of the clock.
    pub at: f64,
    /// The length of the stall, in real seconds.
    pub seconds: f64,
}

/// The connections that have ended so far. Connections that are still open are missing.
#[derive(Debug, Default)]
pub(crate) struct TrafficLog {
    attempts: RefCell<Vec<Attempt>>,
    opened: Cell<usize>,
    lost: Cell<usize>,
    not_opened: Cell<usize>,
    stall: Cell<Option<Stall>>,
}

impl TrafficLog {
    /// Returns the number of opened connections and the number of lost ones so far.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.opened.get(), self.lost.get())
    }

    /// The longest stall.
    pub(crate) fn stall(&self) -> Option<Stall> {
        self.stall.get()
    }

    /// The number of connections that this machine could not open.
    pub(crate) fn not_opened(&self) -> usize {
        self.not_opened.get()
    }

    /// The names of the servers that answered, each once.
    pub(crate) fn servers(&self) -> Vec<String> {
        let attempts = self.attempts.borrow();
        let names: BTreeSet<_> = attempts.iter().filter_map(|attempt| attempt.served_by.as_ref()).collect();
        names.into_iter().cloned().collect()
    }

    pub(crate) fn take(&self) -> Vec<Attempt> {
        self.attempts.take()
    }

    /// Notes that a connection ended. An error: this machine could not open it.
    fn end(&self, attempt: io::Result<Attempt>) {
        let Ok(attempt) = attempt else { return self.not_opened.set(self.not_opened.get() + 1) };
        self.lost.set(self.lost.get() + usize::from(attempt.view != ClientView::Whole));
        self.attempts.borrow_mut().push(attempt);
    }

    /// Notes how late the clients continued at this time.
    fn resume(&self, at: f64, late: Duration) {
        let seconds = rounded(late.as_secs_f64());
        if late >= STALL && self.stall.get().is_none_or(|longest| longest.seconds < seconds) {
            self.stall.set(Some(Stall { at: rounded(at), seconds }));
        }
    }
}

/// Opens connections until the end, and waits until all have ended.
pub(crate) async fn traffic(settings: TrafficSettings, clock: Clock, frontend: &Frontend, log: &TrafficLog) {
    raise_file_limit();
    // From the start of the clock, so that a delay before the first connection is a stall too.
    let mut ticks = interval_at(clock.started().into(), Duration::from_secs(1) / settings.rate.max(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut open, mut share) = (JoinSet::new(), Share::new(settings.held_percent));
    loop {
        tokio::select! {
            due = ticks.tick() => {
                let now = clock.now();
                log.resume(now, due.elapsed());
                if now >= settings.end {
                    break;
                }
                log.opened.set(log.opened.get() + 1);
                let hold = share.next().then_some(settings.held_seconds.min(settings.end - now));
                open.spawn(attempt(clock, frontend.clone(), hold));
            }
            Some(Ok(ended)) = open.join_next() => log.end(ended),
        }
    }
    for ended in open.join_all().await {
        log.end(ended);
    }
}

/// Allows this process as many open files as the hard limit does. The usual soft limit of 1,024 is less than a thousand held
/// connections need.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    // If it cannot be raised, connections that need it are reported as not opened.
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).ok();
}

/// Opens one connection. `hold` is how long the connection is held, in seconds of the clock; `None` sends one request. Fails if
/// this machine cannot open it.
async fn attempt(clock: Clock, frontend: Frontend, hold: Option<f64>) -> io::Result<Attempt> {
    let (opened, is_held) = (clock.now(), hold.is_some());
    let stream = match client::connect(&frontend).await {
        Err(error) if is_own(&error) => return Err(error),
        stream => stream.ok(),
    };
    let port = stream.as_ref().and_then(|stream| stream.local_addr().ok()).map(|address| address.port());
    let ClientAnswer { view, served_by } = match (stream, hold) {
        (None, _) => ClientView::Refused.into(),
        (Some(stream), None) => client::request(stream, &frontend).await,
        (Some(stream), Some(seconds)) => client::hold(stream, &frontend, Instant::now() + clock.wall(seconds)).await,
    };
    Ok(Attempt { opened, ended: clock.now(), port, is_held, view, served_by })
}

/// Whether this machine, and not the network or the service, is the cause: it has no file descriptor, port or buffer left.
fn is_own(error: &io::Error) -> bool {
    let own = [Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL, Errno::NOBUFS, Errno::NOMEM];
    Errno::from_io_error(error).is_some_and(|errno| own.contains(&errno))
}

/// Selects a percentage of the connections, evenly spread.
struct Share {
    percent: u32,
    due: u32,
}

impl Share {
    fn new(percent: u32) -> Self {
        Self { percent, due: 0 }
    }

    fn next(&mut self) -> bool {
        self.due += self.percent;
        let is_due = self.due >= 100;
        self.due -= if is_due { 100 } else { 0 };
        is_due
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::clients::frontend::ClientProtocol;

    #[test]
    fn a_share_is_evenly_spread() {
        let mut share = Share::new(25);
        let first: Vec<_> = (0..8).map(|_| share.next()).collect();
        assert_eq!(first, [false, false, false, true, false, false, false, true]);
        assert!(!Share::new(0).next() && Share::new(100).next());
    }

    #[test]
    fn the_longest_stall_is_kept() {
        let log = TrafficLog::default();
        for (at, late) in [(1.0, 900), (5.0, 1500), (5.1, 1400), (9.0, 1200)] {
            log.resume(at, Duration::from_millis(late));
        }
        assert_eq!(log.stall(), Some(Stall { at: 5.0, seconds: 1.5 }));
    }

    #[tokio::test]
    async fn a_process_that_is_suspended_before_its_first_connection_has_stalled() {
        let settings = TrafficSettings { rate: 10, held_percent: 0, held_seconds: 0.0, end: 1.0 };
        let (clock, log) = (Clock::start(0.0, 1.0), TrafficLog::default());
        let frontend = Frontend::at(SocketAddr::from(([127, 0, 0, 1], 1)), ClientProtocol::Tcp);
        std::thread::sleep(STALL); // the suspension itself
        traffic(settings, clock, &frontend, &log).await;
        assert!(log.stall().is_some_and(|stall| stall.seconds >= 1.0), "{:?}", log.stall());
        assert_eq!(log.counts(), (0, 0));
    }
}

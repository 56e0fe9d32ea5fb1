//! A running probe: the clients, and the marks and target states that are recorded meanwhile.

use std::cell::RefCell;
use std::time::SystemTime;

use crate::clients::client;
use crate::clients::frontend::{ClientProtocol, Frontend};
use crate::clients::outcome::ClientView;
use crate::clients::traffic::{TrafficLog, TrafficSettings, traffic};
use crate::clock::{Clock, rounded};
use crate::probe::record::{ProbeMark, ProbeRecord, StateChange};

/// A probe of one service. Its clock starts with it.
#[derive(Debug)]
pub struct RunningProbe {
    frontend: Frontend,
    settings: TrafficSettings,
    clock: Clock,
    started: SystemTime,
    log: TrafficLog,
    marks: RefCell<Vec<ProbeMark>>,
    states: RefCell<Vec<StateChange>>,
}

/// Why a service cannot be probed.
#[derive(Debug, thiserror::Error)]
pub enum NotServed {
    #[error("cannot connect: {0}")]
    Connect(#[from] std::io::Error),
    #[error("it accepts connections, but does not answer an HTTP request. If it speaks another protocol, pass --tcp")]
    NotHttp,
    #[error("it answers 502, 503 or 504: no target takes the request")]
    NoTarget,
    #[error("it ends connections within a second of opening them")]
    Ends,
}

/// Opens one connection, to find out whether the service serves at all.
///
/// # Errors
///
/// If it does not serve.
pub async fn try_once(frontend: &Frontend) -> Result<(), NotServed> {
    let stream = client::connect(frontend).await?;
    match (client::request(stream, frontend).await.view, &frontend.protocol) {
        (ClientView::Whole, _) => Ok(()),
        (ClientView::Refused, _) => Err(NotServed::NoTarget),
        (_, ClientProtocol::Tcp) => Err(NotServed::Ends),
        // A server that speaks first may be read before the request is sent, and then looks like one that does not answer.
        (ClientView::Part | ClientView::Nothing, ClientProtocol::Http { .. }) => Err(NotServed::NotHttp),
    }
}

impl RunningProbe {
    #[must_use]
    pub fn start(frontend: Frontend, settings: TrafficSettings) -> Self {
        let (marks, states) = (RefCell::default(), RefCell::default());
        let (clock, started) = (Clock::start(0.0, 1.0), SystemTime::now());
        Self { frontend, settings, clock, started, log: TrafficLog::default(), marks, states }
    }

    /// Opens connections until the end. If this future is dropped earlier, the results so far are kept.
    pub async fn run_clients(&self) {
        traffic(self.settings, self.clock, &self.frontend, &self.log).await;
    }

    /// Seconds since the start.
    #[must_use]
    pub fn now(&self) -> f64 {
        self.clock.now()
    }

    /// Waits until this number of seconds after the start.
    pub async fn until(&self, time: f64) {
        self.clock.until(time).await;
    }

    /// Returns the number of opened connections and the number of lost ones so far.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        self.log.counts()
    }

    /// The names of the servers that have answered so far, each once.
    #[must_use]
    pub fn servers(&self) -> Vec<String> {
        self.log.servers()
    }

    /// The number of marks.
    #[must_use]
    pub fn mark_count(&self) -> usize {
        self.marks.borrow().len()
    }

    /// Marks the current moment.
    pub fn mark(&self, text: &str) {
        self.marks.borrow_mut().push(ProbeMark { at: rounded(self.now()), text: text.to_owned() });
    }

    /// Adds a change of a target's state to the result.
    pub fn record_state(&self, change: StateChange) {
        self.states.borrow_mut().push(change);
    }

    /// The result so far, without the connections that are still open.
    #[must_use]
    pub fn record(
        &self,
        against: &str,
        timestamp: impl FnOnce(SystemTime) -> String,
    ) -> (ProbeRecord, ServedConnections) {
        let seconds = self.now().min(self.settings.end);
        let mut attempts = self.log.take();
        attempts.sort_by(|one, other| one.opened.total_cmp(&other.opened));
        let mut record = ProbeRecord::of(against, timestamp(self.started), self.settings, seconds, &attempts);
        (record.marks, record.states) = (self.marks.take(), self.states.take());
        (record.stalled, record.not_opened) = (self.log.stall(), self.log.not_opened());
        (record, ServedConnections(attempts.into_iter().filter_map(|one| Some((one.served_by?, one.opened))).collect()))
    }
}

/// The times at which connections were opened, with the name of the server that answered.
#[derive(Debug)]
pub struct ServedConnections(Vec<(String, f64)>);

impl ServedConnections {
    /// The times at which the connections of this server were opened.
    #[must_use]
    pub fn of(&self, server: &str) -> Vec<f64> {
        self.0.iter().filter(|(name, _)| name == server).map(|(_, opened)| *opened).collect()
    }
}

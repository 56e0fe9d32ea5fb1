//! The health endpoint: mirrors the checks' result, and fails from the stop signal on.
//!
//! With an HTTP check it answers with the application's status, or 503. With a TCP check, the endpoint's port is open while the
//! application's port is open. Otherwise it is closed, which also fails a load balancer's HTTP check.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use super::request::{HealthRequest, Protocol, RequestProgress};
use super::{ApplicationHealth, Cause};

/// The maximum number of open connections. A load balancer does not open more than this at a time.
const MAX_REQUESTS: usize = 32;
/// The maximum number of accepts in a row: more than the standard library's backlog of 128.
const MAX_ACCEPTS: usize = 1024;
/// Pause after an error of the listener.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// A listener, and the connections to it.
#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
    closes: bool,
    health: ApplicationHealth,
    listener: Option<TcpListener>,
    requests: Vec<HealthRequest>,
    unsupported: Vec<Protocol>,
    accepted: u64,
    paused_until: Duration,
}

impl Endpoint {
    /// Binds the port, so that a port in use is reported at the start. `closes`: the port is open only while healthy.
    pub fn open(address: SocketAddr, closes: bool) -> io::Result<Self> {
        let listener = Some(listen(address)?).filter(|_| !closes);
        let health = ApplicationHealth::NoAnswer(Cause::NotChecked);
        Ok(Self {
            address,
            closes,
            health,
            listener,
            requests: Vec::new(),
            unsupported: Vec::new(),
            accepted: 0,
            paused_until: Duration::ZERO,
        })
    }

    /// Sets the health that the endpoint shows from now on. Fails if another process has taken the port; [`Self::serve`] retries.
    pub fn set_health(&mut self, health: ApplicationHealth, now: Duration) -> io::Result<()> {
        self.health = health;
        if self.closes && !health.is_good() {
            self.accept(now);
            self.listener = None;
            self.requests.clear();
        }
        self.reopen(now)
    }

    /// Accepts and answers without blocking.
    pub fn serve(&mut self, now: Duration) {
        let _retried_later = if now < self.paused_until { Ok(()) } else { self.reopen(now) };
        self.accept(now);
        self.answer(now);
    }

    /// The unsupported protocols that clients have used so far, each once, in the order of their appearance.
    #[must_use]
    pub fn unsupported(&self) -> &[Protocol] {
        &self.unsupported
    }

    /// Returns how many connections have arrived so far, and accepts those that are pending.
    pub fn accepted(&mut self, now: Duration) -> u64 {
        self.accept(now);
        self.accepted
    }

    /// The sockets to wait for.
    pub fn fds(&self, now: Duration) -> impl Iterator<Item = BorrowedFd<'_>> {
        let listener = self.listener.iter().filter(move |_| now >= self.paused_until).map(|listener| listener.as_fd());
        listener.chain(self.requests.iter().map(HealthRequest::fd))
    }

    /// The time at which [`Self::serve`] must be called even if no socket is ready.
    #[must_use]
    pub fn deadline(&self, now: Duration) -> Option<Duration> {
        let pause = Some(self.paused_until).filter(|until| *until > now);
        self.requests.iter().map(HealthRequest::until).chain(pause).min()
    }

    fn reopen(&mut self, now: Duration) -> io::Result<()> {
        if self.listener.is_some() || !self.health.is_good() {
            return Ok(());
        }
        self.listener =
            listen(self.address).inspect_err(|_| self.paused_until = now.saturating_add(RETRY_PAUSE)).map(Some)?;
        Ok(())
    }

    /// Accepts pending connections: more than a full backlog, but a limited number.
    fn accept(&mut self, now: Duration) {
        for _ in 0..MAX_ACCEPTS {
            let Some(listener) = &self.listener else { return };
            match listener.accept() {
                Ok((stream, _)) => {
                    self.accepted = self.accepted.saturating_add(1);
                    self.admit(stream, now);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => {}
                Err(_) => {
                    self.paused_until = now.saturating_add(RETRY_PAUSE);
                    return;
                }
            }
        }
    }

    /// If there are too many connections, the endpoint answers every request that has arrived before it drops a connection.
    fn admit(&mut self, stream: TcpStream, now: Duration) {
        if stream.set_nonblocking(true).is_err() {
            return;
        }
        self.requests.push(HealthRequest::new(stream, now));
        if self.requests.len() > MAX_REQUESTS {
            self.answer(now);
        }
        if self.requests.len() > MAX_REQUESTS {
            let lowest = self.requests.iter().enumerate().min_by_key(|(_, request)| request.priority());
            let _dropped = lowest.map(|(place, _)| place).map(|place| self.requests.remove(place));
        }
    }

    fn answer(&mut self, now: Duration) {
        let (health, unsupported) = (self.health, &mut self.unsupported);
        self.requests.retain_mut(|request| match request.serve(health, now) {
            RequestProgress::Open => true,
            RequestProgress::Finished => false,
            RequestProgress::Unsupported(protocol) => {
                unsupported.extend((!unsupported.contains(&protocol)).then_some(protocol));
                false
            }
        });
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

//! The health endpoint: mirrors the checks' result, and fails from the stop signal on.
//!
//! With an HTTP check it answers with the application's status, or 503. With a TCP check its port is open while the
//! application's is, and closed otherwise, which also fails a load balancer's HTTP check.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use super::request::HealthRequest;
use super::{Cause, Health};

/// A load balancer does not open more at once.
const MAX_REQUESTS: usize = 32;
/// Pause after an error of the listener.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// A listener, and the connections to it.
#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
    closes: bool,
    health: Health,
    listener: Option<TcpListener>,
    requests: Vec<HealthRequest>,
    accepted: u64,
    paused_until: Duration,
}

impl Endpoint {
    /// Binds the port, so that a port in use is reported at the start. `closes`: the port is open only while healthy.
    pub fn open(address: SocketAddr, closes: bool) -> io::Result<Self> {
        let listener = Some(listen(address)?).filter(|_| !closes);
        let health = Health::NoAnswer(Cause::NotChecked);
        Ok(Self { address, closes, health, listener, requests: Vec::new(), accepted: 0, paused_until: Duration::ZERO })
    }

    /// Shows this health from now on. Fails if the port is in use by now; [`Self::serve`] retries.
    pub fn set_health(&mut self, health: Health, now: Duration) -> io::Result<()> {
        self.health = health;
        if self.closes && !health.is_good() {
            self.accept(now);
            self.listener = None;
            self.requests.clear();
        }
        self.reopen(now)
    }

    /// Makes progress without waiting.
    pub fn serve(&mut self, now: Duration) {
        let _retried_later = if now < self.paused_until { Ok(()) } else { self.reopen(now) };
        self.accept(now);
        let health = self.health;
        self.requests.retain_mut(|visitor| visitor.serve(health, now));
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

    /// When [`Self::serve`] is due even without an event.
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

    fn accept(&mut self, now: Duration) {
        while let Some(listener) = &self.listener {
            match listener.accept() {
                Ok((stream, _)) => {
                    self.accepted = self.accepted.saturating_add(1);
                    let is_ready = stream.set_nonblocking(true).is_ok();
                    self.requests.extend(is_ready.then(|| HealthRequest::new(stream, now)));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => {}
                Err(_) => {
                    self.paused_until = now.saturating_add(RETRY_PAUSE);
                    break;
                }
            }
            let too_many = self.requests.len().saturating_sub(MAX_REQUESTS);
            self.requests.drain(..too_many);
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

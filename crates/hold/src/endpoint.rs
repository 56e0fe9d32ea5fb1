//! The health endpoint: mirrors what the checks find, and says no from the stop signal on.
//!
//! Where the application is checked by HTTP it answers with the application's status, or 503. Where it is checked by TCP
//! the port is open as long as the application's is, and closed otherwise; a health check by HTTP understands that too.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::Duration;

use crate::health::{Health, Why};
use crate::visitor::Visitor;

/// More at once are none of a load balancer's: the oldest gives way.
const MOST_VISITORS: usize = 32;
/// How long to leave a listener alone that fails.
const REST: Duration = Duration::from_secs(1);

/// The endpoint.
#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
    closes: bool,
    health: Health,
    listener: Option<TcpListener>,
    visitors: Vec<Visitor>,
    accepted: u64,
    rests_until: Duration,
}

impl Endpoint {
    /// Takes the port, so that one that is taken already is found at once. `closes`: it is open only in good health.
    pub fn open(address: SocketAddr, closes: bool) -> io::Result<Self> {
        let listener = Some(listen(address)?).filter(|_| !closes);
        let health = Health::Silent(Why::NotChecked);
        Ok(Self { address, closes, health, listener, visitors: Vec::new(), accepted: 0, rests_until: Duration::ZERO })
    }

    /// Tells this from now on. An error: the port is another's by now; it is tried again with [`Self::serve`].
    pub fn show(&mut self, health: Health, now: Duration) -> io::Result<()> {
        self.health = health;
        if self.closes && !health.is_good() {
            self.accept(now);
            self.listener = None;
            self.visitors.clear();
        }
        self.reopen(now)
    }

    /// Does what can be done now, and waits for nothing.
    pub fn serve(&mut self, now: Duration) {
        let _tried_again_later = if now < self.rests_until { Ok(()) } else { self.reopen(now) };
        self.accept(now);
        let health = self.health;
        self.visitors.retain_mut(|visitor| visitor.serve(health, now));
    }

    /// How many connections it has accepted, all that have come by now included.
    pub fn accepted(&mut self, now: Duration) -> u64 {
        self.accept(now);
        self.accepted
    }

    /// What to wait for.
    pub fn fds(&self, now: Duration) -> impl Iterator<Item = BorrowedFd<'_>> {
        let listener = self.listener.iter().filter(move |_| now >= self.rests_until).map(|listener| listener.as_fd());
        listener.chain(self.visitors.iter().map(Visitor::fd))
    }

    /// When something is to be done though nothing happens.
    #[must_use]
    pub fn deadline(&self, now: Duration) -> Option<Duration> {
        let rest = Some(self.rests_until).filter(|until| *until > now);
        self.visitors.iter().map(Visitor::until).chain(rest).min()
    }

    fn reopen(&mut self, now: Duration) -> io::Result<()> {
        if self.listener.is_some() || !self.health.is_good() {
            return Ok(());
        }
        self.listener = listen(self.address).inspect_err(|_| self.rests_until = now.saturating_add(REST)).map(Some)?;
        Ok(())
    }

    fn accept(&mut self, now: Duration) {
        while let Some(listener) = &self.listener {
            match listener.accept() {
                Ok((stream, _)) => {
                    self.accepted = self.accepted.saturating_add(1);
                    let is_ready = stream.set_nonblocking(true).is_ok();
                    self.visitors.extend(is_ready.then(|| Visitor::new(stream, now)));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => {}
                Err(_) => {
                    self.rests_until = now.saturating_add(REST);
                    break;
                }
            }
            let too_many = self.visitors.len().saturating_sub(MOST_VISITORS);
            self.visitors.drain(..too_many);
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

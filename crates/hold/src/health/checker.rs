//! Checks the application periodically.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::PollFlags;

use crate::health::ApplicationHealth;
use crate::health::check::ApplicationCheck;
use crate::http::{HttpGet, Version};

/// The interval until the first success, if it is shorter than the configured one.
const STARTUP_INTERVAL: Duration = Duration::from_secs(1);

/// Runs one check at a time.
#[derive(Debug)]
pub struct Checker {
    check: ApplicationCheck,
    interval: Duration,
    timeout: Duration,
    next: Duration,
    has_succeeded: bool,
    probe: Option<HttpGet>,
}

impl Checker {
    /// The first check is due immediately.
    #[must_use]
    pub fn new(check: ApplicationCheck, interval: Duration, timeout: Duration) -> Self {
        Self { check, interval, timeout, next: Duration::ZERO, has_succeeded: false, probe: None }
    }

    /// Makes progress without waiting; returns the result of a check that has ended.
    pub fn advance(&mut self, now: Duration) -> Option<ApplicationHealth> {
        let result = if self.is_due(now) { self.begin(now) } else { None };
        let check = &self.check;
        let result = result.or_else(|| self.probe.as_mut().and_then(|probe| probe.advance(check, now)));
        self.probe = self.probe.take().filter(|probe| !probe.is_over());
        self.has_succeeded |= result.is_some_and(ApplicationHealth::is_good);
        result
    }

    /// The socket to wait for, and the event.
    #[must_use]
    pub fn interest(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        self.probe.as_ref().map(HttpGet::interest)
    }

    /// When `advance` is due even without an event.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        match &self.probe {
            Some(probe) if probe.is_pending() => probe.until(),
            Some(probe) => probe.until().min(self.next),
            None => self.next,
        }
    }

    fn is_due(&self, now: Duration) -> bool {
        now >= self.next && !self.probe.as_ref().is_some_and(HttpGet::is_pending)
    }

    fn begin(&mut self, now: Duration) -> Option<ApplicationHealth> {
        let pause = if self.has_succeeded { self.interval } else { self.interval.min(STARTUP_INTERVAL) };
        self.next = now.saturating_add(pause);
        match HttpGet::begin(&self.check, Version::Http11, now.saturating_add(self.timeout)) {
            Ok(probe) => {
                self.probe = Some(probe);
                None
            }
            Err(health) => Some(health),
        }
    }
}

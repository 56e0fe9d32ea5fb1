//! The checks of the application, one after another.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::PollFlags;

use crate::check::Check;
use crate::health::Health;
use crate::probe::Probe;

/// Until the application is up, it is asked more often.
const AT_FIRST: Duration = Duration::from_secs(1);

/// The checks.
#[derive(Debug)]
pub struct Checker {
    check: Check,
    interval: Duration,
    timeout: Duration,
    next: Duration,
    was_good: bool,
    probe: Option<Probe>,
}

impl Checker {
    /// Begins at once.
    #[must_use]
    pub fn new(check: Check, interval: Duration, timeout: Duration) -> Self {
        Self { check, interval, timeout, next: Duration::ZERO, was_good: false, probe: None }
    }

    /// Does what can be done now; the result of a check, if one has ended.
    pub fn advance(&mut self, now: Duration) -> Option<Health> {
        let found = if self.is_due(now) { self.begin(now) } else { None };
        let check = &self.check;
        let found = found.or_else(|| self.probe.as_mut().and_then(|probe| probe.advance(check, now)));
        self.probe = self.probe.take().filter(|probe| !probe.is_over());
        self.was_good |= found.is_some_and(Health::is_good);
        found
    }

    /// What to wait for.
    #[must_use]
    pub fn interest(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        self.probe.as_ref().map(Probe::interest)
    }

    /// When something is to be done though nothing happens.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        match &self.probe {
            Some(probe) if probe.is_undecided() => probe.until(),
            Some(probe) => probe.until().min(self.next),
            None => self.next,
        }
    }

    fn is_due(&self, now: Duration) -> bool {
        now >= self.next && !self.probe.as_ref().is_some_and(Probe::is_undecided)
    }

    fn begin(&mut self, now: Duration) -> Option<Health> {
        let pause = if self.was_good { self.interval } else { self.interval.min(AT_FIRST) };
        self.next = now.saturating_add(pause);
        match Probe::begin(&self.check, now.saturating_add(self.timeout)) {
            Ok(probe) => {
                self.probe = Some(probe);
                None
            }
            Err(health) => Some(health),
        }
    }
}

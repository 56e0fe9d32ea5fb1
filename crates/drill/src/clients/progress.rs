//! The progress of a run, for display.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::clients::connection::Attempt;
use crate::clients::outcome::ClientView;
use crate::setup::scenario::Scenario;

#[derive(Debug, Clone, Copy)]
pub struct RunProgress {
    pub scenario: Scenario,
    /// Simulated seconds since the notice; negative before it.
    pub now: f64,
    /// When the run ends.
    pub end: f64,
    pub opened: usize,
    pub lost: usize,
}

/// Counters that the clients update.
#[derive(Debug, Default)]
pub(crate) struct TrafficCounters {
    opened: AtomicUsize,
    lost: AtomicUsize,
}

impl TrafficCounters {
    pub(crate) fn opened(&self) {
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self, attempt: &Attempt) {
        self.lost.fetch_add(usize::from(attempt.view != ClientView::Whole), Ordering::Relaxed);
    }

    pub(crate) fn progress(&self, scenario: Scenario, now: f64, end: f64) -> RunProgress {
        let (opened, lost) = (self.opened.load(Ordering::Relaxed), self.lost.load(Ordering::Relaxed));
        RunProgress { scenario, now, end, opened, lost }
    }
}

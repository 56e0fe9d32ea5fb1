//! How far a run is: for whoever waits for it.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::attempt::Attempt;
use crate::fate::Seen;
use crate::way::Way;

/// How far a run is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Which run.
    pub way: Way,
    /// Seconds since the notice; below zero before it.
    pub now: f64,
    /// When it ends.
    pub end: f64,
    /// Connections opened.
    pub opened: usize,
    /// Connections lost.
    pub lost: usize,
}

/// What is counted meanwhile.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    opened: AtomicUsize,
    lost: AtomicUsize,
}

impl Tally {
    pub(crate) fn opened(&self) {
        self.opened.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self, attempt: &Attempt) {
        self.lost.fetch_add(usize::from(attempt.seen != Seen::Whole), Ordering::Relaxed);
    }

    pub(crate) fn tell(&self, way: Way, now: f64, end: f64) -> Progress {
        let (opened, lost) = (self.opened.load(Ordering::Relaxed), self.lost.load(Ordering::Relaxed));
        Progress { way, now, end, opened, lost }
    }
}

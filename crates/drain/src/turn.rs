//! Whose turn is it? This sandbox's share of AWS's budget of DeregisterTargets.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use spotdrain_core::pace::Bucket;
use spotdrain_core::settings::Settings;

use crate::call::LEAST;
use crate::clock::Deadline;

/// The pace of one sandbox, kept from one invocation to the next.
#[derive(Debug)]
pub(crate) struct Pace {
    since: Instant,
    bucket: Mutex<Bucket>,
}

impl Pace {
    pub(crate) fn new(settings: &Settings) -> Self {
        let bucket = Bucket::new(settings.call_burst, settings.calls_per_second);
        Self { since: Instant::now(), bucket: Mutex::new(bucket) }
    }

    /// Takes a token and says how long to wait for it; `None`, and none is taken, if the deadline comes before.
    pub(crate) fn take(&self, deadline: Deadline) -> Option<Duration> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.since.elapsed();
        (bucket.wait(now) + LEAST <= deadline.left()).then(|| bucket.take(now))
    }
}

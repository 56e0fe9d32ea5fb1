//! Whose turn is it? This sandbox's share of AWS's budget, of every kind of call.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use spotdrain_core::pace::{Budget, Kind};
use spotdrain_core::schedule::Allowance;
use spotdrain_core::settings::Settings;

use crate::call::{LEAST, pause};
use crate::clock::Deadline;

/// The pace of one sandbox, kept from one invocation to the next.
#[derive(Debug)]
pub(crate) struct Pace {
    since: Instant,
    budget: Mutex<Budget>,
}

impl Pace {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { since: Instant::now(), budget: Mutex::new(Budget::new(settings)) }
    }

    /// How many groups can be read and written to until the deadline.
    pub(crate) fn allowance(&self, deadline: Deadline) -> Allowance {
        Allowance::of(&self.budget(), self.since.elapsed(), deadline.left())
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The turns of a call and its repetitions, up to a deadline.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turns<'a> {
    pace: Option<(&'a Pace, Kind)>,
    pub(crate) deadline: Deadline,
}

impl<'a> Turns<'a> {
    pub(crate) fn of(pace: &'a Pace, kind: Kind, deadline: Deadline) -> Self {
        Self { pace: Some((pace, kind)), deadline }
    }

    /// For calls that have no pace.
    pub(crate) fn free(deadline: Deadline) -> Self {
        Self { pace: None, deadline }
    }

    /// Waits for a turn; `None`, and none is taken, if the deadline comes before.
    pub(crate) async fn wait(&self) -> Option<()> {
        pause(self.take()?).await;
        Some(())
    }

    fn take(&self) -> Option<Duration> {
        let Some((pace, kind)) = self.pace else { return Some(Duration::ZERO) };
        let mut budget = pace.budget();
        let now = pace.since.elapsed();
        (budget.wait(kind, now) + LEAST <= self.deadline.left()).then(|| budget.take(kind, now))
    }
}

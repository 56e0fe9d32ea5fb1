//! How much time is left. Every call and every wait is bounded by a deadline that the caller hands down.

use std::time::{Duration, Instant};

use jiff::Timestamp;

/// What is kept back of an invocation's time for the report and the answer.
const MARGIN: Duration = Duration::from_millis(500);

/// The moment by which everything must have ended.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    #[must_use]
    pub fn after(duration: Duration) -> Self {
        Self(Instant::now() + duration)
    }

    /// The deadline of a Lambda invocation, in milliseconds since 1970, less what the answer needs.
    #[must_use]
    pub fn of_invocation(epoch_milliseconds: u64) -> Self {
        let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
        let left = Duration::from_millis(epoch_milliseconds.saturating_sub(now));
        Self::after(left.saturating_sub(MARGIN))
    }

    /// The earlier of this deadline and so long from now.
    #[must_use]
    pub fn within(self, duration: Duration) -> Self {
        Self(self.0.min(Instant::now() + duration))
    }

    /// A deadline so much earlier, which leaves time for what comes after.
    #[must_use]
    pub fn less(self, duration: Duration) -> Self {
        Self(self.0.checked_sub(duration).unwrap_or(self.0))
    }

    /// What is left; zero if it is over.
    #[must_use]
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

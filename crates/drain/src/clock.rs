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

    /// The earlier of this deadline and a moment on the clock.
    #[must_use]
    pub fn until(self, at: Timestamp) -> Self {
        let left = at.duration_since(Timestamp::now());
        self.within(Duration::try_from(left).unwrap_or_default())
    }

    /// A deadline so much earlier, which leaves time for what comes after; of a short time, half.
    #[must_use]
    pub fn keeping(self, duration: Duration) -> Self {
        self.within(self.left().saturating_sub(duration.min(self.left() / 2)))
    }

    /// What is left; zero if it is over.
    #[must_use]
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

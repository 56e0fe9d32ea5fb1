//! Deadlines. Every call and every wait has one.

use std::time::Duration;

use jiff::Timestamp;

use crate::shares;

/// The time by which work must have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Timestamp);

impl Deadline {
    /// Creates a deadline `duration` from now.
    #[must_use]
    pub fn after(now: Timestamp, duration: Duration) -> Self {
        Self(later(now, duration))
    }

    /// Creates the deadline of a Lambda invocation. `epoch_milliseconds`: Lambda's own deadline, in milliseconds since 1970, from
    /// which the time for the answer is subtracted.
    #[must_use]
    pub fn of_invocation(epoch_milliseconds: u64) -> Self {
        let end = i64::try_from(epoch_milliseconds).ok().and_then(|end| Timestamp::from_millisecond(end).ok());
        let end = end.unwrap_or(Timestamp::MAX);
        Self(end.saturating_sub(shares::ANSWER).unwrap_or(end))
    }

    /// Returns the earlier of this deadline and `duration` from now.
    #[must_use]
    pub fn within(self, now: Timestamp, duration: Duration) -> Self {
        self.until(later(now, duration))
    }

    /// Returns the earlier of this deadline and a time.
    #[must_use]
    pub fn until(self, at: Timestamp) -> Self {
        Self(self.0.min(at))
    }

    /// Reserves `duration` for later work, but never more than half of what is left.
    #[must_use]
    pub fn reserving(self, now: Timestamp, duration: Duration) -> Self {
        let left = self.left(now);
        self.within(now, left.saturating_sub(duration.min(left / 2)))
    }

    /// Returns the time that is left; zero after the deadline.
    #[must_use]
    pub fn left(self, now: Timestamp) -> Duration {
        Duration::try_from(self.0.duration_since(now)).unwrap_or_default()
    }
}

/// Returns the time `duration` after another.
pub(crate) fn later(now: Timestamp, duration: Duration) -> Timestamp {
    now.saturating_add(duration).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reservation_takes_at_most_half_of_what_is_left() {
        let now = Timestamp::UNIX_EPOCH;
        let reserved = |seconds| {
            let deadline = Deadline::after(now, Duration::from_secs(seconds));
            deadline.reserving(now, Duration::from_secs(3)).left(now).as_secs()
        };
        assert_eq!([reserved(30), reserved(6), reserved(4), reserved(0)], [27, 3, 2, 0]);
    }

    #[test]
    fn an_invocation_keeps_time_for_its_answer() {
        let left = Deadline::of_invocation(10_000).left(Timestamp::UNIX_EPOCH);
        assert_eq!(left, Duration::from_millis(9_500));
    }
}

//! A token bucket with the time as an argument.
//!
//! It counts billionths of a token as integers, so that a call exactly at the refill always passes. AWS does not document
//! whether its buckets refill continuously or once a second; this one refills continuously.

use std::time::Duration;

const TOKEN: u128 = 1_000_000_000;

/// Starts full.
#[derive(Debug, Clone)]
pub(crate) struct ThrottleBucket {
    capacity: u128,
    refill_per_second: u128,
    level: u128,
    at: Duration,
}

impl ThrottleBucket {
    pub(crate) fn new(tokens: u32, refill_per_second: u32) -> Self {
        let capacity = u128::from(tokens) * TOKEN;
        Self { capacity, refill_per_second: refill_per_second.into(), level: capacity, at: Duration::ZERO }
    }

    /// Refills the bucket, and returns whether it has a token.
    pub(crate) fn has_one(&mut self, now: Duration) -> bool {
        let passed = now.saturating_sub(self.at).as_nanos();
        let filled = passed.saturating_mul(self.refill_per_second);
        self.level = self.level.saturating_add(filled).min(self.capacity);
        self.at = self.at.max(now);
        self.level >= TOKEN
    }

    /// Takes the token that [`Self::has_one`] found.
    pub(crate) fn take_one(&mut self) {
        self.level = self.level.saturating_sub(TOKEN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(bucket: &mut ThrottleBucket, calls: usize, now: Duration) -> usize {
        let mut try_one = || {
            let may = bucket.has_one(now);
            if may {
                bucket.take_one();
            }
            may
        };
        (0..calls).filter(|_| try_one()).count()
    }

    #[test]
    fn the_burst_passes_and_then_the_refill_rate() {
        let mut bucket = ThrottleBucket::new(20, 4);
        let table = [(0, 100, 20), (249, 1, 0), (250, 2, 1), (1250, 100, 4), (2250, 3, 3), (60_000, 100, 20)];
        for (millis, calls, expected) in table {
            assert_eq!(passed(&mut bucket, calls, Duration::from_millis(millis)), expected, "at {millis} ms");
        }
    }

    #[test]
    fn a_clock_that_goes_back_adds_no_tokens() {
        let mut bucket = ThrottleBucket::new(1, 1);
        assert_eq!(passed(&mut bucket, 2, Duration::from_secs(10)), 1);
        assert_eq!(passed(&mut bucket, 1, Duration::from_secs(5)), 0);
        assert_eq!(passed(&mut bucket, 1, Duration::from_secs(10)), 0);
        assert_eq!(passed(&mut bucket, 1, Duration::from_secs(11)), 1);
    }
}

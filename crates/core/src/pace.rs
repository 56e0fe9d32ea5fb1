//! The pace of calls: a token bucket, as AWS's own.
//!
//! DeregisterTargets has a bucket of 20 that fills by 4 a second, for a whole account and Region; a call over it is
//! refused, and the refusal costs time. So this sandbox takes a token of its own bucket before each call.
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html>

use std::time::Duration;

/// A token bucket. Time is an argument: what has passed since some fixed moment.
#[derive(Debug, Clone)]
pub struct Bucket {
    capacity: f64,
    per_second: f64,
    tokens: f64,
    filled_at: Duration,
}

impl Bucket {
    /// A full bucket.
    #[must_use]
    pub fn new(capacity: u32, per_second: f64) -> Self {
        let capacity = f64::from(capacity);
        Self { capacity, per_second, tokens: capacity, filled_at: Duration::ZERO }
    }

    /// Takes a token now, on credit if there is none, and says how long to wait until it is there. Those who wait are
    /// served in the order in which they asked.
    pub fn take(&mut self, now: Duration) -> Duration {
        let passed = now.saturating_sub(self.filled_at).as_secs_f64();
        self.tokens = passed.mul_add(self.per_second, self.tokens).min(self.capacity) - 1.0;
        self.filled_at = self.filled_at.max(now);
        if self.tokens >= 0.0 { Duration::ZERO } else { Duration::from_secs_f64(-self.tokens / self.per_second) }
    }

    /// How long the next `take` would have to wait.
    #[must_use]
    pub fn wait(&self, now: Duration) -> Duration {
        self.clone().take(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_its_burst_at_once_and_then_its_pace() {
        let mut bucket = Bucket::new(2, 4.0);
        let waits: Vec<_> = (0..4).map(|_| bucket.take(Duration::ZERO).as_millis()).collect();
        assert_eq!(waits, [0, 0, 250, 500]);
    }

    #[test]
    fn fills_up_to_its_capacity_and_no_further() {
        let mut bucket = Bucket::new(2, 4.0);
        bucket.take(Duration::ZERO);
        let later = Duration::from_hours(1);
        let waits: Vec<_> = (0..3).map(|_| bucket.take(later).as_millis()).collect();
        assert_eq!(waits, [0, 0, 250]);
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing_away() {
        let mut bucket = Bucket::new(1, 1.0);
        bucket.take(Duration::from_secs(10));
        assert_eq!(bucket.take(Duration::from_secs(5)).as_secs(), 1);
    }
}

//! The pace of calls: token buckets, as AWS's own, and this sandbox's share of each.
//!
//! A call over AWS's limit is refused, and the refusal costs time. So a token of this sandbox's own buckets is taken before
//! each call. The limits are those of one account and Region.
//! Sources: <https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html>,
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/request-throttling.html>

use std::time::Duration;

use crate::limits::{ECS_READ, ECS_REVISION_READ, ELB_ALL, ELB_REGISTRATION, ENVIRONMENTS, RateLimit};
use crate::settings::Settings;

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
    pub fn new(capacity: f64, per_second: f64) -> Self {
        Self { capacity, per_second, tokens: capacity, filled_at: Duration::ZERO }
    }

    /// One environment's share of a limit of AWS.
    fn share_of(limit: RateLimit) -> Self {
        Self::new(limit.burst / ENVIRONMENTS, limit.per_second / ENVIRONMENTS)
    }

    /// Takes a token now, on credit if there is none, and says how long to wait until it is there. Those who wait are
    /// served in the order in which they asked.
    pub fn take(&mut self, now: Duration) -> Duration {
        let wait = self.wait(now, 0.0);
        self.tokens = self.level(now) - 1.0;
        self.filled_at = self.filled_at.max(now);
        wait
    }

    /// What is in it; below zero, what it owes.
    #[must_use]
    pub fn level(&self, now: Duration) -> f64 {
        let passed = now.saturating_sub(self.filled_at).as_secs_f64();
        passed.mul_add(self.per_second, self.tokens).min(self.capacity)
    }

    /// How long the next `take` has to wait if so much shall stay.
    fn wait(&self, now: Duration, stays: f64) -> Duration {
        let missing = 1.0 + stays - self.level(now);
        if missing <= 0.0 { Duration::ZERO } else { Duration::from_secs_f64(missing / self.per_second) }
    }

    /// How many tokens there are until then, those of now with them.
    fn until(&self, now: Duration, time: Duration) -> f64 {
        time.as_secs_f64().mul_add(self.per_second, self.level(now)).max(0.0)
    }
}

/// The kinds of calls, by the buckets that they pay into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// DeregisterTargets: 20 at once and 4 a second, of the 40 and 10 of all ELB calls.
    Write,
    /// DescribeTargetHealth: of the 40 and 10 a second of all ELB calls.
    Read,
    /// DescribeServices: 100 and 20 a second.
    Services,
    /// DescribeTasks: 100 and 20 a second.
    Tasks,
    /// DescribeServiceRevisions: 50 and 20 a second.
    Revisions,
}

/// This sandbox's share of AWS's budget.
#[derive(Debug, Clone)]
pub struct Budget {
    writes: Bucket,
    elb: Bucket,
    services: Bucket,
    tasks: Bucket,
    revisions: Bucket,
}

impl Budget {
    /// The buckets as the settings have them: the writes' own, and that of all ELB calls in AWS's proportion to it.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let (burst, per_second) = (f64::from(settings.call_burst), settings.calls_per_second);
        Self {
            writes: Bucket::new(burst, per_second),
            elb: Bucket::new(
                burst * ELB_ALL.burst / ELB_REGISTRATION.burst,
                per_second * ELB_ALL.per_second / ELB_REGISTRATION.per_second,
            ),
            services: Bucket::share_of(ECS_READ),
            tasks: Bucket::share_of(ECS_READ),
            revisions: Bucket::share_of(ECS_REVISION_READ),
        }
    }

    /// How long a call of this kind has to wait for its turn. A read leaves as much of the common bucket as the writes could
    /// use at once, so that it never takes the place of one.
    #[must_use]
    pub fn wait(&self, kind: Kind, now: Duration) -> Duration {
        match kind {
            Kind::Write => self.writes.wait(now, 0.0).max(self.elb.wait(now, 0.0)),
            Kind::Read => self.elb.wait(now, self.writes.level(now).max(0.0)),
            Kind::Services => self.services.wait(now, 0.0),
            Kind::Tasks => self.tasks.wait(now, 0.0),
            Kind::Revisions => self.revisions.wait(now, 0.0),
        }
    }

    /// Takes the turn, and says how long to wait for it.
    pub fn take(&mut self, kind: Kind, now: Duration) -> Duration {
        let wait = self.wait(kind, now);
        _ = match kind {
            Kind::Write => self.writes.take(now).max(self.elb.take(now)),
            Kind::Read => self.elb.take(now),
            Kind::Services => self.services.take(now),
            Kind::Tasks => self.tasks.take(now),
            Kind::Revisions => self.revisions.take(now),
        };
        wait
    }

    /// How many groups can be written to at once.
    #[must_use]
    pub fn groups_at_once(&self, now: Duration) -> usize {
        whole(self.writes.level(now).min(self.elb.level(now) / 2.0))
    }

    /// How many groups can be read and written to in this time.
    #[must_use]
    pub fn groups_within(&self, now: Duration, time: Duration) -> usize {
        whole(self.writes.until(now, time).min(self.elb.until(now, time) / 2.0))
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from a float saturates")]
fn whole(number: f64) -> usize {
    number.max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::ZERO;

    fn budget() -> Budget {
        Budget::new(&Settings::default())
    }

    fn waits(budget: &mut Budget, kind: Kind, calls: usize) -> Vec<u128> {
        (0..calls).map(|_| budget.take(kind, START).as_millis()).collect()
    }

    #[test]
    fn gives_its_burst_at_once_and_then_its_pace() {
        let mut bucket = Bucket::new(2.0, 4.0);
        let waits: Vec<_> = (0..4).map(|_| bucket.take(START).as_millis()).collect();
        assert_eq!(waits, [0, 0, 250, 500]);
    }

    #[test]
    fn fills_up_to_its_capacity_and_no_further() {
        let mut bucket = Bucket::new(2.0, 4.0);
        bucket.take(START);
        let later = Duration::from_hours(1);
        let waits: Vec<_> = (0..3).map(|_| bucket.take(later).as_millis()).collect();
        assert_eq!(waits, [0, 0, 250]);
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing_away() {
        let mut bucket = Bucket::new(1.0, 1.0);
        bucket.take(Duration::from_secs(10));
        assert_eq!(bucket.take(Duration::from_secs(5)).as_secs(), 1);
    }

    #[test]
    fn a_read_leaves_what_the_writes_can_use_at_once() {
        let mut budget = budget();
        assert_eq!(waits(&mut budget, Kind::Read, 11), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 200]);
        assert_eq!(waits(&mut budget, Kind::Write, 9), [0; 9], "and they can");
    }

    #[test]
    fn writes_have_their_own_pace_and_pay_for_all_elb_calls_too() {
        let mut budget = budget();
        assert_eq!(waits(&mut budget, Kind::Write, 12)[9..], [0, 500, 1000]);
        assert_eq!(waits(&mut budget, Kind::Read, 9)[7..], [0, 200], "8 of 20 are left, and no write waits for them");
    }

    #[test]
    fn the_two_kinds_of_ecs_calls_have_a_bucket_each() {
        let mut budget = budget();
        assert_eq!(waits(&mut budget, Kind::Services, 51)[49..], [0, 100]);
        assert_eq!(waits(&mut budget, Kind::Tasks, 51)[49..], [0, 100]);
    }

    #[test]
    fn each_group_costs_a_read_and_a_write() {
        let mut budget = budget();
        assert_eq!((budget.groups_at_once(START), budget.groups_within(START, Duration::from_secs(20))), (10, 50));
        waits(&mut budget, Kind::Write, 10);
        assert_eq!((budget.groups_at_once(START), budget.groups_within(START, Duration::from_secs(20))), (0, 40));
        waits(&mut budget, Kind::Write, 2);
        assert_eq!(budget.groups_within(START, Duration::from_secs(1)), 0, "what is owed comes first");
    }
}

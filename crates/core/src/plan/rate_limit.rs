//! The rate limit of this execution environment: token buckets like AWS's own, with this environment's share of each.
//!
//! AWS refuses calls over its limits, which apply to an account and Region, and a refusal costs time. So each call takes a token
//! of this environment's bucket first.
//!
//! Most calls take their token on credit and wait for it. A turn is granted only when the tokens of its read and its write are
//! both available, so that its group can be chosen at that moment. The write's token is only reserved until the call starts: until
//! then AWS has not taken it, and a full bucket does not refill.
//! Sources: <https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html>,
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/request-throttling.html>

use std::time::Duration;

use crate::model::limits::{ECS_READ, ECS_REVISION_READ, ELB_ALL, ELB_REGISTRATION, ENVIRONMENTS, RateLimit};
use crate::settings::Settings;

/// A token that is short by less than this counts as available: sums of floating-point numbers are not exact.
const TOLERANCE: f64 = 1e-6;

/// The ELB calls of a turn: its read and its write.
const CALLS_OF_A_TURN: f64 = 2.0;

/// A token bucket. Time is the duration since any fixed moment.
#[derive(Debug, Clone)]
pub struct TokenBucket {
    capacity: f64,
    per_second: f64,
    tokens: f64,
    reserved: f64,
    filled_at: Duration,
}

impl TokenBucket {
    /// Creates a full bucket.
    #[must_use]
    pub fn new(capacity: f64, per_second: f64) -> Self {
        Self { capacity, per_second, tokens: capacity, reserved: 0.0, filled_at: Duration::ZERO }
    }

    /// Creates a bucket with one environment's share of a limit of AWS.
    fn share_of(limit: RateLimit) -> Self {
        Self::new(limit.burst / ENVIRONMENTS, limit.per_second / ENVIRONMENTS)
    }

    /// Returns the number of tokens that are not reserved; negative if tokens were taken on credit.
    #[must_use]
    pub fn level(&self, now: Duration) -> f64 {
        self.filled(now) - self.reserved
    }

    fn filled(&self, now: Duration) -> f64 {
        let passed = now.saturating_sub(self.filled_at).as_secs_f64();
        passed.mul_add(self.per_second, self.tokens).min(self.capacity)
    }

    /// Returns the time until this many tokens are available, in whole milliseconds.
    fn wait(&self, now: Duration, tokens: f64) -> Duration {
        let missing = tokens - self.level(now);
        if missing < TOLERANCE {
            return Duration::ZERO;
        }
        Duration::from_millis(whole((missing / self.per_second * 1000.0).ceil()))
    }

    /// Takes a token, on credit if necessary, and returns how long to wait until it is available.
    pub fn take(&mut self, now: Duration) -> Duration {
        let wait = self.wait(now, 1.0);
        self.spend(now, 1.0);
        wait
    }

    fn spend(&mut self, now: Duration, tokens: f64) {
        self.tokens = self.filled(now) - tokens;
        self.filled_at = self.filled_at.max(now);
    }

    fn reserve(&mut self) {
        self.reserved += 1.0;
    }

    fn release(&mut self) {
        self.reserved = (self.reserved - 1.0).max(0.0);
    }
}

/// The calls that take their token on credit, by their bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// DescribeTargetHealth and DescribeTargetGroups, from the bucket of all ELB calls.
    Read,
    /// DescribeServices.
    Services,
    /// DescribeTasks and ListTasks.
    Tasks,
    /// DescribeServiceRevisions.
    Revisions,
}

/// This environment's buckets.
#[derive(Debug, Clone)]
pub struct Budget {
    writes: TokenBucket,
    elb: TokenBucket,
    services: TokenBucket,
    tasks: TokenBucket,
    revisions: TokenBucket,
}

impl Budget {
    /// Creates the bucket of the writes as configured, and that of all ELB calls in AWS's proportion to it.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let (burst, per_second) = (f64::from(settings.call_burst), settings.calls_per_second);
        Self {
            writes: TokenBucket::new(burst, per_second),
            elb: TokenBucket::new(
                burst * ELB_ALL.burst / ELB_REGISTRATION.burst,
                per_second * ELB_ALL.per_second / ELB_REGISTRATION.per_second,
            ),
            services: TokenBucket::share_of(ECS_READ),
            tasks: TokenBucket::share_of(ECS_READ),
            revisions: TokenBucket::share_of(ECS_REVISION_READ),
        }
    }

    /// Returns how long a call has to wait for its token.
    #[must_use]
    pub fn wait(&self, kind: CallKind, now: Duration) -> Duration {
        self.bucket(kind).wait(now, 1.0)
    }

    /// Takes the token of a call, and returns how long to wait for it. Calls are served in order.
    pub fn take(&mut self, kind: CallKind, now: Duration) -> Duration {
        self.bucket_mut(kind).take(now)
    }

    /// Returns the time until a turn can be granted.
    #[must_use]
    pub fn until_turn(&self, now: Duration) -> Duration {
        self.writes.wait(now, 1.0).max(self.elb.wait(now, CALLS_OF_A_TURN))
    }

    /// Returns the number of turns that can be granted within a time from now, as far as the writes allow.
    #[must_use]
    pub fn turns_within(&self, now: Duration, time: Duration) -> usize {
        usize::try_from(whole(time.as_secs_f64().mul_add(self.writes.per_second, self.writes.level(now))))
            .unwrap_or(usize::MAX)
    }

    /// Returns whether less than half of the burst of writes is left.
    #[must_use]
    pub fn is_short(&self, now: Duration) -> bool {
        self.writes.level(now) < self.writes.capacity / 2.0
    }

    /// Takes the token of a turn's read, and reserves those of its write.
    pub fn take_turn(&mut self, now: Duration) {
        self.elb.spend(now, 1.0);
        self.elb.reserve();
        self.writes.reserve();
    }

    /// Releases the write of a turn that writes nothing.
    pub fn release_write(&mut self) {
        self.elb.release();
        self.writes.release();
    }

    /// Releases the writes of all turns. No turn is under way when an invocation begins, unless the last one panicked.
    pub fn release_writes(&mut self) {
        (self.elb.reserved, self.writes.reserved) = (0.0, 0.0);
    }

    /// Returns the time until a group can be read outside a turn. Tokens that a waiting turn needs are not used for this.
    #[must_use]
    pub fn until_spare_read(&self, now: Duration, a_turn_waits: bool) -> Duration {
        let tokens = 1.0 + if a_turn_waits { CALLS_OF_A_TURN } else { 0.0 };
        self.elb.wait(now, tokens.min(self.elb.capacity))
    }

    /// Takes the tokens of a write that starts now, and returns whether they were available. `is_reserved`: the write is that of a
    /// turn.
    pub fn try_write(&mut self, now: Duration, is_reserved: bool) -> bool {
        if is_reserved {
            self.release_write();
        }
        let is_there = is_reserved || self.writes.wait(now, 1.0).max(self.elb.wait(now, 1.0)).is_zero();
        if is_there {
            self.elb.spend(now, 1.0);
            self.writes.spend(now, 1.0);
        }
        is_there
    }

    fn bucket(&self, kind: CallKind) -> &TokenBucket {
        match kind {
            CallKind::Read => &self.elb,
            CallKind::Services => &self.services,
            CallKind::Tasks => &self.tasks,
            CallKind::Revisions => &self.revisions,
        }
    }

    fn bucket_mut(&mut self, kind: CallKind) -> &mut TokenBucket {
        match kind {
            CallKind::Read => &mut self.elb,
            CallKind::Services => &mut self.services,
            CallKind::Tasks => &mut self.tasks,
            CallKind::Revisions => &mut self.revisions,
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from a float saturates")]
fn whole(number: f64) -> u64 {
    number.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::ZERO;

    fn budget() -> Budget {
        Budget::new(&Settings::default())
    }

    /// Returns a budget of which this many turns were just granted.
    fn budget_after(turns: usize) -> Budget {
        let mut budget = budget();
        (0..turns).for_each(|_| budget.take_turn(START));
        budget
    }

    fn waits(bucket: &mut TokenBucket, now: Duration, calls: usize) -> Vec<u128> {
        (0..calls).map(|_| bucket.take(now).as_millis()).collect()
    }

    #[test]
    fn a_bucket_allows_its_burst_at_once_and_then_its_rate() {
        assert_eq!(waits(&mut TokenBucket::new(2.0, 4.0), START, 4), [0, 0, 250, 500]);
    }

    #[test]
    fn a_bucket_fills_up_to_its_capacity_and_no_further() {
        let mut bucket = TokenBucket::new(2.0, 4.0);
        waits(&mut bucket, START, 1);
        assert_eq!(waits(&mut bucket, Duration::from_hours(1), 3), [0, 0, 250]);
    }

    #[test]
    fn a_full_bucket_with_reserved_tokens_does_not_refill_until_they_are_spent() {
        let (mut budget, read_at) = (budget_after(10), Duration::from_secs(2));
        assert_eq!(budget.until_turn(read_at).as_millis(), 500);
        (0..10).for_each(|_| assert!(budget.try_write(read_at, true)));
        assert_eq!(budget.until_turn(read_at).as_millis(), 500);
        assert_eq!(budget.until_turn(read_at + Duration::from_millis(500)), START);
    }

    #[test]
    fn what_a_turn_did_not_write_is_released() {
        let mut budget = budget_after(10);
        budget.release_write();
        assert_eq!(budget.turns_within(START, START), 1);
        budget.release_writes();
        assert_eq!(budget.turns_within(START, START), 10);
    }

    #[test]
    fn a_clock_that_steps_back_adds_no_tokens() {
        let mut bucket = TokenBucket::new(1.0, 1.0);
        waits(&mut bucket, Duration::from_secs(10), 1);
        assert_eq!(waits(&mut bucket, Duration::from_secs(5), 1), [1000]);
    }

    /// The environment's share is 10 writes and 2 a second, 20 ELB calls and 5 a second.
    #[test]
    fn turns_have_the_burst_and_then_the_rate_of_the_writes() {
        let mut budget = budget();
        let mut turns = 0;
        while budget.until_turn(START).is_zero() {
            budget.take_turn(START);
            assert!(budget.try_write(START, true));
            turns += 1;
        }
        assert_eq!((turns, budget.until_turn(START).as_millis()), (10, 500));
        let is_short = |milliseconds| budget.is_short(Duration::from_millis(milliseconds));
        assert_eq!((is_short(2_400), is_short(2_500)), (true, false), "half of the burst is 5");
    }

    #[test]
    fn the_turns_of_an_invocation_are_its_tokens_and_those_that_are_added() {
        assert_eq!(budget().turns_within(START, Duration::from_secs(25)), 60);
        let budget = budget_after(12);
        assert_eq!(budget.turns_within(START, Duration::from_millis(1900)), 1);
        assert_eq!(budget.turns_within(START, Duration::ZERO), 0);
    }

    #[test]
    fn a_turn_without_a_write_costs_a_read_only() {
        let mut budget = budget();
        for _ in 0..18 {
            budget.take_turn(START);
            budget.release_write();
        }
        assert_eq!(budget.until_turn(START), START, "10 writes and 2 ELB calls are left");
        budget.take_turn(START);
        assert_eq!(budget.until_turn(START).as_millis(), 400, "no ELB call is left");
    }

    #[test]
    fn a_spare_read_leaves_the_tokens_of_a_waiting_turn() {
        let mut budget = budget();
        for _ in 0..18 {
            budget.take(CallKind::Read, START);
        }
        assert!(budget.until_spare_read(START, false).is_zero());
        assert_eq!(budget.until_spare_read(START, true).as_millis(), 200);
        assert!(budget.until_turn(START).is_zero() && budget.try_write(START, false) && budget.try_write(START, false));
        assert!(!budget.try_write(START, false), "the ELB calls are used up");
        let smallest = Budget::new(&Settings { call_burst: 1, ..Settings::default() });
        assert!(smallest.until_spare_read(START, true).is_zero(), "a bucket of two ELB calls never has three");
    }

    #[test]
    fn the_kinds_of_ecs_calls_have_a_bucket_each() {
        let mut budget = budget();
        for kind in [CallKind::Services, CallKind::Tasks] {
            let waits: Vec<_> = (0..51).map(|_| budget.take(kind, START).as_millis()).collect();
            assert_eq!(waits[49..], [0, 100]);
        }
    }
}

//! What a drill is to do, and whether it fits together.

use serde::Serialize;
use spotdrain_core::limits::{DEFAULT_STOP_TIMEOUT_SECONDS, NOTICE_SECONDS};

use crate::balancer::Balancer;
use crate::clock;

/// `stopTimeout` where nothing is set.
pub(crate) const DEFAULT_STOP_TIMEOUT: f64 = DEFAULT_STOP_TIMEOUT_SECONDS as f64;
/// When an interrupted task is gone at the latest.
pub(crate) const GONE: f64 = NOTICE_SECONDS as f64;
/// Traffic before the notice, to compare with.
pub(crate) const BEFORE: f64 = 10.0;
/// Traffic after the last thing that can happen.
const AFTER: f64 = 10.0;
/// What the hold waits for without a connection; its own default.
pub const QUIET: f64 = 10.0;
/// What the hold holds in any case; its own default.
pub const MIN_HOLD: f64 = 5.0;

/// The settings of a drill. Times are seconds of the time that is played.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// So many played seconds are one real second.
    pub scale: f64,
    /// The load balancer's delays.
    pub balancer: Balancer,
    /// Connections that are opened in a real second, whatever the scale.
    pub rate: u32,
    /// Tasks of the service.
    pub tasks: usize,
    /// Those that are interrupted, all at once.
    pub interrupted: usize,
    /// Of a hundred connections so many are held.
    pub held_percent: u32,
    /// How long they are held.
    pub held_seconds: f64,
    /// From the notice to the event at the function.
    pub event_delay: f64,
    /// Whether the service, where its tasks have the hold, is tagged `spotdrain` = `hold`: the function then leaves to the
    /// hold what its health check takes care of.
    pub tagged: bool,
    /// When ECS deregisters the tasks itself, if it does.
    pub ecs_deregisters: Option<f64>,
    /// `stopTimeout` of tasks with the hold.
    pub stop_timeout: f64,
    /// How long a server that is told to stop waits for its connections. It is what the hold leaves it, too.
    pub grace: f64,
}

impl Plan {
    /// Checks that all fits together, and names every problem.
    pub fn check(self) -> Result<Self, Vec<String>> {
        let cases = [
            (!(1.0..=20.0).contains(&self.scale), "scale: from 1 to 20; the hold looks twice a real second"),
            (!(1..=1000).contains(&self.rate), "rate: from 1 to 1000 connections a second"),
            (!(2..=50).contains(&self.tasks), "tasks: from 2 to 50"),
            (self.interrupted == 0 || self.interrupted >= self.tasks, "interrupted: at least 1, and fewer than tasks"),
            (self.held_percent > 100, "held-percent: from 0 to 100"),
            (!(1.0..=600.0).contains(&self.held_seconds), "held-seconds: from 1 to 600"),
            (!(20.0..=120.0).contains(&self.stop_timeout), "stop-timeout: from 20 to 120 (Fargate's most)"),
            (!(1.0..=15.0).contains(&self.grace), "grace: from 1 to 15"),
            (!(0.0..=60.0).contains(&self.event_delay), "event-delay: from 0 to 60"),
            (self.ecs_deregisters.is_some_and(|at| !(0.0..=120.0).contains(&at)), "ecs-deregisters: from 0 to 120"),
            (!(0.0..=600.0).contains(&self.balancer.after_deregistration), "after-deregistration: from 0 to 600"),
            (!(0.0..=600.0).contains(&self.balancer.after_unhealthy), "after-unhealthy: from 0 to 600"),
            (!(5.0..=300.0).contains(&self.balancer.check_interval), "check-interval: from 5 to 300 (AWS's bounds)"),
            (!(2..=10).contains(&self.balancer.check_threshold), "check-threshold: from 2 to 10 (AWS's bounds)"),
        ];
        let problems: Vec<_> =
            cases.into_iter().filter(|(is_wrong, _)| *is_wrong).map(|(_, problem)| problem.to_owned()).collect();
        if problems.is_empty() { Ok(self) } else { Err(problems) }
    }

    /// When the traffic ends: after the task is gone, and after a deregistration has taken effect.
    #[must_use]
    pub fn end(&self) -> f64 {
        GONE.max(self.event_delay + self.balancer.after_deregistration) + AFTER
    }

    /// How long before the notice the traffic begins. In each repetition the notice comes at another moment between two
    /// health checks; the golden ratio spreads them evenly, however many there are.
    pub(crate) fn before_notice(&self, repetition: u32) -> f64 {
        BEFORE + (f64::from(repetition) * 0.618_034).fract() * self.balancer.check_interval
    }

    /// More are not open at a time: those that are held, and the requests of five seconds.
    pub(crate) fn most_connections(&self) -> u32 {
        let held_for = clock::wall(self.held_seconds, self.scale).as_secs().saturating_add(1);
        let held = u64::from(self.rate * self.held_percent / 100).saturating_mul(held_for);
        u32::try_from(held).unwrap_or(u32::MAX).saturating_add(self.rate * 5).max(1000)
    }

    /// How long one run takes, in real seconds.
    #[must_use]
    pub fn real_seconds(&self) -> f64 {
        clock::wall(BEFORE + self.end(), self.scale).as_secs_f64()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::balancer::tests::NLB;

    pub(crate) fn plan() -> Plan {
        Plan {
            scale: 10.0,
            balancer: NLB,
            rate: 200,
            tasks: 6,
            interrupted: 2,
            held_percent: 5,
            held_seconds: 30.0,
            event_delay: 1.0,
            tagged: true,
            ecs_deregisters: None,
            stop_timeout: 120.0,
            grace: 10.0,
        }
    }

    #[test]
    fn it_goes_on_until_nothing_more_can_happen() {
        let slow = Balancer { after_deregistration: 300.0, ..plan().balancer };
        assert!((plan().end() - 131.0).abs() < 1e-9);
        assert!((Plan { balancer: slow, ..plan() }.end() - 311.0).abs() < 1e-9);
        assert!((plan().real_seconds() - 14.1).abs() < 1e-6);
    }

    #[test]
    fn each_repetition_comes_at_another_moment_between_two_health_checks() {
        let shifts: Vec<_> = (0..10).map(|repetition| plan().before_notice(repetition) - BEFORE).collect();
        assert!(shifts.iter().all(|shift| (0.0..10.0).contains(shift)), "{shifts:?}");
        for bucket in [0.0, 2.5, 5.0, 7.5] {
            assert!(shifts.iter().any(|shift| (bucket..bucket + 2.5).contains(shift)), "{shifts:?}");
        }
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let problems = Plan { interrupted: 6, scale: 100.0, stop_timeout: 121.0, ..plan() }.check().unwrap_err();
        let names: Vec<_> = problems.iter().filter_map(|problem| problem.split(':').next()).collect();
        assert_eq!(names, ["scale", "interrupted", "stop-timeout"]);
        assert_eq!(plan().check(), Ok(plan()));
    }
}

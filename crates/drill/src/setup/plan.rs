//! The settings of a drill, and their checks.

use serde::Serialize;
use spotdrain_core::model::limits::{DEFAULT_STOP_TIMEOUT_SECONDS, NOTICE_SECONDS};

use crate::clients::traffic::TrafficSettings;
use crate::clock;
use crate::load_balancer::model::LoadBalancerModel;

/// The default of `stopTimeout` in seconds.
pub(crate) const DEFAULT_STOP_TIMEOUT: f64 = DEFAULT_STOP_TIMEOUT_SECONDS as f64;
/// The time at which an interrupted task is gone at the latest.
pub(crate) const GONE: f64 = NOTICE_SECONDS as f64;
/// Seconds of traffic before the notice, for comparison.
pub(crate) const BEFORE: f64 = 10.0;
/// Seconds of traffic after the last possible event.
const AFTER: f64 = 10.0;
/// The hold's default quiet time without a new connection, in seconds.
pub const QUIET: f64 = 10.0;
/// The hold's default minimum hold time, in seconds.
pub const MIN_HOLD: f64 = 5.0;

/// The settings of a drill. Times are simulated seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Simulated seconds per real second.
    pub scale: f64,
    /// The load balancer's delays.
    pub balancer: LoadBalancerModel,
    /// Whether the user has measured these delays.
    pub is_measured: bool,
    /// Connections opened per real second, independent of the scale.
    pub rate: u32,
    pub tasks: usize,
    /// Number of tasks that are interrupted, all at once.
    pub interrupted: usize,
    /// Percentage of connections that are held open; the rest send one request.
    pub held_percent: u32,
    /// How long a held connection stays open.
    pub held_seconds: f64,
    /// Delay from the notice to the function's invocation.
    pub event_delay: f64,
    /// Whether a service whose tasks have the hold is tagged `spotdrain` = `hold`. The function then leaves its targets to
    /// the hold's health check.
    pub tagged: bool,
    /// When ECS deregisters the tasks itself, if ever.
    pub ecs_deregisters: Option<f64>,
    /// `stopTimeout` of tasks with the hold.
    pub stop_timeout: f64,
    /// How long a server waits for its connections after SIGTERM. The hold reserves the same time for it.
    pub grace: f64,
}

impl Plan {
    /// Checks the settings, and returns every problem at once.
    pub fn check(self) -> Result<Self, Vec<String>> {
        let cases = [
            (!(1.0..=20.0).contains(&self.scale), "scale: from 1 to 20; the hold looks twice a real second"),
            (!(1..=1000).contains(&self.rate), "rate: from 1 to 1000 connections a second"),
            (!(2..=50).contains(&self.tasks), "tasks: from 2 to 50"),
            (self.interrupted == 0 || self.interrupted >= self.tasks, "interrupted: at least 1, and fewer than tasks"),
            (self.held_percent > 100, "held-percent: from 0 to 100"),
            (!(1.0..=600.0).contains(&self.held_seconds), "held-seconds: from 1 to 600"),
            (!(20.0..=120.0).contains(&self.stop_timeout), "stop-timeout: from 20 to 120 (Fargate's maximum)"),
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

    /// When the traffic ends: after the tasks are gone and a deregistration has taken effect.
    #[must_use]
    pub fn end(&self) -> f64 {
        GONE.max(self.event_delay + self.balancer.after_deregistration) + AFTER
    }

    /// How long before the notice the traffic begins. Each repetition shifts the notice against the health checks; the
    /// golden ratio spreads the shifts evenly for any number of repetitions.
    pub(crate) fn before_notice(&self, repetition: u32) -> f64 {
        BEFORE + (f64::from(repetition) * 0.618_034).fract() * self.balancer.check_interval
    }

    pub(crate) fn traffic(&self) -> TrafficSettings {
        let Self { rate, held_percent, held_seconds, .. } = *self;
        TrafficSettings { rate, held_percent, held_seconds, end: self.end() }
    }

    /// How long the shell of the scenario `sleep` waits before it passes SIGTERM on, in simulated seconds.
    pub(crate) fn sleeps(&self) -> f64 {
        self.stop_timeout - self.grace
    }

    /// Upper bound of connections open at a time: the held ones, and five seconds of requests.
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
    use crate::load_balancer::model::tests::NLB;

    pub(crate) fn plan() -> Plan {
        Plan {
            scale: 10.0,
            balancer: NLB,
            is_measured: false,
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
    fn traffic_goes_on_until_nothing_more_can_happen() {
        let slow = LoadBalancerModel { after_deregistration: 300.0, ..plan().balancer };
        assert!((plan().end() - 131.0).abs() < 1e-9);
        assert!((Plan { balancer: slow, ..plan() }.end() - 311.0).abs() < 1e-9);
        assert!((plan().real_seconds() - 14.1).abs() < 1e-6);
    }

    #[test]
    fn each_repetition_has_its_own_shift_between_two_health_checks() {
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

//! Makes `HAProxy` follow the model of AWS's load balancer: observes the targets' states and health checks, asks the model
//! what is due, and applies it through the runtime API.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::sleep;

use crate::clock::Clock;
use crate::error::DrillError;
use crate::load_balancer::model::TargetSignals;
use crate::load_balancer::runtime_api::RuntimeApi;
use crate::service::cloud::DrillCloud;
use crate::service::task::Task;
use crate::setup::plan::Plan;

/// Interval between observations in real time: half a simulated second at the largest scale.
const INTERVAL: Duration = Duration::from_millis(25);

/// The signals of a target so far, and what was applied to it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct TargetTimeline {
    pub(crate) signals: TargetSignals,
    pub(crate) drained: Option<f64>,
    cut: Option<f64>,
}

/// A change that the load balancer makes now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Drain,
    Resume,
    Cut,
}

pub(crate) struct Director<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) clock: Clock,
    pub(crate) cloud: &'a DrillCloud,
    pub(crate) api: &'a RuntimeApi,
    pub(crate) tasks: &'a RefCell<Vec<Task>>,
}

impl Director<'_> {
    /// Directs until `end`, and returns the timeline of each task by name.
    pub(crate) async fn direct(&self, end: f64) -> Result<Vec<(String, TargetTimeline)>, DrillError> {
        let names = self.tasks.borrow().iter().map(|task| task.name.clone()).collect::<Vec<_>>();
        let mut timelines: Vec<_> = names.into_iter().map(|name| (name, TargetTimeline::default())).collect();
        while self.clock.now() < end {
            let unhealthy = self.api.unhealthy().await.map_err(|error| broken(&error))?;
            self.observe(&mut timelines, &unhealthy);
            for (name, timeline) in &mut timelines {
                self.apply(name, timeline).await?;
            }
            sleep(INTERVAL).await;
        }
        Ok(timelines)
    }

    fn observe(&self, timelines: &mut [(String, TargetTimeline)], unhealthy: &BTreeSet<String>) {
        let now = self.clock.now();
        for (task, (name, timeline)) in self.tasks.borrow().iter().zip(timelines) {
            let fails = unhealthy.contains(name);
            self.cloud.set_healthy(task, !fails);
            timeline.observe(self.cloud.is_deregistered(task), fails, now);
        }
    }

    async fn apply(&self, name: &str, timeline: &mut TargetTimeline) -> Result<(), DrillError> {
        let now = self.clock.now();
        for order in timeline.orders(self.plan, now) {
            let done = match order {
                Order::Drain => self.api.drain(name).await,
                Order::Resume => self.api.resume(name).await,
                Order::Cut => self.api.cut(name).await,
            };
            done.map_err(|error| broken(&error))?;
        }
        Ok(())
    }
}

impl TargetTimeline {
    fn observe(&mut self, is_deregistered: bool, is_unhealthy: bool, now: f64) {
        keep_first(&mut self.signals.deregistered, is_deregistered, now);
        keep_first(&mut self.signals.unhealthy, is_unhealthy, now);
    }

    /// The changes that are due, each returned once.
    fn orders(&mut self, plan: &Plan, now: f64) -> Vec<Order> {
        let is_due = |at: Option<f64>| at.is_some_and(|at| at <= now);
        let (is_drained, cuts) =
            (is_due(plan.balancer.stops_at(self.signals)), is_due(plan.balancer.cuts_at(self.signals)));
        let change = match (is_drained, self.drained) {
            (true, None) => Some(Order::Drain),
            (false, Some(_)) => Some(Order::Resume),
            _ => None,
        };
        let cut = (cuts && self.cut.is_none()).then_some(Order::Cut);
        keep_first(&mut self.drained, is_drained, now);
        keep_first(&mut self.cut, cuts, now);
        change.into_iter().chain(cut).collect()
    }
}

/// Sets `since` to the time at which a condition began, and clears it when the condition ends.
fn keep_first(since: &mut Option<f64>, holds: bool, now: f64) {
    *since = holds.then(|| since.unwrap_or(now));
}

fn broken(error: &std::io::Error) -> DrillError {
    DrillError::broken("haproxy's runtime API", error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load_balancer::model::LoadBalancerModel;
    use crate::setup::plan::tests::plan;

    #[test]
    fn a_target_is_drained_once_when_it_is_due() {
        let (plan, mut timeline) = (plan(), TargetTimeline::default());
        timeline.observe(false, true, 20.0);
        timeline.observe(true, true, 30.0);
        assert_eq!(timeline.orders(&plan, 59.0), []);
        assert_eq!(timeline.orders(&plan, 60.0), [Order::Drain]);
        assert_eq!(timeline.orders(&plan, 61.0), []);
        assert_eq!(timeline.drained, Some(60.0));
    }

    #[test]
    fn a_target_that_recovers_is_resumed() {
        let (plan, mut timeline) = (plan(), TargetTimeline::default());
        timeline.observe(false, true, 20.0);
        assert_eq!(timeline.orders(&plan, 60.0), [Order::Drain]);
        timeline.observe(false, false, 70.0);
        assert_eq!(timeline.orders(&plan, 70.0), [Order::Resume]);
        assert_eq!(timeline, TargetTimeline::default());
    }

    #[test]
    fn with_termination_connections_are_cut_at_the_mark() {
        let balancer = LoadBalancerModel { cuts_unhealthy: true, ..plan().balancer };
        let (plan, mut timeline) = (Plan { balancer, ..plan() }, TargetTimeline::default());
        timeline.observe(false, true, 20.0);
        assert_eq!(timeline.orders(&plan, 20.0), [Order::Cut]);
        assert_eq!(timeline.orders(&plan, 21.0), []);
    }
}

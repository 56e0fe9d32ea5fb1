//! Plays AWS's load balancer on the real one: looks at the targets' states and health checks, asks the model what follows,
//! and does it when its time has come.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::sleep;

use crate::balancer::Seen;
use crate::clock::Clock;
use crate::control::Control;
use crate::error::DrillError;
use crate::plan::Plan;
use crate::task::Task;
use crate::world::Cloud;

/// From one look to the next, in real time: half a played second at the greatest scale.
const LOOK: Duration = Duration::from_millis(25);

/// What was seen of a target, and what was done.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Course {
    pub(crate) seen: Seen,
    pub(crate) left: Option<f64>,
    cut: Option<f64>,
}

/// What the load balancer shall do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Leave,
    TakeBack,
    Cut,
}

/// The director of one run.
pub(crate) struct Director<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) clock: Clock,
    pub(crate) cloud: &'a Cloud,
    pub(crate) control: &'a Control,
    pub(crate) tasks: &'a RefCell<Vec<Task>>,
}

impl Director<'_> {
    /// Directs until the end of the plan; the course of each task, by its name.
    pub(crate) async fn direct(&self) -> Result<Vec<(String, Course)>, DrillError> {
        let names = self.tasks.borrow().iter().map(|task| task.name.clone()).collect::<Vec<_>>();
        let mut courses: Vec<_> = names.into_iter().map(|name| (name, Course::default())).collect();
        while self.clock.now() < self.plan.end() {
            let unhealthy = self.control.unhealthy().await.map_err(|error| broken(&error))?;
            self.look(&mut courses, &unhealthy);
            for (name, course) in &mut courses {
                self.follow(name, course).await?;
            }
            sleep(LOOK).await;
        }
        Ok(courses)
    }

    fn look(&self, courses: &mut [(String, Course)], unhealthy: &BTreeSet<String>) {
        let now = self.clock.now();
        for (task, (name, course)) in self.tasks.borrow().iter().zip(courses) {
            let fails = unhealthy.contains(name);
            self.cloud.set_healthy(task, !fails);
            course.see(self.cloud.is_deregistered(task), fails, now);
        }
    }

    async fn follow(&self, name: &str, course: &mut Course) -> Result<(), DrillError> {
        let now = self.clock.now();
        for order in course.orders(self.plan, now) {
            let done = match order {
                Order::Leave => self.control.leave(name).await,
                Order::TakeBack => self.control.take_back(name).await,
                Order::Cut => self.control.cut(name).await,
            };
            done.map_err(|error| broken(&error))?;
        }
        Ok(())
    }
}

impl Course {
    fn see(&mut self, is_deregistered: bool, is_unhealthy: bool, now: f64) {
        self.seen.deregistered = self.seen.deregistered.filter(|_| is_deregistered).or(is_deregistered.then_some(now));
        self.seen.unhealthy = self.seen.unhealthy.filter(|_| is_unhealthy).or(is_unhealthy.then_some(now));
    }

    /// What is due, each once.
    fn orders(&mut self, plan: &Plan, now: f64) -> Vec<Order> {
        let is_due = |at: Option<f64>| at.is_some_and(|at| at <= now);
        let (leaves, cuts) = (is_due(plan.balancer.leaves(self.seen)), is_due(plan.balancer.cuts(self.seen)));
        let change = match (leaves, self.left) {
            (true, None) => Some(Order::Leave),
            (false, Some(_)) => Some(Order::TakeBack),
            _ => None,
        };
        let cut = (cuts && self.cut.is_none()).then_some(Order::Cut);
        self.left = self.left.filter(|_| leaves).or(leaves.then_some(now));
        self.cut = self.cut.filter(|_| cuts).or(cuts.then_some(now));
        change.into_iter().chain(cut).collect()
    }
}

fn broken(error: &std::io::Error) -> DrillError {
    DrillError::broken("haproxy's runtime API", error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balancer::Balancer;
    use crate::plan::tests::plan;

    #[test]
    fn a_target_is_left_once_when_its_time_has_come() {
        let (plan, mut course) = (plan(), Course::default());
        course.see(false, true, 20.0);
        course.see(true, true, 30.0);
        assert_eq!(course.orders(&plan, 59.0), []);
        assert_eq!(course.orders(&plan, 60.0), [Order::Leave]);
        assert_eq!(course.orders(&plan, 61.0), []);
        assert_eq!(course.left, Some(60.0));
    }

    #[test]
    fn a_target_that_recovers_is_taken_back() {
        let (plan, mut course) = (plan(), Course::default());
        course.see(false, true, 20.0);
        assert_eq!(course.orders(&plan, 60.0), [Order::Leave]);
        course.see(false, false, 70.0);
        assert_eq!(course.orders(&plan, 70.0), [Order::TakeBack]);
        assert_eq!(course, Course::default());
    }

    #[test]
    fn with_termination_the_connections_are_cut_when_it_is_marked() {
        let balancer = Balancer { cuts_unhealthy: true, ..plan().balancer };
        let (plan, mut course) = (Plan { balancer, ..plan() }, Course::default());
        course.see(false, true, 20.0);
        assert_eq!(course.orders(&plan, 20.0), [Order::Cut]);
        assert_eq!(course.orders(&plan, 21.0), []);
    }
}

//! One execution environment of the function, as its engine sees it: the second implementation of [`Cloud`].

mod ecs;
mod elb;
mod exchange;
mod faults;
mod seen;
mod sqs;

pub use faults::{Call, Fault, Faults, Trouble};
pub use seen::{Basis, Invocation, Read, Received, Record};

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use spotdrain_core::model::arn::{ClusterArn, LoadBalancerArn, QueueArn, ServiceName, TargetGroupArn, TaskArn};
use spotdrain_core::model::observed::{RegisteredTarget, Revision, ServiceKey};
use spotdrain_core::plan::OwnedTarget;
use spotdrain_core::read::batch::Receipt;
use spotdrain_core::report::Report;
use spotdrain_engine::{Answer, Cloud, ListedTasks, ReceivedMessage, Services, Tasks};

use super::bounds::REST;
use super::delivery::queue::Message;
use super::fleet::TaskId;
use super::laws::{self, Law};
use super::time::{Ms, since_start, timestamp};
use super::world::Sim;

#[derive(Debug)]
pub struct Environment<'a> {
    sim: &'a Sim,
    number: usize,
    /// The moment of its last call or answer.
    used_at: Cell<Ms>,
    has_dead_connections: Cell<bool>,
    /// What it may still write at the moment beside it.
    writes: Cell<(f64, Ms)>,
    free_writes: Cell<u32>,
    /// The services that it has described, with the moment of the answer.
    described: RefCell<BTreeMap<ServiceKey, Ms>>,
    /// The tasks that were down according to an event of an earlier invocation.
    down: RefCell<BTreeSet<TaskId>>,
    /// What it is seen to do in its invocation.
    pub invocation: RefCell<Invocation>,
}

impl<'a> Environment<'a> {
    pub fn new(sim: &'a Sim, number: usize) -> Self {
        Self {
            sim,
            number,
            used_at: Cell::new(sim.clock.now()),
            has_dead_connections: Cell::default(),
            writes: Cell::new((f64::from(sim.world.borrow().settings.call_burst), sim.clock.now())),
            free_writes: Cell::default(),
            described: RefCell::default(),
            down: RefCell::default(),
            invocation: RefCell::default(),
        }
    }

    /// Begins an invocation with the messages that Lambda delivers.
    pub fn begin(&self, messages: &[Message]) {
        self.has_dead_connections.set(self.was_thawed() && self.sim.world.borrow().faults.kills_connections);
        let last = self.invocation.replace(Invocation::new(messages, self.sim.clock.now()));
        self.down.borrow_mut().extend(last.down());
        let down = self.down.borrow();
        let truths = messages.iter().filter_map(|message| message.truth);
        let late = truths.filter(|truth| truth.is_notice && down.contains(&truth.task)).count();
        self.sim.world.borrow_mut().tally.down_before += late as u64;
    }

    /// Takes a token of a bucket that only the world keeps. The attempt after one whose connection broke needs none.
    fn spend_write(&self, fault: Option<Fault>) {
        let (now, (tokens, filled_at)) = (self.sim.clock.now(), self.writes.get());
        let mut world = self.sim.world.borrow_mut();
        let filled = tokens + now.saturating_sub(filled_at) as f64 / 1000.0 * world.settings.calls_per_second;
        let is_free = self.free_writes.get() > 0;
        let is_broken = matches!(fault, Some(Fault::Break | Fault::Hang | Fault::LostAnswer));
        self.free_writes.set(self.free_writes.get() - u32::from(is_free) + u32::from(is_broken));
        let left = filled.min(f64::from(world.settings.call_burst)) - if is_free { 0.0 } else { 1.0 };
        self.writes.set((left, now));
        // A write takes its token while it still waits for one of all ELB calls, so it may be sent some seconds after.
        if left < -1.0 - 3.0 * world.settings.calls_per_second {
            world.break_law(Law::WithinItsShare, now, format!("{left:.1} tokens are left after a write"));
        }
    }

    /// Ends the invocation with its answer.
    pub fn end(&self) {
        self.used_at.set(self.sim.clock.now());
    }
}

impl Cloud for Environment<'_> {
    async fn describe_services(&self, cluster: &ClusterArn, names: &[ServiceName], tags: bool) -> Answer<Services> {
        ecs::describe_services(self, cluster, names, tags).await
    }

    /// The world's services name all their groups themselves.
    async fn describe_service_revisions(&self, _: &[String]) -> Answer<Vec<Revision>> {
        Ok(Vec::new())
    }

    async fn describe_tasks(&self, cluster: &ClusterArn, tasks: &[TaskArn]) -> Answer<Tasks> {
        ecs::describe_tasks(self, cluster, tasks).await
    }

    async fn list_stopping_tasks(
        &self,
        cluster: &ClusterArn,
        service: Option<&ServiceName>,
        page: Option<&str>,
    ) -> Answer<ListedTasks> {
        ecs::list_stopping_tasks(self, cluster, service, page).await
    }

    async fn describe_target_health(&self, group: &TargetGroupArn) -> Answer<Vec<RegisteredTarget>> {
        elb::describe_target_health(self, group).await
    }

    /// The world's settings name no load balancer.
    async fn describe_target_groups(&self, _: &LoadBalancerArn) -> Answer<Vec<TargetGroupArn>> {
        Ok(Vec::new())
    }

    async fn deregister_targets(&self, group: &TargetGroupArn, targets: &[OwnedTarget]) -> Answer<()> {
        elb::deregister_targets(self, group, targets).await
    }

    async fn receive(&self, queue: &QueueArn) -> Answer<Vec<ReceivedMessage>> {
        sqs::receive(self, queue).await
    }

    async fn delete(&self, queue: &QueueArn, receipts: &[Receipt]) -> Answer<Vec<String>> {
        sqs::delete(self, queue, receipts).await
    }

    async fn change_visibility(&self, queue: &QueueArn, hidden: &[(Receipt, Duration)]) -> Answer<Vec<String>> {
        sqs::change_visibility(self, queue, hidden).await
    }

    fn now(&self) -> Timestamp {
        timestamp(self.sim.clock.now())
    }

    async fn sleep_until(&self, at: Timestamp) {
        self.sim.clock.sleep_until(since_start(at)).await;
    }

    /// The same every time at a frozen moment, where the order of calls must not matter.
    fn jitter(&self) -> f64 {
        let mut world = self.sim.world.borrow_mut();
        if world.is_frozen { 0.5 } else { world.dice.between(0, 999) as f64 / 1000.0 }
    }

    fn was_thawed(&self) -> bool {
        self.sim.clock.now() > self.used_at.get() + REST
    }

    fn reconnect(&self) {
        self.sim.world.borrow_mut().tally.reconnected += u64::from(self.has_dead_connections.replace(false));
    }

    fn record(&self, report: &Report) {
        let mut invocation = self.invocation.borrow_mut();
        let mut world = self.sim.world.borrow_mut();
        invocation.record(report);
        laws::count_outcomes(&mut world, report);
        let postponed = report.notices.iter().filter(|notice| notice.postponed);
        postponed
            .filter_map(|notice| notice.message_id.as_deref()?.parse().ok())
            .for_each(|id| world.queue.postponed(id));
        let handled = report.handled().filter_map(|notice| notice.message_id.as_deref()?.parse().ok());
        handled.for_each(|id| laws::recorded(&mut world, self.sim.clock.now(), id, &invocation));
    }
}

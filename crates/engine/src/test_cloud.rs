//! A cloud for unit tests: its clock moves only when the engine sleeps, and it knows one service with one draining target.

use std::cell::Cell;
use std::time::Duration;

use jiff::Timestamp;
use spotdrain_core::model::arn::{ClusterArn, LoadBalancerArn, QueueArn, ServiceName, TargetGroupArn, TaskArn};
use spotdrain_core::model::observed::{
    RegisteredTarget, Revision, Service, ServiceGroup, ServiceObservation, TargetId, TargetState, TaskObservation,
};
use spotdrain_core::plan::OwnedTarget;
use spotdrain_core::read::batch::Receipt;
use spotdrain_core::report::Report;

use crate::cloud::{Answer, Cloud, ListedTasks, ReceivedMessage, Services, Tasks};

pub(crate) const GROUP: &str =
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/6d0ecf831eec9f09";

#[derive(Debug)]
pub(crate) struct TestCloud {
    pub(crate) now: Cell<Timestamp>,
    /// The number of pages of ListTasks.
    pub(crate) pages: usize,
    pub(crate) address: &'static str,
}

impl TestCloud {
    pub(crate) fn at(now: Timestamp, address: &'static str) -> Self {
        Self { now: Cell::new(now), pages: 1, address }
    }
}

impl Cloud for TestCloud {
    async fn describe_services(&self, _: &ClusterArn, names: &[ServiceName], _: bool) -> Answer<Services> {
        let group = ServiceGroup { arn: TargetGroupArn::parse(GROUP).unwrap(), port: Some(5044) };
        let service = Service { groups: vec![group], has_balancer: true, ..Service::default() };
        Ok(names.iter().map(|name| (name.clone(), ServiceObservation::Found(service.clone()))).collect())
    }

    async fn describe_service_revisions(&self, _: &[String]) -> Answer<Vec<Revision>> {
        Ok(Vec::new())
    }

    async fn describe_tasks(&self, _: &ClusterArn, tasks: &[TaskArn]) -> Answer<Tasks> {
        Ok(tasks.iter().map(|task| (task.clone(), TaskObservation::Missing)).collect())
    }

    async fn list_stopping_tasks(
        &self,
        _: &ClusterArn,
        _: Option<&ServiceName>,
        page: Option<&str>,
    ) -> Answer<ListedTasks> {
        let next = page.map_or(1, |page| page.parse::<usize>().unwrap() + 1);
        Ok(ListedTasks { tasks: Vec::new(), next: (next < self.pages).then(|| next.to_string()) })
    }

    async fn describe_target_health(&self, _: &TargetGroupArn) -> Answer<Vec<RegisteredTarget>> {
        let as_read = TargetId { id: self.address.to_owned(), zone: None };
        let (address, state) = (self.address.parse().unwrap(), TargetState::Draining);
        Ok(vec![RegisteredTarget { as_read, address, port: 5044, state, check_port: None }])
    }

    async fn describe_target_groups(&self, _: &LoadBalancerArn) -> Answer<Vec<TargetGroupArn>> {
        Ok(Vec::new())
    }

    async fn deregister_targets(&self, _: &TargetGroupArn, _: &[OwnedTarget]) -> Answer<()> {
        Ok(())
    }

    async fn receive(&self, _: &QueueArn) -> Answer<Vec<ReceivedMessage>> {
        Ok(Vec::new())
    }

    async fn delete(&self, _: &QueueArn, _: &[Receipt]) -> Answer<Vec<String>> {
        Ok(Vec::new())
    }

    async fn change_visibility(&self, _: &QueueArn, _: &[(Receipt, Duration)]) -> Answer<Vec<String>> {
        Ok(Vec::new())
    }

    fn now(&self) -> Timestamp {
        self.now.get()
    }

    async fn sleep_until(&self, at: Timestamp) {
        self.now.set(self.now.get().max(at));
    }

    fn jitter(&self) -> f64 {
        0.5
    }

    fn was_thawed(&self) -> bool {
        false
    }

    fn reconnect(&self) {}

    fn record(&self, _: &Report) {}
}

//! One attempt of each call, the clock, and the state of the connections.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use spotdrain_core::arn::{ClusterArn, QueueArn, ServiceName, TargetGroupArn, TaskArn};
use spotdrain_core::batch::Receipt;
use spotdrain_core::finding::{ServiceFinding, TaskFinding};
use spotdrain_core::plan::OwnedTarget;
use spotdrain_core::report::Report;
use spotdrain_core::target::RegisteredTarget;
use spotdrain_engine::{CallError, Cloud, ReceivedMessage};

use super::clients::Aws;
use super::{services, sqs, target_health, tasks};
use crate::emit::emit;

/// Connections that rested for longer are not used again. Lambda freezes an environment after its answer and thaws it for the
/// next invocation, usually hours later; by then the other side, or something on the way, has closed or forgotten them. The
/// invocations of a storm follow each other faster; otherwise a new connection costs some milliseconds.
const LONGEST_REST: SignedDuration = SignedDuration::from_secs(2);

/// AWS, as the engine calls it.
#[derive(Debug)]
pub struct AwsCloud {
    aws: RefCell<Aws>,
    /// By the wall clock: a frozen environment's monotonic clock may stand still.
    last_used: Cell<Timestamp>,
    /// Whose records are written to the log; without one, none are.
    request_id: RefCell<Option<String>>,
}

impl AwsCloud {
    /// Calls AWS with these clients. The connections that can be opened ahead are opened now, while there is nothing else to do.
    #[must_use]
    pub fn new(aws: Aws) -> Self {
        aws.preconnect();
        Self { aws: RefCell::new(aws), last_used: Cell::new(Timestamp::now()), request_id: RefCell::default() }
    }

    /// Writes the records that follow to the log, as those of this invocation.
    pub fn log_as(&self, request_id: &str) {
        self.request_id.replace(Some(request_id.to_owned()));
    }

    /// The clients. They are cheap to clone, and what is cloned is not held over a wait.
    fn aws(&self) -> Aws {
        self.aws.borrow().clone()
    }

    /// A call's result, once it is there.
    async fn used<T>(&self, call: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
        let result = call.await;
        self.last_used.set(Timestamp::now());
        result
    }
}

impl Cloud for AwsCloud {
    async fn describe_services(
        &self,
        cluster: &ClusterArn,
        services: &[ServiceName],
    ) -> Result<BTreeMap<ServiceName, ServiceFinding>, CallError> {
        self.used(services::describe(&self.aws().ecs, cluster, services)).await
    }

    async fn describe_tasks(
        &self,
        cluster: &ClusterArn,
        tasks: &[TaskArn],
    ) -> Result<BTreeMap<TaskArn, TaskFinding>, CallError> {
        self.used(tasks::describe(&self.aws().ecs, cluster, tasks)).await
    }

    async fn describe_target_health(&self, group: &TargetGroupArn) -> Result<Vec<RegisteredTarget>, CallError> {
        self.used(target_health::describe(&self.aws().elb, group)).await
    }

    async fn deregister_targets(&self, group: &TargetGroupArn, targets: &[OwnedTarget]) -> Result<(), CallError> {
        self.used(target_health::deregister(&self.aws().elb, group, targets)).await
    }

    async fn receive(&self, queue: &QueueArn) -> Result<Vec<ReceivedMessage>, CallError> {
        self.used(sqs::receive(self.aws().sqs(), queue)).await
    }

    async fn delete(&self, queue: &QueueArn, receipts: &[Receipt]) -> Result<Vec<String>, CallError> {
        self.used(sqs::delete(self.aws().sqs(), queue, receipts)).await
    }

    async fn change_visibility(
        &self,
        queue: &QueueArn,
        receipts: &[(Receipt, Duration)],
    ) -> Result<Vec<String>, CallError> {
        self.used(sqs::change_visibility(self.aws().sqs(), queue, receipts)).await
    }

    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep_until(&self, at: Timestamp) {
        let duration = Duration::try_from(at.duration_since(Timestamp::now())).unwrap_or_default();
        tokio::time::sleep(duration).await;
    }

    fn jitter(&self) -> f64 {
        fastrand::f64()
    }

    fn was_thawed(&self) -> bool {
        let rested = Timestamp::now().duration_since(self.last_used.get());
        rested.is_negative() || rested > LONGEST_REST
    }

    fn reconnect(&self) {
        let aws = self.aws().reconnected();
        aws.preconnect();
        self.aws.replace(aws);
        self.last_used.set(Timestamp::now());
    }

    fn record(&self, report: &Report) {
        if let Some(request_id) = &*self.request_id.borrow() {
            emit(report, request_id);
        }
    }
}

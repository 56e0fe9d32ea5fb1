//! The engine's `Cloud` over the AWS SDK: one attempt of each call, the clock, and the state of the connections.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use spotdrain_core::model::arn::{ClusterArn, LoadBalancerArn, QueueArn, ServiceName, TargetGroupArn, TaskArn};
use spotdrain_core::model::observed::{RegisteredTarget, Revision};
use spotdrain_core::plan::OwnedTarget;
use spotdrain_core::read::batch::Receipt;
use spotdrain_core::report::Report;
use spotdrain_core::report::message::SweepMessage;
use spotdrain_core::settings::Settings;
use spotdrain_engine::{Answer, Cloud, Deadline, ListedTasks, ReceivedMessage, Services, Tasks};
use tracing::warn;

use super::clients::Aws;
use super::{ecs, elb, sns, sqs};
use crate::emit::emit;

/// The idle time after which connections are replaced. Lambda freezes an environment after its answer and thaws it for the next
/// invocation, usually hours later. By then AWS or a network device has dropped the connections. In a storm, invocations follow
/// each other quickly and reuse the connections; otherwise a new connection costs only a few milliseconds.
const MAX_IDLE: SignedDuration = SignedDuration::from_secs(2);

/// The time limit for publishing a message.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(1);

/// AWS, as the engine calls it.
#[derive(Debug)]
pub struct AwsCloud {
    aws: RefCell<Aws>,
    settings: Settings,
    /// Wall-clock time, because the monotonic clock may stop in a frozen environment.
    last_used: Cell<Timestamp>,
    /// The invocation whose records are logged. Without it nothing is logged.
    request_id: RefCell<Option<String>>,
}

impl AwsCloud {
    /// Calls AWS with these clients. Opens connections now, while the function waits for its first event.
    #[must_use]
    pub fn new(aws: Aws, settings: Settings) -> Self {
        aws.preconnect(settings.discover);
        let (last_used, request_id) = (Cell::new(Timestamp::now()), RefCell::default());
        Self { aws: RefCell::new(aws), settings, last_used, request_id }
    }

    /// Logs the following records with this invocation's request id.
    pub fn log_as(&self, request_id: &str) {
        self.request_id.replace(Some(request_id.to_owned()));
    }

    /// Publishes a message about the interruptions whose handling has ended, if a topic is set. Takes at most one second of the
    /// remaining time. A failure is only logged, because the notices are already handled.
    pub async fn publish(&self, report: &Report, deadline: Deadline) {
        let (Some(topic), Some(message)) = (&self.settings.message_topic, SweepMessage::of(report)) else { return };
        let (aws, limit) = (self.aws(), PUBLISH_TIMEOUT.min(deadline.left(Timestamp::now())));
        let problem = match tokio::time::timeout(limit, sns::publish(aws.sns(), topic, &message)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.problem,
            Err(_) => format!("no answer within {} ms", limit.as_millis()),
        };
        warn!(topic, problem, "the message about the interruptions was not published");
    }

    /// Returns a clone of the clients, so that the `RefCell` is not borrowed across an await. Clones are cheap.
    fn aws(&self) -> Aws {
        self.aws.borrow().clone()
    }

    /// Returns the queue's URL. The engine makes no calls for a queue whose URL is unknown.
    fn url(&self, queue: &QueueArn) -> String {
        queue.url(self.settings.queue_url.as_deref()).unwrap_or_default()
    }

    /// Awaits a call and notes when the connection was last used.
    async fn used<T>(&self, call: impl Future<Output = Answer<T>>) -> Answer<T> {
        let result = call.await;
        self.last_used.set(Timestamp::now());
        result
    }
}

impl Cloud for AwsCloud {
    async fn describe_services(&self, cluster: &ClusterArn, names: &[ServiceName], tags: bool) -> Answer<Services> {
        self.used(ecs::describe_services(&self.aws().ecs, cluster, names, tags)).await
    }

    async fn describe_service_revisions(&self, arns: &[String]) -> Answer<Vec<Revision>> {
        self.used(ecs::describe_service_revisions(&self.aws().ecs, arns)).await
    }

    async fn describe_tasks(&self, cluster: &ClusterArn, tasks: &[TaskArn]) -> Answer<Tasks> {
        self.used(ecs::describe_tasks(&self.aws().ecs, cluster, tasks)).await
    }

    async fn list_stopping_tasks(
        &self,
        cluster: &ClusterArn,
        service: Option<&ServiceName>,
        page: Option<&str>,
    ) -> Answer<ListedTasks> {
        self.used(ecs::list_stopping_tasks(&self.aws().ecs, cluster, service, page)).await
    }

    async fn describe_target_health(&self, group: &TargetGroupArn) -> Answer<Vec<RegisteredTarget>> {
        self.used(elb::describe(&self.aws().elb, group)).await
    }

    async fn deregister_targets(&self, group: &TargetGroupArn, targets: &[OwnedTarget]) -> Answer<()> {
        self.used(elb::deregister(&self.aws().elb, group, targets)).await
    }

    async fn describe_target_groups(&self, balancer: &LoadBalancerArn) -> Answer<Vec<TargetGroupArn>> {
        self.used(elb::describe_target_groups(&self.aws().elb, balancer)).await
    }

    async fn receive(&self, queue: &QueueArn) -> Answer<Vec<ReceivedMessage>> {
        self.used(sqs::receive(self.aws().sqs(), &self.url(queue))).await
    }

    async fn delete(&self, queue: &QueueArn, receipts: &[Receipt]) -> Answer<Vec<String>> {
        self.used(sqs::delete(self.aws().sqs(), &self.url(queue), receipts)).await
    }

    async fn change_visibility(&self, queue: &QueueArn, hidden: &[(Receipt, Duration)]) -> Answer<Vec<String>> {
        self.used(sqs::change_visibility(self.aws().sqs(), &self.url(queue), hidden)).await
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
        let idle = Timestamp::now().duration_since(self.last_used.get());
        idle.is_negative() || idle > MAX_IDLE
    }

    fn reconnect(&self) {
        let aws = self.aws().reconnected();
        aws.preconnect(self.settings.discover);
        self.aws.replace(aws);
        self.last_used.set(Timestamp::now());
    }

    fn record(&self, report: &Report) {
        if let Some(request_id) = &*self.request_id.borrow() {
            emit(report, request_id);
        }
    }
}

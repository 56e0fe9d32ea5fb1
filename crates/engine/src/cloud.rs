//! Everything that the engine needs from outside: single attempts of AWS calls, the clock, sleep, jitter and the log.
//!
//! There are two implementations: the AWS SDK (`spotdrain-function`) and the simulated world of `tests/world`, in which the
//! laws are tested. Retries, rate limits, deadlines and the order of calls belong to the engine.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use spotdrain_core::model::arn::{ClusterArn, LoadBalancerArn, QueueArn, ServiceName, TargetGroupArn, TaskArn};
use spotdrain_core::model::observed::{RegisteredTarget, Revision, ServiceObservation, TaskObservation};
use spotdrain_core::plan::OwnedTarget;
use spotdrain_core::read::batch::Receipt;
use spotdrain_core::report::Report;

/// The answer to one attempt.
pub type Answer<T> = Result<T, CallError>;

/// The answer of a DescribeServices for each service.
pub type Services = BTreeMap<ServiceName, ServiceObservation>;

/// The answer of a DescribeTasks for each task.
pub type Tasks = BTreeMap<TaskArn, TaskObservation>;

/// One attempt of each call, and time. Every method that waits makes one attempt and has no time limit of its own.
#[expect(async_fn_in_trait, reason = "an invocation runs on one thread, so its futures need not be `Send`")]
pub trait Cloud {
    /// DescribeServices, with or without tags, for at most ten services of one cluster. The answer has an entry for every name.
    async fn describe_services(&self, cluster: &ClusterArn, names: &[ServiceName], tags: bool) -> Answer<Services>;

    /// DescribeServiceRevisions, for at most twenty revisions.
    async fn describe_service_revisions(&self, arns: &[String]) -> Answer<Vec<Revision>>;

    /// DescribeTasks, for at most a hundred tasks of one cluster. The answer has an entry for every task.
    async fn describe_tasks(&self, cluster: &ClusterArn, tasks: &[TaskArn]) -> Answer<Tasks>;

    /// ListTasks: a page of the tasks of a service, or of a cluster, whose desired status is STOPPED. It includes the tasks that
    /// stopped within the last hour.
    async fn list_stopping_tasks(
        &self,
        cluster: &ClusterArn,
        service: Option<&ServiceName>,
        page: Option<&str>,
    ) -> Answer<ListedTasks>;

    /// DescribeTargetHealth: all targets of a group.
    async fn describe_target_health(&self, group: &TargetGroupArn) -> Answer<Vec<RegisteredTarget>>;

    /// DescribeTargetGroups: the target groups of a load balancer.
    async fn describe_target_groups(&self, balancer: &LoadBalancerArn) -> Answer<Vec<TargetGroupArn>>;

    /// DeregisterTargets, for at most two hundred targets of one group. A success proves nothing about a target that was not
    /// read before: AWS also returns it for a target that is not in the group.
    async fn deregister_targets(&self, group: &TargetGroupArn, targets: &[OwnedTarget]) -> Answer<()>;

    /// ReceiveMessage: waits up to a second for at most ten messages.
    async fn receive(&self, queue: &QueueArn) -> Answer<Vec<ReceivedMessage>>;

    /// DeleteMessageBatch, for at most ten messages. Returns the error codes of the entries that failed.
    async fn delete(&self, queue: &QueueArn, receipts: &[Receipt]) -> Answer<Vec<String>>;

    /// ChangeMessageVisibilityBatch, for at most ten messages, each with the time for which it stays hidden. Returns the error
    /// codes of the entries that failed.
    async fn change_visibility(&self, queue: &QueueArn, hidden: &[(Receipt, Duration)]) -> Answer<Vec<String>>;

    /// Returns the time of the wall clock, which is compared with AWS's times.
    fn now(&self) -> Timestamp;

    /// Sleeps until a time; returns at once if it has passed.
    async fn sleep_until(&self, at: Timestamp);

    /// Returns a random number from 0 up to, but not including, 1. It spreads retries.
    fn jitter(&self) -> f64;

    /// Returns whether the execution environment may have been frozen since its last use, so that its connections may be dead.
    fn was_thawed(&self) -> bool;

    /// Closes the connections and opens new ones.
    fn reconnect(&self);

    /// Writes the records and metrics of a report. This happens before its messages are deleted.
    fn record(&self, report: &Report);
}

/// A page of ListTasks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListedTasks {
    pub tasks: Vec<TaskArn>,
    /// The token of the next page; `None` on the last one.
    pub next: Option<String>,
}

/// A message that the engine received itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMessage {
    pub id: String,
    pub receipt: Receipt,
    pub body: String,
}

/// The error of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallError {
    pub kind: CallErrorKind,
    /// AWS's error code and message, or why there was no answer.
    pub problem: String,
}

/// The kinds of errors that the engine treats differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallErrorKind {
    /// AWS refused the call because there were too many.
    Throttled,
    /// AWS could not answer it now (HTTP status 5xx).
    Transient,
    /// The connection broke, could not be opened, or there was no answer in time.
    BrokenConnection,
    /// The credentials or the permissions do not allow it.
    Denied,
    /// The cluster or the target group does not exist.
    NotFound,
    /// AWS refused an argument, such as a target of DeregisterTargets.
    Invalid,
    /// Any other error that a retry does not fix.
    Other,
}

impl CallErrorKind {
    /// Returns whether another attempt may succeed.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Throttled | Self::Transient | Self::BrokenConnection)
    }
}

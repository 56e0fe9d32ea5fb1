//! AWS's figures: the times, batch sizes and rate limits on which the design depends, each with its source.
//!
//! This is their only place: the engine, the simulated world, the doctor and the deployment's tests use them.

use std::time::Duration;

use jiff::SignedDuration;

/// Fargate stops a Spot task two minutes after the notice.
/// Source: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html>
pub const NOTICE_SECONDS: u32 = 120;

/// [`NOTICE_SECONDS`] as a duration.
pub const NOTICE: SignedDuration = SignedDuration::from_secs(NOTICE_SECONDS as i64);

/// From SIGTERM to SIGKILL, unless the container definition has a `stopTimeout`, in seconds.
/// Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>
pub const DEFAULT_STOP_TIMEOUT_SECONDS: u32 = 30;

/// The longest `stopTimeout` on Fargate, in seconds. Source: as above.
pub const MAX_STOP_TIMEOUT_SECONDS: u32 = 120;

/// ECS forgets a stopped task after an hour. After that, an answer that a task, service or cluster is missing proves nothing.
/// Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html>
pub const ECS_REMEMBERS: SignedDuration = SignedDuration::from_hours(1);

/// The most targets in one DeregisterTargets. AWS documents no limit; the Kubernetes load balancer controller has sent this
/// many for years (aws-load-balancer-controller, `targets_manager.go`).
pub const MAX_TARGETS_PER_CALL: usize = 200;

/// The most services in one DescribeServices.
/// Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html>
pub const MAX_SERVICES_PER_CALL: usize = 10;

/// The most tasks in one DescribeTasks.
/// Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html>
pub const MAX_TASKS_PER_CALL: usize = 100;

/// The most ARNs in one DescribeServiceRevisions.
/// Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServiceRevisions.html>
pub const MAX_REVISIONS_PER_CALL: usize = 20;

/// The most messages in one receive, in one batch of deletions, and in a batch that Lambda delivers without a batching window.
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>
pub const MAX_MESSAGES_PER_CALL: usize = 10;

/// A token bucket as AWS describes its throttles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimit {
    /// Size of the bucket, in calls.
    pub burst: f64,
    /// Calls added per second.
    pub per_second: f64,
}

/// RegisterTargets and DeregisterTargets together, for an account and Region.
/// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html>
pub const ELB_REGISTRATION: RateLimit = RateLimit { burst: 20.0, per_second: 4.0 };

/// All ELB calls together. Source: as above.
pub const ELB_ALL: RateLimit = RateLimit { burst: 40.0, per_second: 10.0 };

/// DescribeServices and other reads of services; the same limit applies to DescribeTasks and other reads of a cluster.
/// Source: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/request-throttling.html>
pub const ECS_READ: RateLimit = RateLimit { burst: 100.0, per_second: 20.0 };

/// Reads of service deployments and revisions. Source: as above.
pub const ECS_REVISION_READ: RateLimit = RateLimit { burst: 50.0, per_second: 20.0 };

/// The lowest MaximumConcurrency of an event source mapping. It is the number of execution environments that share the account's
/// rate limits.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>
pub const ENVIRONMENTS: f64 = 2.0;

/// After this many receives SQS moves a message to the dead-letter queue: `maxReceiveCount` of the deployment's queue.
pub const MAX_RECEIVES: u32 = 12;

/// How long SQS hides a received message: the deployment's visibility timeout. Lambda refuses one below the function's timeout.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>
pub const VISIBILITY_TIMEOUT: Duration = Duration::from_secs(30);

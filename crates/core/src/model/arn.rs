//! Amazon Resource Names of tasks, clusters, target groups, load balancers and queues, and the name of a service.
//!
//! Text is checked when it is parsed, so that a value of these types is always valid. Both forms of a task ARN are accepted:
//! the old `task/ID` and `task/CLUSTER/ID`.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-account-settings.html#ecs-resource-arn-timeline>

use std::fmt;

use serde::Serialize;
use thiserror::Error;

/// A text that is not an ARN of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected {expected}, found {found:?}")]
pub struct ArnError {
    /// The expected form, with its variable parts in capitals.
    pub expected: &'static str,
    /// The text, at most 200 characters of it.
    pub found: String,
}

/// The parts of `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
struct Parts<'a> {
    service: &'a str,
    region: &'a str,
    account: &'a str,
    resource: &'a str,
}

fn split(text: &str) -> Option<Parts<'_>> {
    let mut fields = text.splitn(6, ':');
    let (arn, partition) = (fields.next()?, fields.next()?);
    let (service, region) = (fields.next()?, fields.next()?);
    let (account, resource) = (fields.next()?, fields.next()?);
    let plain = |field: &str| !field.is_empty() && field.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let account_is_one = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let whole = arn == "arn" && partition.starts_with("aws") && plain(partition) && plain(region) && account_is_one;
    whole.then_some(Parts { service, region, account, resource })
}

/// Returns whether a text has only the characters of ECS's names and ids, and not too many of them.
/// Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCluster.html>
pub(crate) fn is_ecs_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 255 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn refused(expected: &'static str, found: &str) -> ArnError {
    ArnError { expected, found: found.chars().take(200).collect() }
}

macro_rules! arn_type {
    ($(#[$doc:meta])* $name:ident, $service:literal, $form:literal, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Parses an ARN. An [`ArnError`] says which form was expected.
            pub fn parse(text: &str) -> Result<Self, ArnError> {
                let parts = split(text).filter(|parts| parts.service == $service && $check(parts.resource));
                parts.map(|_| Self(text.to_owned())).ok_or_else(|| refused($form, text))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Returns the Region, such as `eu-central-1`.
            #[must_use]
            pub fn region(&self) -> &str {
                split(&self.0).map_or("", |parts| parts.region)
            }

            /// Returns the twelve digits of the account.
            #[must_use]
            pub fn account(&self) -> &str {
                split(&self.0).map_or("", |parts| parts.account)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

arn_type!(
    /// A task: `arn:aws:ecs:REGION:ACCOUNT:task/CLUSTER/ID`, or the old form without the cluster.
    TaskArn, "ecs", "a task ARN (arn:aws:ecs:REGION:ACCOUNT:task/CLUSTER/ID)", is_task
);
arn_type!(
    /// A cluster: `arn:aws:ecs:REGION:ACCOUNT:cluster/NAME`.
    ClusterArn, "ecs", "a cluster ARN (arn:aws:ecs:REGION:ACCOUNT:cluster/NAME)", is_cluster
);
arn_type!(
    /// A target group: `arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID`.
    TargetGroupArn, "elasticloadbalancing",
    "a target group ARN (arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID)", is_target_group
);

arn_type!(
    /// A load balancer: `arn:aws:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/net/NAME/ID`, or `app` or `gwy` for `net`.
    LoadBalancerArn, "elasticloadbalancing",
    "a load balancer ARN (arn:aws:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/net/NAME/ID)", is_load_balancer
);

arn_type!(
    /// An SQS queue: `arn:aws:sqs:REGION:ACCOUNT:NAME`.
    QueueArn, "sqs", "a queue ARN (arn:aws:sqs:REGION:ACCOUNT:NAME)", is_ecs_name
);

fn is_task(resource: &str) -> bool {
    let Some(rest) = resource.strip_prefix("task/") else {
        return false;
    };
    match rest.split_once('/') {
        Some((cluster, id)) => is_ecs_name(cluster) && is_ecs_name(id),
        None => is_ecs_name(rest),
    }
}

fn is_cluster(resource: &str) -> bool {
    resource.strip_prefix("cluster/").is_some_and(is_ecs_name)
}

fn is_target_group(resource: &str) -> bool {
    let name_and_id = resource.strip_prefix("targetgroup/").and_then(|rest| rest.split_once('/'));
    name_and_id.is_some_and(|(name, id)| is_ecs_name(name) && is_ecs_name(id))
}

/// A Classic Load Balancer (`loadbalancer/NAME`) has no target groups.
fn is_load_balancer(resource: &str) -> bool {
    let mut parts = resource.split('/');
    let head = (parts.next(), parts.next());
    matches!(head, (Some("loadbalancer"), Some("app" | "net" | "gwy")))
        && parts.clone().count() == 2
        && parts.all(is_ecs_name)
}

impl TaskArn {
    /// Returns the task's id, the last part of the ARN.
    #[must_use]
    pub fn id(&self) -> &str {
        last_segment(&self.0)
    }

    /// Returns the cluster's name; `None` in the old form, which does not have it.
    #[must_use]
    pub fn cluster(&self) -> Option<&str> {
        let mut segments = self.0.rsplit('/').skip(1);
        segments.next().filter(|_| segments.next().is_some())
    }
}

impl ClusterArn {
    #[must_use]
    pub fn name(&self) -> &str {
        last_segment(&self.0)
    }
}

impl TargetGroupArn {
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').nth(1).unwrap_or(&self.0)
    }
}

/// Returns the name or id at the end of an ARN: what follows the last `/`, or the whole text if it has none.
#[must_use]
pub fn last_segment(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

impl QueueArn {
    /// Returns the queue's URL for calls of SQS: the configured one if it belongs to this queue, else the documented form;
    /// `None` in a partition whose form is not known (known: aws, aws-us-gov, aws-cn).
    /// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html>
    #[must_use]
    pub fn url(&self, configured: Option<&str>) -> Option<String> {
        let is_own = |url: &&str| url.rsplit('/').next() == Some(self.name());
        let domain = match self.0.split(':').nth(1) {
            Some("aws" | "aws-us-gov") => Some("amazonaws.com"),
            Some("aws-cn") => Some("amazonaws.com.cn"),
            _ => None,
        };
        let usual =
            domain.map(|domain| format!("https://sqs.{}.{domain}/{}/{}", self.region(), self.account(), self.name()));
        configured.filter(is_own).map(str::to_owned).or(usual)
    }

    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit(':').next().unwrap_or(&self.0)
    }
}

/// A service's name, from a task's `group` (`service:NAME`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ServiceName(String);

impl ServiceName {
    /// Parses a task's `group`; `None` for a standalone task, whose group is `family:NAME` or any text that the caller of
    /// `RunTask` chose. A caller may also choose `service:NAME`: then that service is described, and the task turns out not to
    /// be registered there.
    #[must_use]
    pub fn from_group(group: &str) -> Option<Self> {
        group.strip_prefix("service:").and_then(Self::new)
    }

    /// A service's name, if the text can be one.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        is_ecs_name(name).then(|| Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_old_and_new_task_arns() {
        let new = TaskArn::parse("arn:aws:ecs:eu-central-1:123456789012:task/demo/c13b4cb4").unwrap();
        assert_eq!((new.id(), new.region(), new.account()), ("c13b4cb4", "eu-central-1", "123456789012"));
        assert_eq!(new.cluster(), Some("demo"));
        let old = TaskArn::parse("arn:aws-cn:ecs:cn-north-1:123456789012:task/c13b4cb4").unwrap();
        assert_eq!((old.id(), old.cluster()), ("c13b4cb4", None));
    }

    #[test]
    fn names_a_target_group() {
        let arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/demo-5044/6d0ecf83";
        assert_eq!(TargetGroupArn::parse(arn).unwrap().name(), "demo-5044");
    }

    #[test]
    fn names_a_queue() {
        assert_eq!(
            QueueArn::parse("arn:aws:sqs:eu-central-1:123456789012:spot-notices").unwrap().name(),
            "spot-notices"
        );
        assert!(QueueArn::parse("arn:aws:sqs:eu-central-1:123456789012:").is_err());
    }

    #[test]
    fn a_queue_has_its_url() {
        let url = |text| QueueArn::parse(text).unwrap().url(None).unwrap();
        let here = url("arn:aws:sqs:eu-central-1:123456789012:notices");
        assert_eq!(here, "https://sqs.eu-central-1.amazonaws.com/123456789012/notices");
        let china = url("arn:aws-cn:sqs:cn-north-1:123456789012:notices");
        assert_eq!(china, "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/notices");
    }

    #[test]
    fn refuses_what_is_no_arn_of_its_kind() {
        for text in [
            "",
            "arn",
            "arn:aws:ecs:eu-central-1:123456789012:cluster/demo",
            "arn:aws:ecs:eu-central-1:12345:task/demo/x",
            "arn:aws:ecs::123456789012:task/demo/x",
            "arn:aws:ecs:eu-central-1:123456789012:task/demo/",
            "arn:aws:ecs:eu-central-1:123456789012:task/demo/x/y",
            "arn:aws:ecs:eu-central-1:123456789012:task/de mo/x",
            "arn:aws:ec2:eu-central-1:123456789012:task/demo/x",
        ] {
            assert!(TaskArn::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_group_names_a_service_or_none() {
        assert_eq!(ServiceName::from_group("service:web").unwrap().as_str(), "web");
        for group in ["family:web", "service:", "web", "service:a b", "service:a/b"] {
            assert_eq!(ServiceName::from_group(group), None, "{group}");
        }
    }

    #[test]
    fn a_configured_url_counts_if_it_is_of_this_queue() {
        let sovereign = QueueArn::parse("arn:aws-eusc:sqs:eusc-de-east-1:123456789012:notices").unwrap();
        let own = "https://sqs.eusc-de-east-1.amazonaws.eu/123456789012/notices";
        assert_eq!(sovereign.url(Some(own)).as_deref(), Some(own));
        assert_eq!(sovereign.url(None), None, "its domain is not known");
        assert_eq!(sovereign.url(Some("https://sqs.eusc-de-east-1.amazonaws.eu/123456789012/other")), None);
        let usual = QueueArn::parse("arn:aws:sqs:eu-central-1:123456789012:notices").unwrap();
        let url = usual.url(Some("https://sqs.eu-central-1.amazonaws.com/123456789012/other")).unwrap();
        assert_eq!(url, "https://sqs.eu-central-1.amazonaws.com/123456789012/notices");
    }
}

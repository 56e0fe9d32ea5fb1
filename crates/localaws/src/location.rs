//! The partition, Region and account of a world, and the ARNs that follow from them.
//!
//! Queues and roles are always in the default account and Region, so that a test can write their ARNs down.

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "eu-central-1";

/// The partition, Region and account of a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The partition, for example `aws` or `aws-cn`.
    pub partition: String,
    /// The Region.
    pub region: String,
    /// The account: twelve digits.
    pub account: String,
}

impl Default for Location {
    /// Account `123456789012` in `eu-central-1`, so that a test can write an ARN down.
    fn default() -> Self {
        Self { partition: "aws".to_owned(), region: REGION.to_owned(), account: ACCOUNT.to_owned() }
    }
}

impl Location {
    fn arn(&self, service: &str, resource: &str) -> String {
        let Self { partition, region, account } = self;
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    pub(crate) fn cluster_arn(&self, name: &str) -> String {
        self.arn("ecs", &format!("cluster/{name}"))
    }

    pub(crate) fn service_arn(&self, cluster: &str, name: &str) -> String {
        self.arn("ecs", &format!("service/{cluster}/{name}"))
    }

    pub(crate) fn task_arn(&self, cluster: &str, id: &str) -> String {
        self.arn("ecs", &format!("task/{cluster}/{id}"))
    }

    pub(crate) fn task_definition_arn(&self, family: &str) -> String {
        self.arn("ecs", &format!("task-definition/{family}:1"))
    }

    pub(crate) fn group_arn(&self, name: &str, id: &str) -> String {
        self.arn("elasticloadbalancing", &format!("targetgroup/{name}/{id}"))
    }

    /// The user whose credentials every caller has.
    pub(crate) fn caller_arn(&self) -> String {
        format!("arn:{}:iam::{}:user/local", self.partition, self.account)
    }
}

pub(crate) fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

/// IAM is global: its ARNs have no Region.
pub(crate) fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

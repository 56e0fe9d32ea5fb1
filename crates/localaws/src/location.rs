//! Where is a world: which partition, Region and account are in its ARNs?

/// The place of a world in AWS.
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
        Self {
            partition: "aws".to_owned(),
            region: crate::arns::REGION.to_owned(),
            account: crate::arns::ACCOUNT.to_owned(),
        }
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

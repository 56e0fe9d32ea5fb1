//! The calls that are simulated, and the API of each.
//!
//! Every other action is refused with the error of its protocol. To add an API, start with a new [`Api`].

use std::str::FromStr as _;

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// The APIs that are simulated, in the order in which they are listed, by the name that users know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub(crate) enum Api {
    /// JSON 1.1.
    #[strum(serialize = "ECS")]
    Ecs,
    /// The query protocol.
    #[strum(serialize = "ELBv2")]
    Elb,
    /// JSON 1.0.
    #[strum(serialize = "SQS")]
    Sqs,
    /// JSON 1.1.
    #[strum(serialize = "EventBridge")]
    Events,
    /// REST: paths and methods.
    Lambda,
    /// The query protocol.
    #[strum(serialize = "IAM")]
    Iam,
    /// The query protocol.
    #[strum(serialize = "STS")]
    Sts,
    /// The query protocol.
    #[strum(serialize = "SNS")]
    Sns,
    /// JSON 1.1.
    #[strum(serialize = "Application Auto Scaling")]
    Scaling,
}

/// A call that is simulated. Its text is the action's name in the API reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumString, IntoStaticStr, VariantArray)]
pub enum Action {
    DescribeLoadBalancers,
    DescribeTargetGroups,
    DescribeTargetHealth,
    RegisterTargets,
    DeregisterTargets,
    DescribeTargetGroupAttributes,
    DescribeLoadBalancerAttributes,
    DescribeListeners,
    DescribeTags,
    DescribeServices,
    DescribeServiceRevisions,
    DescribeTasks,
    ListClusters,
    DescribeClusters,
    ListServices,
    DescribeTaskDefinition,
    ListTasks,
    StopTask,
    ListRuleNamesByTarget,
    DescribeRule,
    ListTargetsByRule,
    ListEventBuses,
    PutEvents,
    Publish,
    Invoke,
    ListFunctions,
    ListTags,
    ListEventSourceMappings,
    GetFunctionConcurrency,
    GetRole,
    ListRolePolicies,
    GetRolePolicy,
    ListAttachedRolePolicies,
    GetPolicy,
    GetPolicyVersion,
    GetCallerIdentity,
    DescribeScalableTargets,
    GetQueueUrl,
    GetQueueAttributes,
    ReceiveMessage,
    DeleteMessageBatch,
    ChangeMessageVisibilityBatch,
}

impl Action {
    pub(crate) const ALL: &[Self] = Self::VARIANTS;

    /// The name in the API reference.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The simulated APIs, each with its actions.
    #[must_use]
    pub fn by_service() -> Vec<(&'static str, Vec<Self>)> {
        let of = |api| Self::ALL.iter().copied().filter(|action| action.api() == api).collect();
        Api::VARIANTS.iter().map(|api| (api.into(), of(*api))).collect()
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::from_str(name).ok()
    }

    pub(crate) fn api(self) -> Api {
        match self {
            Self::DescribeLoadBalancers
            | Self::DescribeTargetGroups
            | Self::DescribeTargetHealth
            | Self::RegisterTargets
            | Self::DeregisterTargets
            | Self::DescribeTargetGroupAttributes
            | Self::DescribeLoadBalancerAttributes
            | Self::DescribeListeners
            | Self::DescribeTags => Api::Elb,
            Self::DescribeServices
            | Self::DescribeServiceRevisions
            | Self::DescribeTasks
            | Self::ListClusters
            | Self::DescribeClusters
            | Self::ListServices
            | Self::DescribeTaskDefinition
            | Self::ListTasks
            | Self::StopTask => Api::Ecs,
            Self::ListRuleNamesByTarget
            | Self::DescribeRule
            | Self::ListTargetsByRule
            | Self::ListEventBuses
            | Self::PutEvents => Api::Events,
            Self::Invoke
            | Self::ListFunctions
            | Self::ListTags
            | Self::ListEventSourceMappings
            | Self::GetFunctionConcurrency => Api::Lambda,
            Self::GetRole
            | Self::ListRolePolicies
            | Self::GetRolePolicy
            | Self::ListAttachedRolePolicies
            | Self::GetPolicy
            | Self::GetPolicyVersion => Api::Iam,
            Self::GetCallerIdentity => Api::Sts,
            Self::Publish => Api::Sns,
            Self::DescribeScalableTargets => Api::Scaling,
            Self::GetQueueUrl
            | Self::GetQueueAttributes
            | Self::ReceiveMessage
            | Self::DeleteMessageBatch
            | Self::ChangeMessageVisibilityBatch => Api::Sqs,
        }
    }

    /// The IAM action, as error messages write it.
    pub(crate) fn permission(self) -> String {
        match self.api() {
            Api::Elb => format!("elasticloadbalancing:{self}"),
            Api::Ecs => format!("ecs:{self}"),
            Api::Events => format!("events:{self}"),
            Api::Lambda if self == Self::Invoke => "lambda:InvokeFunction".to_owned(),
            Api::Lambda => format!("lambda:{self}"),
            Api::Iam => format!("iam:{self}"),
            Api::Sts => format!("sts:{self}"),
            Api::Sns => format!("sns:{self}"),
            Api::Scaling => format!("application-autoscaling:{self}"),
            // The service's own messages have the name in lower case.
            Api::Sqs => format!("sqs:{}", self.name().to_lowercase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_listed_with_one_service() {
        let listed: Vec<Action> = Action::by_service().into_iter().flat_map(|(_, actions)| actions).collect();
        assert_eq!(listed.len(), Action::ALL.len());
        assert!(Action::ALL.iter().all(|action| listed.contains(action)));
    }
}

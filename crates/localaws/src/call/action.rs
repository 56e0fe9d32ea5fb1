//! Which calls are answered, and to which API does each belong?
//!
//! An action that is not listed here is refused by the protocol's own error. A further API begins with a new [`Api`].

use std::fmt;

/// The APIs that are simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    /// Elastic Load Balancing v2: the query protocol.
    Elb,
    /// Elastic Container Service: awsJson1.1.
    Ecs,
    /// Simple Queue Service: awsJson1.0.
    Sqs,
    /// `EventBridge`: awsJson1.1.
    Events,
    /// Lambda: paths and verbs.
    Lambda,
    /// Identity and Access Management: the query protocol.
    Iam,
    /// Security Token Service: the query protocol.
    Sts,
    /// Application Auto Scaling: awsJson1.1.
    Scaling,
}

impl Api {
    const ALL: [Self; 8] =
        [Self::Ecs, Self::Elb, Self::Sqs, Self::Events, Self::Lambda, Self::Iam, Self::Sts, Self::Scaling];

    /// The name of the service as its users know it.
    fn title(self) -> &'static str {
        match self {
            Self::Elb => "ELBv2",
            Self::Ecs => "ECS",
            Self::Sqs => "SQS",
            Self::Events => "EventBridge",
            Self::Lambda => "Lambda",
            Self::Iam => "IAM",
            Self::Sts => "STS",
            Self::Scaling => "Application Auto Scaling",
        }
    }
}

/// A call that is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `elasticloadbalancing:DescribeLoadBalancers`
    DescribeLoadBalancers,
    /// `elasticloadbalancing:DescribeTargetGroups`
    DescribeTargetGroups,
    /// `elasticloadbalancing:DescribeTargetHealth`
    DescribeTargetHealth,
    /// `elasticloadbalancing:RegisterTargets`
    RegisterTargets,
    /// `elasticloadbalancing:DeregisterTargets`
    DeregisterTargets,
    /// `ecs:DescribeServices`
    DescribeServices,
    /// `ecs:DescribeServiceRevisions`
    DescribeServiceRevisions,
    /// `ecs:DescribeTasks`
    DescribeTasks,
    /// `ecs:ListClusters`
    ListClusters,
    /// `ecs:DescribeClusters`
    DescribeClusters,
    /// `ecs:ListServices`
    ListServices,
    /// `ecs:DescribeTaskDefinition`
    DescribeTaskDefinition,
    /// `ecs:ListTasks`
    ListTasks,
    /// `elasticloadbalancing:DescribeTargetGroupAttributes`
    DescribeTargetGroupAttributes,
    /// `elasticloadbalancing:DescribeLoadBalancerAttributes`
    DescribeLoadBalancerAttributes,
    /// `elasticloadbalancing:DescribeListeners`
    DescribeListeners,
    /// `elasticloadbalancing:DescribeTags`
    DescribeTags,
    /// `events:ListRuleNamesByTarget`
    ListRuleNamesByTarget,
    /// `events:DescribeRule`
    DescribeRule,
    /// `events:ListTargetsByRule`
    ListTargetsByRule,
    /// `events:PutEvents`
    PutEvents,
    /// `lambda:InvokeFunction`
    Invoke,
    /// `lambda:ListFunctions`
    ListFunctions,
    /// `lambda:ListTags`
    ListTags,
    /// `lambda:ListEventSourceMappings`
    ListEventSourceMappings,
    /// `lambda:GetFunctionConcurrency`
    GetFunctionConcurrency,
    /// `application-autoscaling:DescribeScalableTargets`
    DescribeScalableTargets,
    /// `iam:GetRole`
    GetRole,
    /// `iam:ListRolePolicies`
    ListRolePolicies,
    /// `iam:GetRolePolicy`
    GetRolePolicy,
    /// `iam:ListAttachedRolePolicies`
    ListAttachedRolePolicies,
    /// `iam:GetPolicy`
    GetPolicy,
    /// `iam:GetPolicyVersion`
    GetPolicyVersion,
    /// `sts:GetCallerIdentity`
    GetCallerIdentity,
    /// `sqs:CreateQueue`
    CreateQueue,
    /// `sqs:GetQueueUrl`
    GetQueueUrl,
    /// `sqs:GetQueueAttributes`
    GetQueueAttributes,
    /// `sqs:SetQueueAttributes`
    SetQueueAttributes,
    /// `sqs:PurgeQueue`
    PurgeQueue,
    /// `sqs:SendMessage`
    SendMessage,
    /// `sqs:SendMessageBatch`
    SendMessageBatch,
    /// `sqs:ReceiveMessage`
    ReceiveMessage,
    /// `sqs:DeleteMessage`
    DeleteMessage,
    /// `sqs:DeleteMessageBatch`
    DeleteMessageBatch,
    /// `sqs:ChangeMessageVisibility`
    ChangeMessageVisibility,
    /// `sqs:ChangeMessageVisibilityBatch`
    ChangeMessageVisibilityBatch,
}

impl Action {
    pub(crate) const ALL: [Self; 46] = [
        Self::DescribeLoadBalancers,
        Self::DescribeTargetGroups,
        Self::DescribeTargetHealth,
        Self::RegisterTargets,
        Self::DeregisterTargets,
        Self::DescribeServices,
        Self::DescribeServiceRevisions,
        Self::DescribeTasks,
        Self::ListClusters,
        Self::DescribeClusters,
        Self::ListServices,
        Self::DescribeTaskDefinition,
        Self::ListTasks,
        Self::DescribeTargetGroupAttributes,
        Self::DescribeLoadBalancerAttributes,
        Self::DescribeListeners,
        Self::DescribeTags,
        Self::ListRuleNamesByTarget,
        Self::DescribeRule,
        Self::ListTargetsByRule,
        Self::PutEvents,
        Self::Invoke,
        Self::ListFunctions,
        Self::ListTags,
        Self::ListEventSourceMappings,
        Self::GetFunctionConcurrency,
        Self::DescribeScalableTargets,
        Self::GetRole,
        Self::ListRolePolicies,
        Self::GetRolePolicy,
        Self::ListAttachedRolePolicies,
        Self::GetPolicy,
        Self::GetPolicyVersion,
        Self::GetCallerIdentity,
        Self::CreateQueue,
        Self::GetQueueUrl,
        Self::GetQueueAttributes,
        Self::SetQueueAttributes,
        Self::PurgeQueue,
        Self::SendMessage,
        Self::SendMessageBatch,
        Self::ReceiveMessage,
        Self::DeleteMessage,
        Self::DeleteMessageBatch,
        Self::ChangeMessageVisibility,
        Self::ChangeMessageVisibilityBatch,
    ];

    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DescribeLoadBalancers => "DescribeLoadBalancers",
            Self::DescribeTargetGroups => "DescribeTargetGroups",
            Self::DescribeTargetHealth => "DescribeTargetHealth",
            Self::RegisterTargets => "RegisterTargets",
            Self::DeregisterTargets => "DeregisterTargets",
            Self::DescribeServices => "DescribeServices",
            Self::DescribeServiceRevisions => "DescribeServiceRevisions",
            Self::DescribeTasks => "DescribeTasks",
            Self::ListClusters => "ListClusters",
            Self::DescribeClusters => "DescribeClusters",
            Self::ListServices => "ListServices",
            Self::DescribeTaskDefinition => "DescribeTaskDefinition",
            Self::ListTasks => "ListTasks",
            Self::DescribeTargetGroupAttributes => "DescribeTargetGroupAttributes",
            Self::DescribeLoadBalancerAttributes => "DescribeLoadBalancerAttributes",
            Self::DescribeListeners => "DescribeListeners",
            Self::DescribeTags => "DescribeTags",
            Self::ListRuleNamesByTarget => "ListRuleNamesByTarget",
            Self::DescribeRule => "DescribeRule",
            Self::ListTargetsByRule => "ListTargetsByRule",
            Self::PutEvents => "PutEvents",
            Self::Invoke => "Invoke",
            Self::ListFunctions => "ListFunctions",
            Self::ListTags => "ListTags",
            Self::ListEventSourceMappings => "ListEventSourceMappings",
            Self::GetFunctionConcurrency => "GetFunctionConcurrency",
            Self::DescribeScalableTargets => "DescribeScalableTargets",
            Self::GetRole => "GetRole",
            Self::ListRolePolicies => "ListRolePolicies",
            Self::GetRolePolicy => "GetRolePolicy",
            Self::ListAttachedRolePolicies => "ListAttachedRolePolicies",
            Self::GetPolicy => "GetPolicy",
            Self::GetPolicyVersion => "GetPolicyVersion",
            Self::GetCallerIdentity => "GetCallerIdentity",
            Self::CreateQueue => "CreateQueue",
            Self::GetQueueUrl => "GetQueueUrl",
            Self::GetQueueAttributes => "GetQueueAttributes",
            Self::SetQueueAttributes => "SetQueueAttributes",
            Self::PurgeQueue => "PurgeQueue",
            Self::SendMessage => "SendMessage",
            Self::SendMessageBatch => "SendMessageBatch",
            Self::ReceiveMessage => "ReceiveMessage",
            Self::DeleteMessage => "DeleteMessage",
            Self::DeleteMessageBatch => "DeleteMessageBatch",
            Self::ChangeMessageVisibility => "ChangeMessageVisibility",
            Self::ChangeMessageVisibilityBatch => "ChangeMessageVisibilityBatch",
        }
    }

    /// The services that are simulated, each with its actions.
    #[must_use]
    pub fn by_service() -> Vec<(&'static str, Vec<Self>)> {
        let of = |api: Api| Self::ALL.into_iter().filter(|action| action.api() == api).collect();
        Api::ALL.into_iter().map(|api| (api.title(), of(api))).collect()
    }

    /// The action of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    pub(crate) fn api(self) -> Api {
        match self {
            Self::DescribeLoadBalancers
            | Self::DescribeLoadBalancerAttributes
            | Self::DescribeTargetGroups
            | Self::DescribeTargetGroupAttributes
            | Self::DescribeTargetHealth
            | Self::DescribeListeners
            | Self::DescribeTags
            | Self::RegisterTargets
            | Self::DeregisterTargets => Api::Elb,
            Self::DescribeServices
            | Self::DescribeServiceRevisions
            | Self::DescribeTasks
            | Self::ListClusters
            | Self::DescribeClusters
            | Self::ListServices
            | Self::DescribeTaskDefinition
            | Self::ListTasks => Api::Ecs,
            Self::ListRuleNamesByTarget | Self::DescribeRule | Self::ListTargetsByRule | Self::PutEvents => Api::Events,
            Self::DescribeScalableTargets => Api::Scaling,
            Self::ListFunctions
            | Self::ListTags
            | Self::ListEventSourceMappings
            | Self::GetFunctionConcurrency
            | Self::Invoke => Api::Lambda,
            Self::GetRole
            | Self::ListRolePolicies
            | Self::GetRolePolicy
            | Self::ListAttachedRolePolicies
            | Self::GetPolicy
            | Self::GetPolicyVersion => Api::Iam,
            Self::GetCallerIdentity => Api::Sts,
            Self::CreateQueue
            | Self::GetQueueUrl
            | Self::GetQueueAttributes
            | Self::SetQueueAttributes
            | Self::PurgeQueue
            | Self::SendMessage
            | Self::SendMessageBatch
            | Self::ReceiveMessage
            | Self::DeleteMessage
            | Self::DeleteMessageBatch
            | Self::ChangeMessageVisibility
            | Self::ChangeMessageVisibilityBatch => Api::Sqs,
        }
    }

    /// The action as an error names it.
    pub(crate) fn permission(self) -> String {
        match self.api() {
            Api::Elb => format!("elasticloadbalancing:{self}"),
            Api::Ecs => format!("ecs:{self}"),
            Api::Events => format!("events:{self}"),
            Api::Lambda if self == Self::Invoke => "lambda:InvokeFunction".to_owned(),
            Api::Lambda => format!("lambda:{self}"),
            Api::Iam => format!("iam:{self}"),
            Api::Sts => format!("sts:{self}"),
            Api::Scaling => format!("application-autoscaling:{self}"),
            // In SQS's own text the name is in lower case.
            Api::Sqs => format!("sqs:{}", self.name().to_lowercase()),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
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

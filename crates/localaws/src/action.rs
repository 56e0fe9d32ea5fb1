//! Which calls are answered, and to which API does each belong?
//!
//! An action that is not listed here is refused by the protocol's own error. A further API begins with a new [`Api`].

use std::fmt;

/// The APIs that are played.
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
    pub(crate) const ALL: [Self; 41] = [
        Self::DescribeLoadBalancers,
        Self::DescribeTargetGroups,
        Self::DescribeTargetHealth,
        Self::RegisterTargets,
        Self::DeregisterTargets,
        Self::DescribeServices,
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
        Self::PutEvents,
        Self::Invoke,
        Self::ListFunctions,
        Self::ListTags,
        Self::ListEventSourceMappings,
        Self::GetRole,
        Self::ListRolePolicies,
        Self::GetRolePolicy,
        Self::ListAttachedRolePolicies,
        Self::GetPolicy,
        Self::GetPolicyVersion,
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
            Self::PutEvents => "PutEvents",
            Self::Invoke => "Invoke",
            Self::ListFunctions => "ListFunctions",
            Self::ListTags => "ListTags",
            Self::ListEventSourceMappings => "ListEventSourceMappings",
            Self::GetRole => "GetRole",
            Self::ListRolePolicies => "ListRolePolicies",
            Self::GetRolePolicy => "GetRolePolicy",
            Self::ListAttachedRolePolicies => "ListAttachedRolePolicies",
            Self::GetPolicy => "GetPolicy",
            Self::GetPolicyVersion => "GetPolicyVersion",
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
            | Self::DescribeTasks
            | Self::ListClusters
            | Self::DescribeClusters
            | Self::ListServices
            | Self::DescribeTaskDefinition
            | Self::ListTasks => Api::Ecs,
            Self::ListRuleNamesByTarget | Self::DescribeRule | Self::PutEvents => Api::Events,
            Self::ListFunctions | Self::ListTags | Self::ListEventSourceMappings | Self::Invoke => Api::Lambda,
            Self::GetRole
            | Self::ListRolePolicies
            | Self::GetRolePolicy
            | Self::ListAttachedRolePolicies
            | Self::GetPolicy
            | Self::GetPolicyVersion => Api::Iam,
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

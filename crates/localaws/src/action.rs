//! Which calls are answered, and to which API does each belong?
//!
//! An action that is not listed here is refused by the protocol's own error. A further API (SQS) begins with a new [`Api`].

use std::fmt;

/// The APIs that are played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    /// Elastic Load Balancing v2: the query protocol.
    Elb,
    /// Elastic Container Service: awsJson1.1.
    Ecs,
}

/// A call that is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
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
}

impl Action {
    pub(crate) const ALL: [Self; 6] = [
        Self::DescribeTargetGroups,
        Self::DescribeTargetHealth,
        Self::RegisterTargets,
        Self::DeregisterTargets,
        Self::DescribeServices,
        Self::DescribeTasks,
    ];

    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DescribeTargetGroups => "DescribeTargetGroups",
            Self::DescribeTargetHealth => "DescribeTargetHealth",
            Self::RegisterTargets => "RegisterTargets",
            Self::DeregisterTargets => "DeregisterTargets",
            Self::DescribeServices => "DescribeServices",
            Self::DescribeTasks => "DescribeTasks",
        }
    }

    /// The action of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    pub(crate) fn api(self) -> Api {
        match self {
            Self::DescribeTargetGroups
            | Self::DescribeTargetHealth
            | Self::RegisterTargets
            | Self::DeregisterTargets => Api::Elb,
            Self::DescribeServices | Self::DescribeTasks => Api::Ecs,
        }
    }

    /// The action as IAM writes it.
    pub(crate) fn permission(self) -> String {
        let prefix = match self.api() {
            Api::Elb => "elasticloadbalancing",
            Api::Ecs => "ecs",
        };
        format!("{prefix}:{self}")
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

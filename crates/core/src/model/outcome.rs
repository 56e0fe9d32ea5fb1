//! What became of one registration.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use strum::IntoStaticStr;

/// Why something failed, and whether another try may mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The AWS call that failed, such as `DeregisterTargets`, or the setting that is wrong.
    pub call: &'static str,
    /// AWS's error code and text, or what happened instead of an answer.
    pub problem: String,
    /// Another try may succeed: throttled, timed out, not confirmed. A right that is missing is none of these.
    pub retryable: bool,
}

impl Failure {
    /// A question for which there was no time.
    #[must_use]
    pub fn not_asked(call: &'static str) -> Self {
        Self { call, problem: "not asked before the deadline".to_owned(), retryable: true }
    }

    /// A call for which there was no time.
    #[must_use]
    pub fn not_started(call: &'static str) -> Self {
        Self { call, problem: "not started: no time was left".to_owned(), retryable: true }
    }
}

/// What became of one registration, or, where nothing is changed, what would have.
#[derive(Debug, Clone, PartialEq, Eq, IntoStaticStr)]
pub enum Outcome {
    /// AWS accepted it; where the port was not read before, a read afterwards confirmed it.
    Deregistered,
    /// It would have been deregistered, but for `observe` or `plan`.
    WouldDeregister,
    /// It was draining before: ECS or somebody else was first.
    AlreadyDraining,
    /// The group does not have this target.
    NotRegistered,
    /// Its health check asks the hold, which fails it while the application serves on: the load balancer turns away by
    /// itself, and sooner than after a deregistration.
    LeftToHold,
    /// Without it the group would have no healthy target.
    KeptLastHealthy,
    /// The address is not this task's any more.
    Stale,
    /// The target group does not exist any more.
    AlreadyGone,
    /// It was not done, or could not be seen to be.
    Failed(Failure),
}

impl Outcome {
    /// The name, as it is in reports and metrics.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.into()
    }

    /// The failure, if it is one.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            _ => None,
        }
    }
}

/// Why no target group was found for a notice. Nothing is done for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, IntoStaticStr)]
pub enum NoTargetGroup {
    /// The task has no service, or its service has no load balancer in any form. Most queue workers are so, and services that
    /// only Cloud Map, Service Connect or VPC Lattice reaches: those deregister their tasks themselves.
    NoLoadBalancer,
    /// ECS says that the service has a load balancer, managed ingress or a gateway, and its target groups could not be found; or
    /// the notice is so old that ECS has forgotten the service.
    Unresolved,
}

impl NoTargetGroup {
    /// The name of its metric.
    #[must_use]
    pub fn metric(self) -> &'static str {
        match self {
            Self::NoLoadBalancer => "NoTargetGroupNoLoadBalancer",
            Self::Unresolved => "NoTargetGroupUnresolved",
        }
    }
}

/// The name as `outcome`, and beside it the `failure` if it is one.
impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("outcome", self.as_str())?;
        if let Some(failure) = self.failure() {
            map.serialize_entry("failure", failure)?;
        }
        map.end()
    }
}

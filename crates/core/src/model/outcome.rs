//! The outcome of one registration.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use strum::{IntoStaticStr, VariantNames};

/// Why a call failed, and whether to retry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The AWS call that failed, such as `DeregisterTargets`, or the setting that is wrong.
    pub call: &'static str,
    /// AWS's error code and message, or why there was no answer.
    pub problem: String,
    /// A retry may succeed: the call was throttled, timed out or was not confirmed; but no permission is missing.
    pub retryable: bool,
}

impl Failure {
    /// A read that was not made before the deadline.
    #[must_use]
    pub fn not_asked(call: &'static str) -> Self {
        Self { call, problem: "not asked before the deadline".to_owned(), retryable: true }
    }

    /// A call that was not started before the deadline.
    #[must_use]
    pub fn not_started(call: &'static str) -> Self {
        Self { call, problem: "not started: no time was left".to_owned(), retryable: true }
    }
}

/// The outcome of one registration, or what it would be if nothing is changed (`observe`, `plan`).
#[derive(Debug, Clone, PartialEq, Eq, IntoStaticStr, VariantNames)]
pub enum Outcome {
    /// AWS accepted the deregistration; if the group could not be read before, a read afterwards confirmed it.
    Deregistered,
    /// It would have been deregistered without `observe` or `plan`.
    WouldDeregister,
    /// It was already draining: ECS or somebody else was first.
    AlreadyDraining,
    /// The group does not have this target.
    NotRegistered,
    /// Its health check asks the hold, which fails it while the application continues to serve. Then the load balancer stops
    /// sending new connections sooner than after a deregistration.
    LeftToHold,
    /// Without it the group would have no healthy target.
    KeptLastHealthy,
    /// The address no longer belongs to this task.
    Stale,
    /// The target group no longer exists.
    AlreadyGone,
    /// The deregistration failed or could not be confirmed.
    Failed(Failure),
}

impl Outcome {
    /// Returns the name in records and metrics.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.into()
    }

    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Failed(failure) => Some(failure),
            _ => None,
        }
    }
}

/// Why no target group was found for a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, IntoStaticStr)]
pub enum NoTargetGroup {
    /// The task has no service, or its service has no load balancer of any kind. This is usual for queue workers, and for
    /// services behind Cloud Map, Service Connect or VPC Lattice, which deregister their tasks themselves.
    NoLoadBalancer,
    /// ECS says that the service has a load balancer, managed ingress or a gateway, but its target groups could not be found;
    /// or the notice is so old that ECS may have forgotten the service.
    Unresolved,
}

impl NoTargetGroup {
    /// Returns the name of the metric that counts it.
    #[must_use]
    pub fn metric(self) -> &'static str {
        match self {
            Self::NoLoadBalancer => "NoTargetGroupNoLoadBalancer",
            Self::Unresolved => "NoTargetGroupUnresolved",
        }
    }
}

/// The name as `outcome`, and the `failure` if it failed.
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

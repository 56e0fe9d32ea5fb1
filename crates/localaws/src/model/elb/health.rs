//! The states of a target, with the reason and description that `DescribeTargetHealth` reports for each.
//!
//! States and reasons are those of the API's `TargetHealth` shape (botocore, `elbv2`, 2015-12-01).

use std::str::FromStr as _;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantNames};

/// The state of a target, as [`DescribeTargetHealth`](crate::Action::DescribeTargetHealth) names it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Display, EnumString, IntoStaticStr, VariantNames, Serialize, Deserialize,
)]
#[serde(into = "&'static str", try_from = "String")]
#[strum(serialize_all = "lowercase")]
pub enum State {
    /// Registered; the first health checks are in progress.
    Initial,
    Healthy,
    Unhealthy,
    /// Unhealthy, and existing connections are kept for a grace period (NLB).
    #[strum(serialize = "unhealthy.draining")]
    UnhealthyDraining,
    /// Receives no traffic: not registered, or no listener uses the group.
    Unused,
    /// Deregistered, with the deregistration delay running.
    Draining,
    /// The health is unknown.
    Unavailable,
}

impl State {
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl TryFrom<String> for State {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::from_str(&name)
            .map_err(|_| format!("unknown state `{name}`; known states: {}", Self::VARIANTS.join(", ")))
    }
}

/// A state with AWS's reason and description. A healthy target has neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    pub state: State,
    pub reason: Option<&'static str>,
    pub description: Option<&'static str>,
}

impl Health {
    /// The health of a target that a call names and that is not registered.
    pub const NOT_REGISTERED: Self =
        Self::because(State::Unused, "Target.NotRegistered", "Target is not registered to the target group");

    /// The health of a *registered* target in this state.
    #[must_use]
    pub const fn of(state: State) -> Self {
        match state {
            State::Healthy => Self { state, reason: None, description: None },
            State::Initial => Self::because(state, "Elb.InitialHealthChecking", "Initial health checks in progress"),
            State::Unhealthy | State::UnhealthyDraining => {
                Self::because(state, "Target.FailedHealthChecks", "Health checks failed")
            }
            State::Unused => Self::because(state, "Target.NotInUse", "Target group is not used by any load balancer"),
            State::Draining => {
                Self::because(state, "Target.DeregistrationInProgress", "Target deregistration is in progress")
            }
            State::Unavailable => {
                Self::because(state, "Target.HealthCheckDisabled", "Health checks are not enabled for this target")
            }
        }
    }

    const fn because(state: State, reason: &'static str, description: &'static str) -> Self {
        Self { state, reason: Some(reason), description: Some(description) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_healthy_has_no_reason() {
        for state in State::VARIANTS.iter().map(|name| State::from_str(name).unwrap()) {
            let health = Health::of(state);
            assert_eq!(health.reason.is_none(), state == State::Healthy, "{state}");
            assert_eq!(health.reason.is_none(), health.description.is_none(), "{state}");
        }
    }

    #[test]
    fn an_unknown_state_is_reported_with_the_known_ones() {
        let error = State::try_from("Healthy".to_owned()).unwrap_err();
        assert!(error.contains("unknown state `Healthy`") && error.contains("unhealthy.draining"), "{error}");
    }
}

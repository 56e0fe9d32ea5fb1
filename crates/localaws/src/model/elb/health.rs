//! Which states has a target, and with what reason and words does `DescribeTargetHealth` report each?
//!
//! States and reasons are those of the API's `TargetHealth` shape (botocore, `elbv2`, 2015-12-01).

use std::fmt;

use serde::{Deserialize, Serialize};

/// The state of a target, as [`DescribeTargetHealth`](crate::Action::DescribeTargetHealth) names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum State {
    /// Registered, and its first health checks are under way.
    Initial,
    /// Passes its health checks.
    Healthy,
    /// Fails its health checks.
    Unhealthy,
    /// Fails its health checks, and keeps its connections for a grace period (NLB).
    UnhealthyDraining,
    /// Gets no traffic: not registered, or the group is used by no listener.
    Unused,
    /// Deregistered, and its deregistration delay runs.
    Draining,
    /// No health is known.
    Unavailable,
}

impl State {
    const ALL: [Self; 7] = [
        Self::Initial,
        Self::Healthy,
        Self::Unhealthy,
        Self::UnhealthyDraining,
        Self::Unused,
        Self::Draining,
        Self::Unavailable,
    ];

    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::UnhealthyDraining => "unhealthy.draining",
            Self::Unused => "unused",
            Self::Draining => "draining",
            Self::Unavailable => "unavailable",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<State> for &'static str {
    fn from(state: State) -> Self {
        state.name()
    }
}

impl TryFrom<String> for State {
    type Error = String;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let found = Self::ALL.into_iter().find(|state| state.name() == name);
        found.ok_or_else(|| format!("no state `{name}`: use one of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// A state with AWS's reason and description of it. A healthy target has neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// The state.
    pub state: State,
    /// The reason code.
    pub reason: Option<&'static str>,
    /// The reason in words.
    pub description: Option<&'static str>,
}

impl Health {
    /// What a call hears of a target that it names and that is not registered.
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
        for state in State::ALL {
            let health = Health::of(state);
            assert_eq!(health.reason.is_none(), state == State::Healthy, "{state}");
            assert_eq!(health.reason.is_none(), health.description.is_none(), "{state}");
        }
    }

    #[test]
    fn every_name_reads_back() {
        for state in State::ALL {
            assert_eq!(State::try_from(state.name().to_owned()), Ok(state));
        }
        assert!(State::try_from("Healthy".to_owned()).unwrap_err().contains("unhealthy.draining"));
    }
}

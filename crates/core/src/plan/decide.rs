//! The decision about one registration: does the address still belong to the task, and is the target left to its hold?
//!
//! The order matters. A draining target needs no action. Ownership comes next, because a wrong deregistration is the worst that
//! can happen. Then the hold. The last healthy target is decided for the whole group afterwards
//! ([`last_healthy`](crate::plan::last_healthy)).
//!
//! The hold: `spotdrain-hold` keeps the application serving after SIGTERM and fails its health check. By users' measurements, a
//! Network Load Balancer sent new connections for 30 to 40 s to a target that was marked unhealthy, and for 120 s, the whole
//! notice, to one that was deregistered. It is undocumented whether it still health-checks a draining target. So behind a hold
//! that the load balancer checks, a deregistration can only cost connections (docs/adr/0007). The service's tag says that there
//! is a hold; a health check on another port than the traffic's shows that the load balancer checks it.
//! Sources: <https://github.com/aws/containers-roadmap/issues/470>,
//! <https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366>

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use crate::model::limits::NOTICE;
use crate::model::notice::Notice;
use crate::model::observed::{GroupObservation, RegisteredTarget, TargetState, TaskObservation};
use crate::model::outcome::{Failure, Outcome};

/// For this long after a notice, DescribeTasks may still return the task as it was before.
pub const ECS_LAGS: SignedDuration = SignedDuration::from_secs(30);

fn still_running() -> Failure {
    let problem = "ECS says that the task is not stopping: it may lag behind its own event".to_owned();
    Failure { call: "DescribeTasks", problem, retryable: true }
}

fn unknown_task(notice: &Notice) -> Failure {
    let (cluster, account, region) = (notice.task.cluster.name(), notice.task.arn.account(), notice.task.arn.region());
    let problem = format!(
        "ECS does not know the task in cluster {cluster}, although it was interrupted less than two minutes ago: check that the \
         credentials are those of account {account}, and the Region {region}"
    );
    Failure { call: "DescribeTasks", problem, retryable: true }
}

impl TaskObservation {
    /// Returns whether the answer contradicts the notice, but may only be older than the event.
    #[must_use]
    pub fn may_lag(&self, notice: &Notice, now: Timestamp) -> bool {
        match self {
            Self::Found(task) => {
                !task.last_status.is_down()
                    && notice.is_contradicted_by(task)
                    && notice.age(now).is_none_or(|age| age <= ECS_LAGS)
            }
            Self::Missing => notice.age(now).is_none_or(|age| age < ECS_LAGS),
            Self::Unknown(_) => false,
        }
    }
}

/// Whether the addresses of a notice still belong to its task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// The notice is fresh: no other task can have the addresses yet.
    Fresh,
    /// ECS says that the task has these addresses.
    Confirmed(Vec<IpAddr>),
    /// ECS says that the task is down, or that it is not stopping.
    Lost,
    /// ECS could not be asked, or its answer may be older than the event.
    Unknown(Failure),
}

impl Ownership {
    /// `needed`: [`Notice::needs_ownership`].
    pub(crate) fn of(needed: bool, answer: Option<&TaskObservation>, notice: &Notice, now: Timestamp) -> Self {
        match (needed, answer) {
            (_, Some(TaskObservation::Found(task))) if task.last_status.is_down() => Self::Lost,
            (_, Some(TaskObservation::Found(task))) if notice.is_contradicted_by(task) => match notice.age(now) {
                Some(age) if age > ECS_LAGS => Self::Lost,
                _ => Self::Unknown(still_running()),
            },
            (_, Some(TaskObservation::Found(task))) => Self::Confirmed(task.addresses.clone()),
            (_, Some(TaskObservation::Missing)) => match notice.age(now) {
                Some(age) if age >= NOTICE => Self::Lost,
                _ => Self::Unknown(unknown_task(notice)),
            },
            (true, Some(TaskObservation::Unknown(failure))) => Self::Unknown(failure.clone()),
            (true, None) => Self::Unknown(Failure::not_asked("DescribeTasks")),
            (false, _) => Self::Fresh,
        }
    }

    /// The outcome of an address that must not be deregistered; `None` if it may be.
    pub(crate) fn objection(&self, address: IpAddr) -> Option<Outcome> {
        match self {
            Self::Fresh => None,
            Self::Confirmed(addresses) => (!addresses.contains(&address)).then_some(Outcome::Stale),
            Self::Lost => Some(Outcome::Stale),
            Self::Unknown(failure) => Some(Outcome::Failed(failure.clone())),
        }
    }

    /// The failure of a notice without an address; `None` if its task is down.
    pub(crate) fn missing_address(&self) -> Option<Failure> {
        let problem = "neither the event nor DescribeTasks has an address of the task".to_owned();
        match self {
            Self::Lost => None,
            Self::Unknown(failure) => Some(failure.clone()),
            Self::Fresh | Self::Confirmed(_) => Some(Failure { call: "DescribeTasks", problem, retryable: true }),
        }
    }

    /// Returns whether the address departs with its task. It does if ECS could not be asked: a group must not rely on a target
    /// that is not known to stay.
    pub(crate) fn departs(&self, address: IpAddr) -> bool {
        self.objection(address) != Some(Outcome::Stale)
    }

    /// Returns whether the address belongs to another task: ECS says that this one is up and has other addresses.
    pub(crate) fn is_anothers(&self, address: IpAddr) -> bool {
        matches!(self, Self::Confirmed(addresses) if !addresses.contains(&address))
    }
}

/// Returns the outcome of a registration that needs no call; `None` if it is to be deregistered.
pub(crate) fn decide(target: &RegisteredTarget, ownership: &Ownership, is_held: bool) -> Option<Outcome> {
    if target.state == TargetState::Draining {
        return Some(Outcome::AlreadyDraining);
    }
    let objection = ownership.objection(target.address);
    objection.or_else(|| (is_held && is_left_to_hold(target)).then_some(Outcome::LeftToHold))
}

/// Returns whether the load balancer asks the hold for the target's health: the check uses another port than the traffic.
fn is_left_to_hold(target: &RegisteredTarget) -> bool {
    use TargetState::{Healthy, Initial, Unhealthy, UnhealthyDraining};
    let is_checked = matches!(target.state, Initial | Healthy | Unhealthy | UnhealthyDraining);
    is_checked && target.check_port.is_some_and(|port| port != target.port)
}

/// The outcome of a held registration whose group could not be read. It is retried: the hold leaves time for that, and a
/// deregistration could cost connections.
pub(crate) fn held_unread(group: &GroupObservation) -> Outcome {
    Outcome::Failed(match group {
        GroupObservation::Unknown(failure) => failure.clone(),
        GroupObservation::Found(_) | GroupObservation::Missing => Failure::not_asked("DescribeTargetHealth"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::observed::TargetId;

    #[test]
    fn only_a_target_that_is_checked_on_another_port_is_left() {
        let table = [
            (TargetState::Healthy, Some(8081), true),
            (TargetState::Unhealthy, Some(8081), true),
            (TargetState::UnhealthyDraining, Some(8081), true),
            (TargetState::Initial, Some(8081), true),
            (TargetState::Healthy, Some(5044), false),
            (TargetState::Healthy, None, false),
            (TargetState::Unavailable, Some(8081), false),
            (TargetState::Unused, Some(8081), false),
            (TargetState::from_text("new"), Some(8081), false),
        ];
        for (state, check_port, expected) in table {
            let target = RegisteredTarget {
                as_read: TargetId { id: "10.0.2.21".to_owned(), zone: None },
                address: "10.0.2.21".parse().unwrap(),
                port: 5044,
                check_port,
                state: state.clone(),
            };
            assert_eq!(is_left_to_hold(&target), expected, "{state:?} {check_port:?}");
        }
    }
}

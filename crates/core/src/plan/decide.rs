//! What to do about one registration: whose the address is, and whether its hold does better.
//!
//! The order matters. A draining target needs nothing, whoever asks. Then whose address it is: nothing outweighs that. Then
//! whether it is left to its hold. Whether the group can spare its targets is decided for all of them together
//! ([`last_healthy`](crate::plan::last_healthy)).
//!
//! The hold: `spotdrain-hold` keeps serving after SIGTERM and fails its health check. A Network Load Balancer sent new
//! connections to a target that was marked unhealthy for 30 to 40 s, by a user's measurement, and to one that was deregistered
//! for 120 s, as long as an interrupted task lives; it is undocumented whether it still health-checks a draining target. So behind
//! a hold that the load balancer checks, a deregistration can only cost connections (docs/adr/0007). The service's tag says that
//! there is a hold; the health check shows that the load balancer checks it, because it uses another port than the traffic.
//! Sources: <https://github.com/aws/containers-roadmap/issues/470>,
//! <https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366>

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use crate::model::limits::NOTICE;
use crate::model::notice::Notice;
use crate::model::observed::{GroupObservation, RegisteredTarget, TargetState, TaskObservation};
use crate::model::outcome::{Failure, Outcome};

/// For this long after a notice, ECS may still describe the task as it was before.
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
    /// Whether the answer contradicts the notice, but ECS may only lag behind its own event.
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

/// Whether the addresses of a notice are still its task's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// The notice is fresh: no other task can have the address yet.
    Fresh,
    /// ECS says that the task has these addresses.
    Confirmed(Vec<IpAddr>),
    /// ECS says that the task is down.
    Lost,
    /// ECS could not be asked.
    Unknown(Failure),
}

impl Ownership {
    /// `needed`: the notice is old, or its task is past RUNNING, or the event has no address.
    pub(crate) fn of(needed: bool, finding: Option<&TaskObservation>, notice: &Notice, now: Timestamp) -> Self {
        match (needed, finding) {
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

    /// Why the address may not be acted on; `None` if it may.
    pub(crate) fn objection(&self, address: IpAddr) -> Option<Outcome> {
        match self {
            Self::Fresh => None,
            Self::Confirmed(addresses) => (!addresses.contains(&address)).then_some(Outcome::Stale),
            Self::Lost => Some(Outcome::Stale),
            Self::Unknown(failure) => Some(Outcome::Failed(failure.clone())),
        }
    }

    /// Why a notice without an address fails; `None` if its task is down.
    pub(crate) fn missing_address(&self) -> Option<Failure> {
        let problem = "neither the event nor DescribeTasks has an address of the task".to_owned();
        match self {
            Self::Lost => None,
            Self::Unknown(failure) => Some(failure.clone()),
            Self::Fresh | Self::Confirmed(_) => Some(Failure { call: "DescribeTasks", problem, retryable: true }),
        }
    }

    /// Whether the address departs with its task. If ECS could not be asked it does: a target that is not known to stay must not
    /// be the one that a group relies on.
    pub(crate) fn departs(&self, address: IpAddr) -> bool {
        self.objection(address) != Some(Outcome::Stale)
    }

    /// Whether ECS says that the address is another task's: this one is up, and has others.
    pub(crate) fn is_anothers(&self, address: IpAddr) -> bool {
        matches!(self, Self::Confirmed(addresses) if !addresses.contains(&address))
    }
}

/// Decides on a registration that was read, but for the rule of the last healthy target; `None` means: deregister it.
pub(crate) fn decide(target: &RegisteredTarget, ownership: &Ownership, is_held: bool) -> Option<Outcome> {
    if target.state == TargetState::Draining {
        return Some(Outcome::AlreadyDraining);
    }
    let objection = ownership.objection(target.address);
    objection.or_else(|| (is_held && is_left_to_hold(target)).then_some(Outcome::LeftToHold))
}

/// Whether the load balancer turns away from a held target by itself: its health is checked, and on the hold's port.
fn is_left_to_hold(target: &RegisteredTarget) -> bool {
    use TargetState::{Healthy, Initial, Unhealthy, UnhealthyDraining};
    let is_checked = matches!(target.state, Initial | Healthy | Unhealthy | UnhealthyDraining);
    is_checked && target.check_port.is_some_and(|port| port != target.port)
}

/// The outcome of a held registration whose group could not be read. It is retried: the hold gives it the time, and a
/// deregistration could be wrong.
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

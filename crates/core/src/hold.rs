//! Which registrations are left to `spotdrain-hold`, the first process of a container?
//!
//! The hold serves on after SIGTERM and fails its health check. A Network Load Balancer sent new connections to a target
//! that was marked unhealthy for 30 to 40 s, by a user's measurement, and to one that was deregistered for 120 s, as long
//! as an interrupted task lives; and nobody has measured whether it minds the health of a target that drains already. So
//! behind a hold that the load balancer asks, to deregister can only cost connections (docs/adr/0007).
//! Sources: <https://github.com/aws/containers-roadmap/issues/470>,
//! <https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366>
//!
//! The service's tag says that there is a hold. That the load balancer asks it shows in the health check, which goes to
//! another port than the traffic. Where it does not, the tag alone keeps nothing in place.

use crate::finding::GroupFinding;
use crate::outcome::{Failure, Outcome};
use crate::target::{RegisteredTarget, TargetState};

/// Whether the load balancer turns away from a held target by itself: its health is checked, and on the hold's port.
pub(crate) fn turns_away(target: &RegisteredTarget) -> bool {
    use TargetState::{Healthy, Initial, Unhealthy, UnhealthyDraining};
    let is_checked = matches!(target.state, Initial | Healthy | Unhealthy | UnhealthyDraining);
    is_checked && target.check_port.is_some_and(|port| port != target.port)
}

/// What becomes of a held registration whose group could not be read. It comes again: the hold gives it the time, and to
/// deregister unread could be the wrong thing.
pub(crate) fn unread(finding: Option<&GroupFinding>) -> Outcome {
    Outcome::Failed(match finding {
        Some(GroupFinding::Unknown(failure)) => failure.clone(),
        _ => Failure::not_asked("DescribeTargetHealth"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
                address: "10.0.2.21".parse().unwrap(),
                port: 5044,
                check_port,
                state: state.clone(),
            };
            assert_eq!(turns_away(&target), expected, "{state:?} {check_port:?}");
        }
    }
}

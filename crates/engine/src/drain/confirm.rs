//! Reads the group back when AWS's answer does not settle a target.
//!
//! Success on a port that was not read proves nothing: AWS also answers it for a target that is not there. What turns out to be
//! still registered is deregistered once more, now with the port that was read.

use spotdrain_core::decide::{Guard, Seen, seen};
use spotdrain_core::finding::{AsRead, GroupFinding, RegisteredTarget, Target};
use spotdrain_core::outcome::{Failure, Outcome};
use spotdrain_core::plan::{Call, OwnedTarget};

use super::deregister::{Answers, CALL, CallAnswer, Deregistration};
use super::observe::read_group;
use crate::cloud::Cloud;

type Outcomes = Vec<(OwnedTarget, Outcome)>;

/// Reads the group, and decides what became of the targets of a call.
pub(crate) async fn confirm<C: Cloud>(
    deregistration: &Deregistration<'_, C>,
    unsure: Answers,
    planned: &Call,
) -> Outcomes {
    let Deregistration { invocation, group, deadline } = deregistration;
    match read_group(invocation, group, *deadline).await {
        GroupFinding::Found(registered) => settle(deregistration, unsure, &registered, planned).await,
        GroupFinding::Missing => unsure.into_iter().map(|(owned, _)| (owned, Outcome::AlreadyGone)).collect(),
        GroupFinding::Unknown(failure) => {
            unsure.into_iter().map(|(owned, answer)| (owned, unconfirmed(answer, &failure))).collect()
        }
    }
}

fn unconfirmed(answer: CallAnswer, failure: &Failure) -> Outcome {
    if !matches!(answer, CallAnswer::Accepted) {
        return answer.outcome();
    }
    let problem = format!("accepted, but not confirmed: {}", failure.problem);
    Outcome::Failed(Failure { problem, ..failure.clone() })
}

async fn settle<C: Cloud>(
    deregistration: &Deregistration<'_, C>,
    unsure: Answers,
    registered: &[RegisteredTarget],
    planned: &Call,
) -> Outcomes {
    let guard = Guard { keep_last: planned.keep_last, doomed: &planned.targets, going: &planned.going };
    let mut settled = Vec::new();
    let mut again = Vec::new();
    for (owned, answer) in unsure {
        match (seen(owned.target, registered, guard), answer) {
            (Seen::Settled(outcome), _) => settled.push((owned, outcome)),
            (Seen::LastHealthy, _) => settled.push((owned, Outcome::KeptLastHealthy)),
            (Seen::Stays(stays), CallAnswer::Refused(refusal)) => settled.push((owned, still_there(&stays, &refusal))),
            (Seen::Stays(stays), _) => again.push((owned, stays)),
        }
    }
    if !again.is_empty() {
        let second = again.iter().flat_map(|(owned, stays)| stays.iter().map(|stays| as_read(owned, stays)));
        let answers = deregistration.send(second.collect(), planned.trusted_until).await;
        settled.extend(again.into_iter().map(|(owned, stays)| (owned, second_outcome(&stays, &answers))));
    }
    settled
}

/// The same task's target, named as the read back has it.
fn as_read(owned: &OwnedTarget, (target, as_read): &(Target, AsRead)) -> OwnedTarget {
    OwnedTarget { target: *target, as_read: Some(as_read.clone()), ..owned.clone() }
}

fn still_there(stays: &[(Target, AsRead)], refusal: &Failure) -> Outcome {
    let stays: Vec<_> = stays.iter().map(|(target, _)| target.to_string()).collect();
    let problem = format!("{}, but it is still registered: {}", refusal.problem, stays.join(", "));
    Outcome::Failed(Failure { call: CALL, problem, retryable: false })
}

/// What the second call, with the ports that were read, made of all the registrations of one target.
fn second_outcome(stays: &[(Target, AsRead)], answers: &Answers) -> Outcome {
    let own = answers.iter().filter(|(owned, _)| stays.iter().any(|(target, _)| *target == owned.target));
    let mut outcomes = own.map(|(_, answer)| answer.clone().outcome());
    outcomes.find(|outcome| *outcome != Outcome::Deregistered).unwrap_or(Outcome::Deregistered)
}

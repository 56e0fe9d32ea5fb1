//! What became of targets of which AWS's answer does not tell? The group is read.
//!
//! Success on a port that was not read proves nothing: AWS says it of a target that is not there, too. What turns out to be
//! still registered is deregistered once more, now with the port that was read.

use spotdrain_core::aftermath::{Guard, Seen, seen};
use spotdrain_core::finding::GroupFinding;
use spotdrain_core::outcome::{Failure, Outcome};
use spotdrain_core::plan::{Call, OwnedTarget};
use spotdrain_core::target::{RegisteredTarget, Target};

use crate::groups;
use crate::write::{CALL, Said, Writer};

/// Reads the group and sees what became of the targets of a call.
pub(crate) async fn confirm(
    writer: &Writer<'_>,
    unsure: Vec<(OwnedTarget, Said)>,
    planned: &Call,
) -> Vec<(OwnedTarget, Outcome)> {
    match groups::read(writer.caller, writer.group, writer.deadline).await {
        GroupFinding::Read(registered) => settle(writer, unsure, &registered, planned).await,
        GroupFinding::Missing => unsure.into_iter().map(|(owned, _)| (owned, Outcome::AlreadyGone)).collect(),
        GroupFinding::Unknown(failure) => {
            unsure.into_iter().map(|(owned, said)| (owned, unconfirmed(said, &failure))).collect()
        }
    }
}

fn unconfirmed(said: Said, failure: &Failure) -> Outcome {
    match said {
        Said::Refused(refusal) | Said::Failed(refusal) => Outcome::Failed(refusal),
        Said::Withheld(outcome) => outcome,
        Said::Accepted | Said::GroupGone => {
            let problem = format!("accepted, but not confirmed: {}", failure.problem);
            Outcome::Failed(Failure { problem, ..failure.clone() })
        }
    }
}

async fn settle(
    writer: &Writer<'_>,
    unsure: Vec<(OwnedTarget, Said)>,
    registered: &[RegisteredTarget],
    planned: &Call,
) -> Vec<(OwnedTarget, Outcome)> {
    let guard = Guard { keep_last: planned.keep_last, doomed: &planned.targets, going: &planned.going };
    let mut settled = Vec::new();
    let mut again = Vec::new();
    for (owned, said) in unsure {
        match (seen(owned.target, registered, guard), said) {
            (Seen::Settled(outcome), _) => settled.push((owned, outcome)),
            (Seen::LastHealthy, _) => settled.push((owned, Outcome::KeptLastHealthy)),
            (Seen::Stays(stays), Said::Refused(refusal)) => settled.push((owned, still_there(&stays, &refusal))),
            (Seen::Stays(stays), _) => again.push((owned, stays)),
        }
    }
    if !again.is_empty() {
        let second = again.iter().flat_map(|(owned, stays)| stays.iter().map(|target| at_port(owned, *target)));
        let told = writer.deregister(second.collect(), planned.trusted_until).await;
        settled.extend(again.into_iter().map(|(owned, stays)| (owned, second_outcome(&stays, &told))));
    }
    settled
}

fn at_port(owned: &OwnedTarget, target: Target) -> OwnedTarget {
    OwnedTarget { target, ..owned.clone() }
}

fn still_there(stays: &[Target], refusal: &Failure) -> Outcome {
    let stays: Vec<_> = stays.iter().map(ToString::to_string).collect();
    let problem = format!("{}, but it is still registered: {}", refusal.problem, stays.join(", "));
    Outcome::Failed(Failure { call: CALL, problem, retryable: false })
}

/// What the second call, with the ports that were read, came to for all the registrations of one target.
fn second_outcome(stays: &[Target], told: &[(OwnedTarget, Said)]) -> Outcome {
    let own = told.iter().filter(|(owned, _)| stays.contains(&owned.target));
    let undone = own.filter_map(|(_, said)| match said {
        Said::Refused(failure) | Said::Failed(failure) => Some(Outcome::Failed(failure.clone())),
        Said::Withheld(outcome) => Some(outcome.clone()),
        Said::Accepted | Said::GroupGone => None,
    });
    undone.into_iter().next().unwrap_or(Outcome::Deregistered)
}

//! What became of targets of which AWS's answer does not tell? The group is read.
//!
//! Success on a port that was not read proves nothing: AWS says it of a target that is not there, too. What turns out to be
//! still registered is deregistered once more, now with the port that was read.

use std::collections::BTreeMap;

use spotdrain_core::finding::GroupFinding;
use spotdrain_core::outcome::{Failure, Outcome};
use spotdrain_core::target::{RegisteredTarget, Target, TargetState};

use crate::groups;
use crate::write::{CALL, Said, Writer};

/// Reads the group and sees what became of the targets.
pub(crate) async fn confirm(writer: &Writer<'_>, unsure: Vec<(Target, Said)>) -> Vec<(Target, Outcome)> {
    match groups::read(writer.aws, writer.group, writer.deadline).await {
        GroupFinding::Read(registered) => settle(writer, unsure, &registered).await,
        GroupFinding::Missing => unsure.into_iter().map(|(target, _)| (target, Outcome::AlreadyGone)).collect(),
        GroupFinding::Unknown(failure) => {
            unsure.into_iter().map(|(target, said)| (target, unconfirmed(said, &failure))).collect()
        }
    }
}

fn unconfirmed(said: Said, failure: &Failure) -> Outcome {
    match said {
        Said::Refused(refusal) | Said::Failed(refusal) => Outcome::Failed(refusal),
        Said::Accepted | Said::GroupGone => {
            let problem = format!("accepted, but not confirmed: {}", failure.problem);
            Outcome::Failed(Failure { problem, ..failure.clone() })
        }
    }
}

async fn settle(
    writer: &Writer<'_>,
    unsure: Vec<(Target, Said)>,
    registered: &[RegisteredTarget],
) -> Vec<(Target, Outcome)> {
    let mut settled = Vec::new();
    let mut again: BTreeMap<Target, Vec<Target>> = BTreeMap::new();
    for (target, said) in unsure {
        match (seen(target, registered), said) {
            (Ok(outcome), _) => settled.push((target, outcome)),
            (Err(stays), Said::Refused(refusal)) => settled.push((target, still_there(&stays, &refusal))),
            (Err(stays), _) => _ = again.insert(target, stays),
        }
    }
    if !again.is_empty() {
        let told = writer.deregister(again.values().flatten().copied().collect()).await;
        settled.extend(again.into_iter().map(|(target, tried)| (target, second(&tried, &told))));
    }
    settled
}

/// What a read shows of a target; the error is where it is still registered, and not draining.
fn seen(target: Target, registered: &[RegisteredTarget]) -> Result<Outcome, Vec<Target>> {
    let own: Vec<_> = registered.iter().filter(|found| found.address == target.address).collect();
    let stays = own.iter().filter(|found| found.state != TargetState::Draining);
    let stays: Vec<_> = stays.map(|found| Target { address: found.address, port: Some(found.port) }).collect();
    match (own.is_empty(), stays.is_empty()) {
        (true, _) => Ok(Outcome::NotRegistered),
        (false, true) => Ok(Outcome::Deregistered),
        (false, false) => Err(stays),
    }
}

fn still_there(stays: &[Target], refusal: &Failure) -> Outcome {
    let stays: Vec<_> = stays.iter().map(ToString::to_string).collect();
    let problem = format!("{}, but it is still registered: {}", refusal.problem, stays.join(", "));
    Outcome::Failed(Failure { call: CALL, problem, retryable: false })
}

/// What the second call, with the ports that were read, came to for all the registrations of one target.
fn second(tried: &[Target], told: &[(Target, Said)]) -> Outcome {
    let own = told.iter().filter(|(target, _)| tried.contains(target));
    let failed = own.filter_map(|(_, said)| match said {
        Said::Refused(failure) | Said::Failed(failure) => Some(failure.clone()),
        Said::Accepted | Said::GroupGone => None,
    });
    failed.map(Outcome::Failed).next().unwrap_or(Outcome::Deregistered)
}

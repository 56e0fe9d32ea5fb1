//! From the plan to outcomes, as `crates/drain` goes it (`execute.rs`, `write.rs`, `confirm.rs`): one to one.

use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::Timestamp;
use spotdrain_core::aftermath::{Guard, Seen, seen};
use spotdrain_core::arn::TargetGroupArn;
use spotdrain_core::decide::{ANSWER_HOLDS, decide_again};
use spotdrain_core::finding::GroupFinding;
use spotdrain_core::outcome::{Failure, Outcome};
use spotdrain_core::pace::Kind;
use spotdrain_core::plan::{Call, OwnedTarget, Plan};
use spotdrain_core::report::Execution;
use spotdrain_core::target::{RegisteredTarget, Registration, Target};

use super::api::{Refusal, Write};
use super::call::{LEAST, Turns, call_in_turn};
use super::invocation::{find_tasks, read_group};
use super::sandbox::{Basis, Sandbox, Sim};
use super::time::{Ms, join_all, since_start, timestamp};

const CALL: &str = "DeregisterTargets";

type Outcomes = BTreeMap<Registration, (Outcome, Timestamp)>;

/// `execute::execute`.
pub async fn execute(sim: &Sim, sandbox: &Sandbox, plan: &Plan, deadline: Ms, basis: &Rc<Basis>) -> Execution {
    let calls = plan.calls.iter().map(|call| deregister(sim, sandbox, call, deadline, basis));
    Execution::Done(join_all(calls).await.into_iter().flatten().collect())
}

async fn deregister(sim: &Sim, sandbox: &Sandbox, planned: &Call, deadline: Ms, basis: &Rc<Basis>) -> Outcomes {
    let group = &planned.target_group;
    let mut writer = Writer { sim, sandbox, group, deadline, basis, is_unread: planned.confirm, is_second: false };
    sim.world.borrow_mut().tally.blind += if planned.confirm { planned.targets.len() as u64 } else { 0 };
    let said = writer.deregister(planned.targets.clone(), planned.trusted_until).await;
    let (settled, unsure): (Vec<_>, Vec<_>) = said.into_iter().partition(|(_, said)| said.is_sure(planned.confirm));
    let mut outcomes: Vec<_> = settled.into_iter().map(|(owned, said)| (owned, outcome(said))).collect();
    if !unsure.is_empty() {
        writer.is_second = true;
        outcomes.extend(confirm(&writer, unsure, planned).await);
    }
    let at = timestamp(sim.clock.now());
    let registration = |owned: OwnedTarget| Registration { target_group: group.clone(), target: owned.target };
    outcomes.into_iter().map(|(owned, outcome)| (registration(owned), (outcome, at))).collect()
}

fn outcome(said: Said) -> Outcome {
    match said {
        Said::Accepted => Outcome::Deregistered,
        Said::GroupGone => Outcome::AlreadyGone,
        Said::Refused(failure) | Said::Failed(failure) => Outcome::Failed(failure),
        Said::Withheld(outcome) => outcome,
    }
}

/// `write::Said`.
#[derive(Debug, Clone)]
enum Said {
    Accepted,
    Refused(Failure),
    GroupGone,
    Failed(Failure),
    Withheld(Outcome),
}

impl Said {
    fn is_sure(&self, unread: bool) -> bool {
        match self {
            Self::Accepted => !unread,
            Self::Refused(_) => false,
            Self::GroupGone | Self::Failed(_) | Self::Withheld(_) => true,
        }
    }
}

fn no_turn() -> Said {
    Said::Failed(Failure { call: CALL, problem: "no time was left".to_owned(), retryable: true })
}

struct Chunk {
    targets: Vec<OwnedTarget>,
    trusted_until: Timestamp,
}

type Told = Vec<(OwnedTarget, Said)>;

/// `write::Writer`.
struct Writer<'a> {
    sim: &'a Sim,
    sandbox: &'a Sandbox,
    group: &'a TargetGroupArn,
    deadline: Ms,
    basis: &'a Rc<Basis>,
    is_unread: bool,
    is_second: bool,
}

impl Writer<'_> {
    async fn deregister(&self, targets: Vec<OwnedTarget>, trusted_until: Timestamp) -> Told {
        let mut told = Vec::new();
        let mut chunks = vec![Chunk { targets, trusted_until }];
        while let Some(mut chunk) = chunks.pop() {
            // Without a turn before the deadline there is nothing to wait for: trying again would spin.
            let Some(said) = self.take_turn(&mut chunk, &mut told).await else {
                told.extend(chunk.targets.into_iter().map(|target| (target, no_turn())));
                continue;
            };
            match said {
                Said::Refused(_) if chunk.targets.len() > 1 => chunks.extend(self.halves(chunk)),
                Said::Failed(failure) if failure.retryable && !self.is_trusted(&chunk) && self.has_time() => {
                    chunks.push(chunk);
                }
                said => told.extend(chunk.targets.into_iter().map(|target| (target, said.clone()))),
            }
        }
        told
    }

    fn halves(&self, mut chunk: Chunk) -> [Chunk; 2] {
        self.sim.world.borrow_mut().tally.bisected += 1;
        let half = chunk.targets.split_off(chunk.targets.len() / 2);
        [Chunk { targets: half, trusted_until: chunk.trusted_until }, chunk]
    }

    fn is_trusted(&self, chunk: &Chunk) -> bool {
        timestamp(self.sim.clock.now()) < chunk.trusted_until
    }

    fn turns(&self, kind: Kind, deadline: Ms) -> Turns<'_> {
        Turns { sim: self.sim, sandbox: self.sandbox, kind, deadline }
    }

    fn has_time(&self) -> bool {
        self.deadline.saturating_sub(self.sim.clock.now()) > LEAST
    }

    async fn take_turn(&self, chunk: &mut Chunk, told: &mut Told) -> Option<Said> {
        self.turns(Kind::Write, self.deadline).wait().await?;
        if !self.is_trusted(chunk) {
            told.extend(self.ask_again(chunk).await);
        }
        Some(if chunk.targets.is_empty() { Said::Accepted } else { self.send(chunk).await })
    }

    async fn ask_again(&self, chunk: &mut Chunk) -> Told {
        self.sim.world.borrow_mut().tally.asked_again += chunk.targets.len() as u64;
        let mut wanted: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for owned in &chunk.targets {
            wanted.entry(owned.cluster.clone()).or_default().push(owned.task.clone());
        }
        let asked_at = timestamp(self.sim.clock.now());
        let findings = find_tasks(self.sim, self.sandbox, wanted, self.deadline).await;
        chunk.trusted_until = asked_at + ANSWER_HOLDS;
        let mut withheld = Vec::new();
        chunk.targets.retain(|owned| match decide_again(owned, findings.get(&owned.task)) {
            Some(outcome) => {
                withheld.push((owned.clone(), Said::Withheld(outcome)));
                false
            }
            None => true,
        });
        withheld
    }

    async fn send(&self, chunk: &Chunk) -> Said {
        let deadline = self.deadline.min(since_start(chunk.trusted_until));
        let write = Rc::new(Write {
            group: self.group.clone(),
            targets: chunk.targets.clone(),
            basis: Rc::clone(self.basis),
            is_unread: self.is_unread,
            is_second: self.is_second,
        });
        let turns = self.turns(Kind::Write, deadline);
        match call_in_turn(turns, || self.sim.deregister_targets(Rc::clone(&write))).await {
            Ok(()) => Said::Accepted,
            Err(error) => match error.refusal {
                Refusal::InvalidTarget => Said::Refused(error.failure),
                Refusal::GroupNotFound => Said::GroupGone,
                _ => Said::Failed(error.failure),
            },
        }
    }
}

/// `confirm::confirm`.
async fn confirm(writer: &Writer<'_>, unsure: Vec<(OwnedTarget, Said)>, planned: &Call) -> Vec<(OwnedTarget, Outcome)> {
    match read_group(writer.turns(Kind::Read, writer.deadline), writer.group).await {
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
        Said::Accepted | Said::GroupGone => Outcome::Failed(failure.clone()),
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
            (Seen::Stays(_), Said::Refused(refusal)) => {
                settled.push((owned, Outcome::Failed(Failure { retryable: false, ..refusal })));
            }
            (Seen::Stays(stays), _) => again.push((owned, stays)),
        }
    }
    writer.sim.world.borrow_mut().tally.confirmed += settled.len() as u64;
    if !again.is_empty() {
        writer.sim.world.borrow_mut().tally.second_writes += 1;
        let at_port = |owned: &OwnedTarget, target: Target| OwnedTarget { target, ..owned.clone() };
        let second = again.iter().flat_map(|(owned, stays)| stays.iter().map(move |target| at_port(owned, *target)));
        let told = writer.deregister(second.collect(), planned.trusted_until).await;
        settled.extend(again.into_iter().map(|(owned, stays)| (owned, second_outcome(&stays, &told))));
    }
    settled
}

fn second_outcome(stays: &[Target], told: &[(OwnedTarget, Said)]) -> Outcome {
    let own = told.iter().filter(|(owned, _)| stays.contains(&owned.target));
    let undone = own.filter_map(|(_, said)| match said {
        Said::Refused(failure) | Said::Failed(failure) => Some(Outcome::Failed(failure.clone())),
        Said::Withheld(outcome) => Some(outcome.clone()),
        Said::Accepted | Said::GroupGone => None,
    });
    undone.into_iter().next().unwrap_or(Outcome::Deregistered)
}

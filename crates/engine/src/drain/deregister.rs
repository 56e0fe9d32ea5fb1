//! From the plan to an outcome for every registration: one DeregisterTargets a target group, side by side, in the plan's order.
//! It is the one call that changes anything. Where its answer does not settle a target, the group is read back.
//!
//! One bad target refuses the whole call (`InvalidTarget`; `ValidationError` for an address of the other family), so the call is
//! split in two until the bad one is alone. The pace can hold a call back for long: ECS is then asked again whose the addresses
//! are.
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html>

use std::collections::{BTreeMap, BTreeSet};

use super::confirm::confirm;
use super::observe::describe_tasks;
use futures_util::future::join_all;
use jiff::Timestamp;
use spotdrain_core::arn::TargetGroupArn;
use spotdrain_core::decide::{ANSWER_HOLDS, decide_again};
use spotdrain_core::finding::Registration;
use spotdrain_core::outcome::{Failure, Outcome};
use spotdrain_core::pace::Kind;
use spotdrain_core::plan::{Call, OwnedTarget, Plan};
use spotdrain_core::report::Execution;

use crate::cloud::{CallErrorKind, Cloud};
use crate::deadline::Deadline;
use crate::invocation::Invocation;
use crate::retry::Request;
use crate::shares::MIN_ATTEMPT;

type Outcomes = BTreeMap<Registration, (Outcome, Timestamp)>;

/// Makes the calls of a plan.
pub(crate) async fn execute<C: Cloud>(invocation: &Invocation<'_, C>, plan: &Plan) -> Execution {
    let calls = plan.calls.iter().map(|call| deregister(invocation, call));
    Execution::Done(join_all(calls).await.into_iter().flatten().collect())
}

async fn deregister<C: Cloud>(invocation: &Invocation<'_, C>, planned: &Call) -> Outcomes {
    let deadline = bounded(invocation, planned.latest_deadline);
    let deregistration = Deregistration { invocation, group: &planned.target_group, deadline };
    let answers = deregistration.send(planned.targets.clone(), planned.trusted_until).await;
    let at = invocation.now();
    let (unsure, settled): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|(_, answer)| answer.is_unsure(planned.confirm));
    let mut outcomes: Vec<_> = settled.into_iter().map(|(owned, answer)| (owned, answer.outcome(), at)).collect();
    if !unsure.is_empty() {
        let confirmed = confirm(&deregistration, unsure, planned).await;
        let at = invocation.now();
        outcomes.extend(confirmed.into_iter().map(|(owned, outcome)| (owned, outcome, at)));
    }
    let registration =
        |owned: OwnedTarget| Registration { target_group: planned.target_group.clone(), target: owned.target };
    outcomes.into_iter().map(|(owned, outcome, at)| (registration(owned), (outcome, at))).collect()
}

/// Bounded by the latest deadline of its notices while that is ahead. A notice that comes later still is acted on as long as ECS says
/// that its task is there.
fn bounded<C: Cloud>(invocation: &Invocation<'_, C>, notice: Timestamp) -> Deadline {
    if notice > invocation.now() { invocation.deadline.until(notice) } else { invocation.deadline }
}

/// The name of the call.
pub(crate) const CALL: &str = "DeregisterTargets";

/// What a call's answer says of a target.
#[derive(Debug, Clone)]
pub(crate) enum CallAnswer {
    /// Success, which AWS also answers for a target that is not there.
    Accepted,
    /// The target is not valid for this group.
    Refused(Failure),
    /// Any other answer, none, or the target was not sent: this is its outcome.
    Settled(Outcome),
}

impl CallAnswer {
    /// Whether only a read shows what became of the target. `unread`: its port was not read before.
    pub(crate) fn is_unsure(&self, unread: bool) -> bool {
        matches!(self, Self::Refused(_)) || unread && matches!(self, Self::Accepted)
    }

    /// The outcome, where the answer is believed.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::Accepted => Outcome::Deregistered,
            Self::Refused(failure) => Outcome::Failed(failure),
            Self::Settled(outcome) => outcome,
        }
    }
}

/// The answers for the targets of a call.
pub(crate) type Answers = Vec<(OwnedTarget, CallAnswer)>;

/// Deregisters targets of one group.
#[derive(Debug)]
pub(crate) struct Deregistration<'a, C> {
    pub(crate) invocation: &'a Invocation<'a, C>,
    pub(crate) group: &'a TargetGroupArn,
    pub(crate) deadline: Deadline,
}

/// Targets of one call.
struct Chunk {
    targets: Vec<OwnedTarget>,
    /// The moment until which their ownership is trusted.
    trusted_until: Timestamp,
    /// The other half of a call that was refused. It is tried after this one, because this one's answer may spare its call.
    other: Option<Box<Chunk>>,
    /// Whether it is certain that one of its targets is bad: it was refused, or its other half alone was accepted.
    is_bad: bool,
}

impl Chunk {
    fn new(targets: Vec<OwnedTarget>, trusted_until: Timestamp) -> Self {
        Self { targets, trusted_until, other: None, is_bad: false }
    }

    /// The first half, which keeps the second.
    fn split(mut self) -> Self {
        let half = self.targets.split_off(self.targets.len() / 2);
        let other = Some(Box::new(Self::new(half, self.trusted_until)));
        Self { other, is_bad: false, ..self }
    }
}

fn not_started() -> CallAnswer {
    CallAnswer::Settled(Outcome::Failed(Failure::not_started(CALL)))
}

/// Takes the largest chunk, so that the good targets are not kept waiting while the bad ones are found.
fn take_largest(chunks: &mut Vec<Chunk>) -> Option<Chunk> {
    let (largest, _) = chunks.iter().enumerate().max_by_key(|(_, chunk)| chunk.targets.len())?;
    Some(chunks.swap_remove(largest))
}

impl<C: Cloud> Deregistration<'_, C> {
    /// Deregisters the targets, with one call if none of them is bad.
    pub(crate) async fn send(&self, targets: Vec<OwnedTarget>, trusted_until: Timestamp) -> Answers {
        let mut answers = Vec::with_capacity(targets.len());
        let mut chunks = vec![Chunk::new(targets, trusted_until)];
        while let Some(mut chunk) = take_largest(&mut chunks) {
            if chunk.is_bad && chunk.targets.len() > 1 {
                chunks.push(chunk.split());
                continue;
            }
            let other = chunk.other.take();
            let Some(answer) = self.take_turn(&mut chunk, &mut answers).await else {
                // Without a turn before the deadline, trying again would spin.
                let rest = other.into_iter().flat_map(|other| other.targets);
                answers.extend(chunk.targets.into_iter().chain(rest).map(|target| (target, not_started())));
                continue;
            };
            let is_accepted = matches!(answer, CallAnswer::Accepted);
            chunks.extend(other.map(|other| Chunk { is_bad: is_accepted, ..*other }));
            match answer {
                CallAnswer::Refused(_) if chunk.targets.len() > 1 => chunks.push(Chunk { is_bad: true, ..chunk }),
                CallAnswer::Settled(Outcome::Failed(failure)) if failure.retryable && self.has_expired(&chunk) => {
                    chunks.push(chunk);
                }
                answer => answers.extend(chunk.targets.into_iter().map(|target| (target, answer.clone()))),
            }
        }
        answers
    }

    /// Whether a chunk that failed may only have reached the end of its trust, and there is time for another turn.
    fn has_expired(&self, chunk: &Chunk) -> bool {
        let now = self.invocation.now();
        now >= chunk.trusted_until && self.deadline.left(now) > MIN_ATTEMPT
    }

    /// Waits for the turn, asks ECS again where that took too long, and sends what is left of the chunk. `None`: there is no
    /// turn before the deadline.
    async fn take_turn(&self, chunk: &mut Chunk, answers: &mut Answers) -> Option<CallAnswer> {
        self.request(self.deadline).wait_for_turn().await?;
        if self.invocation.now() >= chunk.trusted_until {
            answers.extend(self.ask_again(chunk).await);
        }
        Some(if chunk.targets.is_empty() { CallAnswer::Accepted } else { self.call(chunk).await })
    }

    /// Asks ECS whose the addresses are now, and takes those out of the chunk that must not be written.
    async fn ask_again(&self, chunk: &mut Chunk) -> Answers {
        let mut tasks: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for owned in &chunk.targets {
            tasks.entry(owned.cluster.clone()).or_default().insert(owned.task.clone());
        }
        let asked_at = self.invocation.now();
        let findings = describe_tasks(self.invocation, tasks, self.deadline).await;
        chunk.trusted_until = asked_at.saturating_add(ANSWER_HOLDS).unwrap_or(asked_at);
        let mut not_sent = Vec::new();
        chunk.targets.retain(|owned| match decide_again(owned, findings.get(&owned.task)) {
            Some(outcome) => {
                not_sent.push((owned.clone(), CallAnswer::Settled(outcome)));
                false
            }
            None => true,
        });
        not_sent
    }

    async fn call(&self, chunk: &Chunk) -> CallAnswer {
        let cloud = self.invocation.cloud();
        let request = self.request(self.deadline.until(chunk.trusted_until));
        match request.send_in_turn(async || cloud.deregister_targets(self.group, &chunk.targets).await).await {
            Ok(()) => CallAnswer::Accepted,
            Err(error) => match error.kind {
                CallErrorKind::Invalid => CallAnswer::Refused(error.failure),
                CallErrorKind::NotFound => CallAnswer::Settled(Outcome::AlreadyGone),
                _ => CallAnswer::Settled(Outcome::Failed(error.failure)),
            },
        }
    }

    fn request(&self, deadline: Deadline) -> Request<'_, C> {
        self.invocation.request(CALL, Kind::Write, deadline)
    }
}

//! DeregisterTargets: the one call that changes anything.
//!
//! A bad target refuses the whole call (`InvalidTarget`; `ValidationError` for an address of the other family), so the call
//! is split in two until the bad one is alone. The pace can hold a call back for long: whose the addresses are is then asked
//! again.
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html>

use std::collections::BTreeMap;

use aws_sdk_elasticloadbalancingv2::types::TargetDescription;
use jiff::Timestamp;
use spotdrain_core::arn::TargetGroupArn;
use spotdrain_core::decide::{ANSWER_HOLDS, decide_again};
use spotdrain_core::outcome::{Failure, Outcome};
use spotdrain_core::pace::Kind;
use spotdrain_core::plan::OwnedTarget;
use spotdrain_core::target::Target;

use crate::call::{LEAST, call_in_turn, out_of_time};
use crate::caller::Caller;
use crate::clock::Deadline;
use crate::tasks;

/// The name of the call.
pub(crate) const CALL: &str = "DeregisterTargets";

/// What became of a target, as far as the call tells.
#[derive(Debug, Clone)]
pub(crate) enum Said {
    /// Success, which AWS also says of a target that is not there.
    Accepted,
    /// That the target is none for this group.
    Refused(Failure),
    /// That there is no such group.
    GroupGone,
    /// Something else, or nothing.
    Failed(Failure),
    /// The target was not sent: its turn came late, and it is not its task's any more, or that could not be asked.
    Withheld(Outcome),
}

impl Said {
    /// Whether this tells what became of the target. `unread`: its port was not read before.
    pub(crate) fn is_sure(&self, unread: bool) -> bool {
        match self {
            Self::Accepted => !unread,
            Self::Refused(_) => false,
            Self::GroupGone | Self::Failed(_) | Self::Withheld(_) => true,
        }
    }
}

/// Writes to one target group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer<'a> {
    pub(crate) caller: Caller<'a>,
    pub(crate) group: &'a TargetGroupArn,
    pub(crate) deadline: Deadline,
}

/// Targets of one call, with the moment until which it is sure whose they are.
struct Chunk {
    targets: Vec<OwnedTarget>,
    trusted_until: Timestamp,
}

impl Chunk {
    fn is_trusted(&self) -> bool {
        Timestamp::now() < self.trusted_until
    }

    fn halves(mut self) -> [Self; 2] {
        let half = self.targets.split_off(self.targets.len() / 2);
        [Self { targets: half, trusted_until: self.trusted_until }, self]
    }
}

type Told = Vec<(OwnedTarget, Said)>;

impl Writer<'_> {
    /// Deregisters the targets, with one call if none of them is bad.
    pub(crate) async fn deregister(&self, targets: Vec<OwnedTarget>, trusted_until: Timestamp) -> Told {
        let mut told = Vec::with_capacity(targets.len());
        let mut chunks = vec![Chunk { targets, trusted_until }];
        while let Some(mut chunk) = chunks.pop() {
            // Without a turn before the deadline there is nothing to wait for: trying again would spin.
            let Some(said) = self.take_turn(&mut chunk, &mut told).await else {
                let failure = out_of_time(CALL).failure;
                told.extend(chunk.targets.into_iter().map(|target| (target, Said::Failed(failure.clone()))));
                continue;
            };
            match said {
                Said::Refused(_) if chunk.targets.len() > 1 => chunks.extend(chunk.halves()),
                Said::Failed(failure) if failure.retryable && !chunk.is_trusted() && self.has_time() => {
                    chunks.push(chunk);
                }
                said => told.extend(chunk.targets.into_iter().map(|target| (target, said.clone()))),
            }
        }
        told
    }

    fn has_time(&self) -> bool {
        self.deadline.left() > LEAST
    }

    /// Waits for the turn, asks ECS again where that took too long, and sends what is left of the chunk. `None`: there is no
    /// turn before the deadline.
    async fn take_turn(&self, chunk: &mut Chunk, told: &mut Told) -> Option<Said> {
        self.caller.turns(Kind::Write, self.deadline).wait().await?;
        if !chunk.is_trusted() {
            told.extend(self.ask_again(chunk).await);
        }
        Some(if chunk.targets.is_empty() { Said::Accepted } else { self.send(chunk).await })
    }

    /// Asks ECS whose the addresses are now, and takes those out of the chunk that are not to be written.
    async fn ask_again(&self, chunk: &mut Chunk) -> Told {
        let mut wanted: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for owned in &chunk.targets {
            wanted.entry(owned.cluster.clone()).or_default().push(owned.task.clone());
        }
        let asked_at = Timestamp::now();
        let findings = tasks::find(self.caller, wanted, self.deadline).await;
        chunk.trusted_until = asked_at.saturating_add(ANSWER_HOLDS).unwrap_or(asked_at);
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
        let request = self.caller.aws.elb.deregister_targets().target_group_arn(self.group.as_str());
        let request = request.set_targets(Some(chunk.targets.iter().map(describe).collect()));
        let turns = self.caller.turns(Kind::Write, self.deadline.until(chunk.trusted_until));
        match call_in_turn(CALL, turns, || request.clone().send()).await {
            Ok(_) => Said::Accepted,
            Err(error) => match error.code.as_deref() {
                Some("InvalidTarget" | "ValidationError") => Said::Refused(error.failure),
                Some("TargetGroupNotFound") => Said::GroupGone,
                _ => Said::Failed(error.failure),
            },
        }
    }
}

fn describe(owned: &OwnedTarget) -> TargetDescription {
    let Target { address, port } = owned.target;
    TargetDescription::builder().id(address.to_string()).set_port(port.map(i32::from)).build()
}

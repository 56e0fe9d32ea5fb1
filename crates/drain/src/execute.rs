//! From the plan to an outcome for every registration. No choice is left here but what AWS's answers force.
//!
//! One call a target group, all side by side, in the plan's order. Where the answer does not tell what became of a target,
//! the group is read.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use jiff::Timestamp;
use spotdrain_core::outcome::Outcome;
use spotdrain_core::plan::{Call, OwnedTarget, Plan};
use spotdrain_core::report::Execution;
use spotdrain_core::target::Registration;

use crate::caller::Caller;
use crate::clock::Deadline;
use crate::confirm::confirm;
use crate::write::{Said, Writer};

type Outcomes = BTreeMap<Registration, (Outcome, Timestamp)>;

/// Makes the calls of a plan.
pub(crate) async fn execute(caller: Caller<'_>, plan: &Plan, deadline: Deadline) -> Execution {
    let calls = plan.calls.iter().map(|call| deregister(caller, call, deadline));
    Execution::Done(join_all(calls).await.into_iter().flatten().collect())
}

async fn deregister(caller: Caller<'_>, planned: &Call, deadline: Deadline) -> Outcomes {
    let deadline = bounded(deadline, planned.deadline);
    let writer = Writer { caller, group: &planned.target_group, deadline };
    let said = writer.deregister(planned.targets.clone(), planned.trusted_until).await;
    let at = Timestamp::now();
    let (settled, unsure): (Vec<_>, Vec<_>) = said.into_iter().partition(|(_, said)| said.is_sure(planned.confirm));
    let mut outcomes: Vec<_> = settled.into_iter().map(|(owned, said)| (owned, outcome(said), at)).collect();
    if !unsure.is_empty() {
        let confirmed = confirm(&writer, unsure, planned).await;
        let at = Timestamp::now();
        outcomes.extend(confirmed.into_iter().map(|(owned, outcome)| (owned, outcome, at)));
    }
    let registration =
        |owned: OwnedTarget| Registration { target_group: planned.target_group.clone(), target: owned.target };
    outcomes.into_iter().map(|(owned, outcome, at)| (registration(owned), (outcome, at))).collect()
}

/// Bounded by the notice's own deadline, while that is ahead. A notice that comes later still is acted on as long as ECS says
/// that its task is there.
fn bounded(deadline: Deadline, notice: Timestamp) -> Deadline {
    if notice > Timestamp::now() { deadline.until(notice) } else { deadline }
}

fn outcome(said: Said) -> Outcome {
    match said {
        Said::Accepted => Outcome::Deregistered,
        Said::GroupGone => Outcome::AlreadyGone,
        Said::Refused(failure) | Said::Failed(failure) => Outcome::Failed(failure),
        Said::Withheld(outcome) => outcome,
    }
}

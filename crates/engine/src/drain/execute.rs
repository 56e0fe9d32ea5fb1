//! From the plan to an outcome for every registration: one call a target group, side by side, in the plan's order. Where the
//! answer does not settle a target, the group is read back.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use jiff::Timestamp;
use spotdrain_core::outcome::Outcome;
use spotdrain_core::plan::{Call, OwnedTarget, Plan};
use spotdrain_core::report::Execution;
use spotdrain_core::target::Registration;

use super::confirm::confirm;
use super::deregister::Deregistration;
use crate::cloud::Cloud;
use crate::deadline::Deadline;
use crate::invocation::Invocation;

type Outcomes = BTreeMap<Registration, (Outcome, Timestamp)>;

/// Makes the calls of a plan.
pub(crate) async fn execute<C: Cloud>(invocation: &Invocation<'_, C>, plan: &Plan) -> Execution {
    let calls = plan.calls.iter().map(|call| deregister(invocation, call));
    Execution::Done(join_all(calls).await.into_iter().flatten().collect())
}

async fn deregister<C: Cloud>(invocation: &Invocation<'_, C>, planned: &Call) -> Outcomes {
    let deadline = bounded(invocation, planned.deadline);
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

/// Bounded by the notice's own deadline while that is ahead. A notice that comes later still is acted on as long as ECS says
/// that its task is there.
fn bounded<C: Cloud>(invocation: &Invocation<'_, C>, notice: Timestamp) -> Deadline {
    if notice > invocation.now() { invocation.deadline.until(notice) } else { invocation.deadline }
}

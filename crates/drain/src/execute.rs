//! From the plan to an outcome for every registration. No choice is left here but what AWS's answers force.
//!
//! One call a target group, all side by side, in the plan's order. Where the answer does not tell what became of a target,
//! the group is read.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use jiff::Timestamp;
use spotdrain_core::outcome::Outcome;
use spotdrain_core::plan::{Call, Plan};
use spotdrain_core::report::Execution;
use spotdrain_core::target::{Registration, Target};

use crate::aws::Aws;
use crate::clock::Deadline;
use crate::confirm::confirm;
use crate::turn::Pace;
use crate::write::{Said, Writer};

type Outcomes = BTreeMap<Registration, (Outcome, Timestamp)>;

/// Makes the calls of a plan.
pub(crate) async fn execute(aws: &Aws, pace: &Pace, plan: &Plan, deadline: Deadline) -> Execution {
    let calls = plan.calls.iter().map(|call| deregister(aws, pace, call, deadline));
    Execution::Done(join_all(calls).await.into_iter().flatten().collect())
}

async fn deregister(aws: &Aws, pace: &Pace, planned: &Call, deadline: Deadline) -> Outcomes {
    // Later it would not be sure whose the addresses are.
    let deadline = deadline.until(planned.trusted_until);
    let writer = Writer { aws, pace, group: &planned.target_group, deadline };
    let said = writer.deregister(planned.targets.clone()).await;
    let at = Timestamp::now();
    let (settled, unsure): (Vec<_>, Vec<_>) = said.into_iter().partition(|(_, said)| said.is_sure(planned.confirm));
    let mut outcomes: Vec<_> = settled.into_iter().map(|(target, said)| (target, outcome(said), at)).collect();
    if !unsure.is_empty() {
        let confirmed = confirm(&writer, unsure).await;
        let at = Timestamp::now();
        outcomes.extend(confirmed.into_iter().map(|(target, outcome)| (target, outcome, at)));
    }
    let registration = |target: Target| Registration { target_group: planned.target_group.clone(), target };
    outcomes.into_iter().map(|(target, outcome, at)| (registration(target), (outcome, at))).collect()
}

fn outcome(said: Said) -> Outcome {
    match said {
        Said::Accepted => Outcome::Deregistered,
        Said::GroupGone => Outcome::AlreadyGone,
        Said::Refused(failure) | Said::Failed(failure) => Outcome::Failed(failure),
    }
}

//! From the plan to an outcome for every registration. No choice is left here but what AWS's answers force.
//!
//! One call a target group, all side by side, each after a token of this sandbox's pace. `InvalidTarget` refuses a whole
//! call, so the call is split in two until the bad target is alone. A group that could not be read before is read
//! afterwards: AWS answers success for a target that is not there.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_elasticloadbalancingv2::types::TargetDescription;
use futures_util::future::join_all;
use jiff::Timestamp;
use spotdrain_core::arn::TargetGroupArn;
use spotdrain_core::finding::GroupFinding;
use spotdrain_core::outcome::{Failure, Outcome};
use spotdrain_core::pace::Bucket;
use spotdrain_core::plan::{Call, Plan};
use spotdrain_core::report::Execution;
use spotdrain_core::settings::Settings;
use spotdrain_core::target::{RegisteredTarget, Registration, Target, TargetState};

use crate::aws::Aws;
use crate::call::call_paced;
use crate::clock::Deadline;
use crate::groups;

const CALL: &str = "DeregisterTargets";

/// This sandbox's share of AWS's budget of DeregisterTargets.
#[derive(Debug)]
pub(crate) struct Pace {
    since: Instant,
    bucket: Mutex<Bucket>,
}

impl Pace {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { since: Instant::now(), bucket: Mutex::new(Bucket::new(settings.call_burst, settings.calls_per_second)) }
    }

    /// Takes a token, unless the deadline comes before it is there.
    fn take(&self, deadline: Deadline) -> Option<Duration> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.since.elapsed();
        (bucket.wait(now) < deadline.left()).then(|| bucket.take(now))
    }
}

/// What AWS made of one chunk of targets.
enum Answer {
    Accepted,
    Invalid(Failure),
    GroupGone,
    Failed(Failure),
}

/// Makes the calls of a plan, all of them at once as far as the pace allows, in the plan's order.
pub(crate) async fn execute(aws: &Aws, pace: &Pace, plan: &Plan, deadline: Deadline) -> Execution {
    let calls = plan.calls.iter().map(|call| deregister(aws, pace, call, deadline));
    Execution::Done(join_all(calls).await.into_iter().flatten().collect())
}

type Outcomes = BTreeMap<Registration, (Outcome, Timestamp)>;

async fn deregister(aws: &Aws, pace: &Pace, planned: &Call, deadline: Deadline) -> Outcomes {
    let group = &planned.target_group;
    let mut settled = Vec::new();
    let mut unsure = Vec::new();
    let mut chunks = vec![planned.targets.clone()];
    while let Some(mut chunk) = chunks.pop() {
        match send(aws, pace, group, &chunk, deadline).await {
            Answer::Invalid(_) if chunk.len() > 1 => {
                let half = chunk.split_off(chunk.len() / 2);
                chunks.extend([half, chunk]);
            }
            Answer::Accepted if !planned.confirm => settled.extend(each(chunk, &Outcome::Deregistered)),
            Answer::Accepted => unsure.extend(chunk.into_iter().map(|target| (target, None))),
            Answer::Invalid(failure) => unsure.extend(chunk.into_iter().map(|target| (target, Some(failure.clone())))),
            Answer::GroupGone => settled.extend(each(chunk, &Outcome::AlreadyGone)),
            Answer::Failed(failure) => settled.extend(each(chunk, &Outcome::Failed(failure))),
        }
    }
    if !unsure.is_empty() {
        settled.extend(confirm(aws, group, unsure, deadline).await);
    }
    let registration = |target| Registration { target_group: group.clone(), target };
    settled.into_iter().map(|(target, outcome, at)| (registration(target), (outcome, at))).collect()
}

type Settled = (Target, Outcome, Timestamp);

fn each(targets: Vec<Target>, outcome: &Outcome) -> Vec<Settled> {
    let now = Timestamp::now();
    targets.into_iter().map(|target| (target, outcome.clone(), now)).collect()
}

async fn send(aws: &Aws, pace: &Pace, group: &TargetGroupArn, targets: &[Target], deadline: Deadline) -> Answer {
    let request = aws.elb.deregister_targets().target_group_arn(group.as_str());
    let request = request.set_targets(Some(targets.iter().map(describe).collect()));
    let answer = call_paced(CALL, deadline, || pace.take(deadline), || request.clone().send());
    match answer.await {
        Ok(_) => Answer::Accepted,
        Err(error) => match error.code.as_deref() {
            Some("InvalidTarget") => Answer::Invalid(error.failure),
            Some("TargetGroupNotFound") => Answer::GroupGone,
            _ => Answer::Failed(error.failure),
        },
    }
}

fn describe(target: &Target) -> TargetDescription {
    let port = target.port.map(i32::from);
    TargetDescription::builder().id(target.address.to_string()).set_port(port).build()
}

/// A target of which AWS's answer does not tell what became, with the refusal if it was one.
type Unsure = (Target, Option<Failure>);

/// Reads the group and sees what became of such targets.
async fn confirm(aws: &Aws, group: &TargetGroupArn, targets: Vec<Unsure>, deadline: Deadline) -> Vec<Settled> {
    let finding = groups::read(aws, group, deadline).await;
    let now = Timestamp::now();
    let settle = |(target, refusal): Unsure| {
        let outcome = match &finding {
            GroupFinding::Read(registered) => seen(target, refusal, registered),
            GroupFinding::Missing => Outcome::AlreadyGone,
            GroupFinding::Unknown(failure) => unconfirmed(failure, refusal),
        };
        (target, outcome, now)
    };
    targets.into_iter().map(settle).collect()
}

fn unconfirmed(failure: &Failure, refusal: Option<Failure>) -> Outcome {
    let problem = format!("accepted, but not confirmed: {}", failure.problem);
    Outcome::Failed(refusal.unwrap_or(Failure { call: failure.call, problem, retryable: true }))
}

fn seen(target: Target, refusal: Option<Failure>, registered: &[RegisteredTarget]) -> Outcome {
    let mut own = registered.iter().filter(|found| found.address == target.address).peekable();
    if own.peek().is_none() {
        return Outcome::NotRegistered;
    }
    let stays: Vec<_> = own.filter(|found| found.state != TargetState::Draining).map(|f| f.port.to_string()).collect();
    if stays.is_empty() {
        return Outcome::Deregistered;
    }
    let (said, retryable) = refusal.map_or(("accepted".to_owned(), true), |refusal| (refusal.problem, false));
    let problem = format!("{said}, but {} is still registered on port {}", target.address, stays.join(", "));
    Outcome::Failed(Failure { call: CALL, problem, retryable })
}

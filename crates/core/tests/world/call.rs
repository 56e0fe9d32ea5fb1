//! One AWS call, tried until it succeeds, fails for good, or the deadline is near: `call.rs` and `turn.rs` of `crates/drain`.

use std::future::Future;

use spotdrain_core::outcome::Failure;
use spotdrain_core::pace::Kind;

use super::api::Refusal;
use super::sandbox::{Sandbox, Sim};
use super::time::{Ms, SECOND};

const ATTEMPT: Ms = 2 * SECOND;
pub const LEAST: Ms = 50;
const FIRST_WAIT: Ms = 100;
const LONGEST_WAIT: Ms = 2 * SECOND;

/// A call that failed.
#[derive(Debug, Clone)]
pub struct CallError {
    pub refusal: Refusal,
    pub failure: Failure,
}

/// `turn::Turns`.
#[derive(Debug, Clone, Copy)]
pub struct Turns<'a> {
    pub sim: &'a Sim,
    pub sandbox: &'a Sandbox,
    pub kind: Kind,
    pub deadline: Ms,
}

impl Turns<'_> {
    pub async fn wait(&self) -> Option<()> {
        let turn = self.sandbox.take_turn(self.kind, self.sim.clock.now(), self.deadline, LEAST)?;
        self.sim.clock.sleep(turn).await;
        Some(())
    }

    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Write => "DeregisterTargets",
            Kind::Read => "DescribeTargetHealth",
            Kind::Services => "DescribeServices",
            Kind::Tasks => "DescribeTasks",
        }
    }
}

/// `call::call`.
pub async fn call<T, F: Future<Output = Result<T, Refusal>>>(
    turns: Turns<'_>,
    attempt: impl Fn() -> F,
) -> Result<T, CallError> {
    match turns.wait().await {
        Some(()) => call_in_turn(turns, attempt).await,
        None => Err(failed(Refusal::OutOfTime, turns)),
    }
}

fn failed(refusal: Refusal, turns: Turns<'_>) -> CallError {
    let retryable =
        matches!(refusal, Refusal::OutOfTime | Refusal::NoAnswer | Refusal::Throttled | Refusal::ServerError);
    CallError { refusal, failure: Failure { call: turns.name(), problem: format!("{refusal:?}"), retryable } }
}

/// `call::call_in_turn`.
pub async fn call_in_turn<T, F: Future<Output = Result<T, Refusal>>>(
    turns: Turns<'_>,
    attempt: impl Fn() -> F,
) -> Result<T, CallError> {
    let Turns { sim, deadline, .. } = turns;
    let mut why = Refusal::OutOfTime;
    let mut is_free = true;
    for tries in 0_u32.. {
        if !is_free && turns.wait().await.is_none() {
            break;
        }
        let limit = ATTEMPT.min(deadline.saturating_sub(sim.clock.now()));
        if limit < LEAST {
            break;
        }
        match sim.clock.before(sim.clock.now() + limit, attempt()).await {
            Some(Ok(answer)) => return Ok(answer),
            Some(Err(refusal)) => why = refusal,
            None => why = Refusal::NoAnswer,
        }
        let Some(wait) = wait(sim, why, tries) else { break };
        if wait + LEAST > deadline.saturating_sub(sim.clock.now()) {
            break;
        }
        is_free = wait == 0;
        sim.clock.sleep(wait).await;
    }
    Err(failed(why, turns))
}

/// How long until the next try; `None` if no other try mends it.
fn wait(sim: &Sim, refusal: Refusal, tries: u32) -> Option<Ms> {
    let tries = match refusal {
        Refusal::Throttled | Refusal::ServerError => tries,
        Refusal::NoAnswer if tries == 0 => return Some(0),
        Refusal::NoAnswer => tries - 1,
        _ => return None,
    };
    let most = (FIRST_WAIT << tries.min(10)).min(LONGEST_WAIT);
    Some(sim.world.borrow_mut().dice.between(0, most))
}

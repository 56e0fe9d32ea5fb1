//! One AWS call, tried until it succeeds, fails for good, or the deadline is near: `call::call_paced` of `crates/drain`.

use std::future::Future;

use spotdrain_core::outcome::Failure;

use super::api::Refusal;
use super::sandbox::Sim;
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

/// `call::call_paced`.
pub async fn call<T, F: Future<Output = Result<T, Refusal>>>(
    sim: &Sim,
    name: &'static str,
    deadline: Ms,
    pace: impl Fn() -> Option<Ms>,
    attempt: impl Fn() -> F,
) -> Result<T, CallError> {
    let mut failed = Refusal::OutOfTime;
    let mut is_free = true;
    for tries in 0_u32.. {
        let Some(turn) = (if is_free { Some(0) } else { pace() }) else { break };
        sim.clock.sleep(turn).await;
        let limit = ATTEMPT.min(deadline.saturating_sub(sim.clock.now()));
        if limit < LEAST {
            break;
        }
        match sim.clock.before(sim.clock.now() + limit, attempt()).await {
            Some(Ok(answer)) => return Ok(answer),
            Some(Err(refusal)) => failed = refusal,
            None => failed = Refusal::NoAnswer,
        }
        let Some(wait) = wait(sim, failed, tries) else { break };
        if wait + LEAST > deadline.saturating_sub(sim.clock.now()) {
            break;
        }
        is_free = wait == 0;
        sim.clock.sleep(wait).await;
    }
    let retryable =
        matches!(failed, Refusal::OutOfTime | Refusal::NoAnswer | Refusal::Throttled | Refusal::ServerError);
    Err(CallError { refusal: failed, failure: Failure { call: name, problem: format!("{failed:?}"), retryable } })
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

//! Makes one call: repeats it until it succeeds, fails permanently, or the deadline is near.
//!
//! Every attempt has a time limit and takes a token of this environment's rate limit. After each throttled attempt the wait
//! grows, with full jitter. If the connection broke at the first attempt, there is no wait: usually Lambda froze the environment
//! for hours, and its connections are dead.

use std::time::Duration;

use spotdrain_core::model::observed::Observation;
use spotdrain_core::model::outcome::Failure;
use spotdrain_core::plan::rate_limit::CallKind;
use tracing::debug;

use crate::cloud::{Answer, CallError, CallErrorKind, Cloud};
use crate::deadline::Deadline;
use crate::engine::Engine;
use crate::invocation::{pause, within};
use crate::shares::{ATTEMPT, MIN_ATTEMPT};

/// The maximum wait after the first throttled attempt. It doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// The maximum wait after any number of attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Returns how long to wait after a number of failures in a row. `jitter`: from 0 to 1.
pub(crate) fn back_off(failures: u32, jitter: f64) -> Duration {
    let longest = FIRST_WAIT.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LONGEST_WAIT);
    longest.mul_f64(jitter)
}

/// The rate limit of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Each attempt takes a token.
    Rate(CallKind),
    /// The turn has already taken the token. A further attempt needs a new turn, in which the group is read again. Exception: if
    /// the connection broke, the attempt is repeated at once.
    Turn,
    /// The call takes no token, because the rate limit of SQS is high enough.
    None,
}

/// A call that failed.
#[derive(Debug, Clone)]
pub(crate) struct FailedCall {
    pub(crate) kind: CallErrorKind,
    pub(crate) failure: Failure,
}

impl FailedCall {
    /// Returns whether AWS refused the arguments. A call with only some of them may then succeed.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.kind, CallErrorKind::Denied | CallErrorKind::Invalid | CallErrorKind::Other)
    }

    /// Returns what the failure says about the resource that was read.
    pub(crate) fn observation<T>(&self) -> Observation<T> {
        match self.kind {
            CallErrorKind::NotFound => Observation::Missing,
            _ => Observation::Unknown(self.failure.clone()),
        }
    }
}

/// A call that is retried until its deadline.
#[derive(Debug)]
pub(crate) struct RetriedCall<'a, C> {
    pub(crate) engine: &'a Engine<C>,
    pub(crate) name: &'static str,
    pub(crate) limit: Limit,
    pub(crate) deadline: Deadline,
}

impl<C: Cloud> RetriedCall<'_, C> {
    /// Waits for its token and makes the call.
    pub(crate) async fn send<T>(&self, attempt: impl AsyncFn() -> Answer<T>) -> Result<T, FailedCall> {
        match self.wait_for_token().await {
            Some(()) => self.send_now(attempt).await,
            None => Err(self.out_of_time()),
        }
    }

    /// Makes a call whose token was taken; each further attempt waits for its own token.
    pub(crate) async fn send_now<T>(&self, attempt: impl AsyncFn() -> Answer<T>) -> Result<T, FailedCall> {
        let mut failed = self.out_of_time();
        let (mut has_token, mut timeouts) = (true, 0);
        for tries in 0_u32.. {
            // An attempt whose connection broke is repeated at once, without a token.
            if !has_token && self.wait_for_token().await.is_none() {
                break;
            }
            // The time limit grows with each attempt. Otherwise an answer that always takes longer than the first limit would
            // never arrive.
            let limit = ATTEMPT.saturating_mul(timeouts + 1).min(self.left());
            let Some(result) = self.attempt(&attempt, limit).await else { break };
            let error = match result {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            timeouts += u32::from(error.kind == CallErrorKind::BrokenConnection);
            debug!(call = self.name, tries, problem = error.problem, kind = ?error.kind, "an attempt failed");
            let wait = wait_after(error.kind, tries, self.limit, self.engine.cloud.jitter());
            failed = self.failed(error);
            let Some(wait) = wait.filter(|wait| *wait + MIN_ATTEMPT <= self.left()) else { break };
            has_token = wait.is_zero();
            pause(&self.engine.cloud, wait).await;
        }
        Err(failed)
    }

    /// Makes one attempt; `None` if the limit is too short for one.
    async fn attempt<T>(&self, attempt: impl AsyncFn() -> Answer<T>, limit: Duration) -> Option<Answer<T>> {
        if limit < MIN_ATTEMPT {
            return None;
        }
        let result = within(&self.engine.cloud, limit, attempt()).await;
        Some(result.unwrap_or_else(|| {
            let problem = format!("no answer within {} ms", limit.as_millis());
            Err(CallError { kind: CallErrorKind::BrokenConnection, problem })
        }))
    }

    /// Waits for a token. Returns `None` without taking one if the deadline is earlier.
    pub(crate) async fn wait_for_token(&self) -> Option<()> {
        let Limit::Rate(kind) = self.limit else { return Some(()) };
        let wait = self.engine.take(kind, self.deadline)?;
        pause(&self.engine.cloud, wait).await;
        Some(())
    }

    fn left(&self) -> Duration {
        self.deadline.left(self.engine.cloud.now())
    }

    fn failed(&self, error: CallError) -> FailedCall {
        let failure = Failure { call: self.name, problem: error.problem, retryable: error.kind.is_retryable() };
        FailedCall { kind: error.kind, failure }
    }

    fn out_of_time(&self) -> FailedCall {
        FailedCall { kind: CallErrorKind::BrokenConnection, failure: Failure::not_started(self.name) }
    }
}

/// Returns how long to wait before the next attempt; `None` if there is no further one. `tries`: the number of attempts before the
/// one that failed. `jitter`: from 0 to 1.
fn wait_after(kind: CallErrorKind, tries: u32, limit: Limit, jitter: f64) -> Option<Duration> {
    let failures = match kind {
        CallErrorKind::BrokenConnection if tries == 0 => return Some(Duration::ZERO),
        _ if limit == Limit::Turn => return None,
        CallErrorKind::BrokenConnection => tries,
        CallErrorKind::Throttled | CallErrorKind::Transient => tries + 1,
        _ => return None,
    };
    Some(back_off(failures, jitter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throttled_and_broken_calls_are_repeated_and_refused_ones_are_not() {
        let read = Limit::Rate(CallKind::Read);
        let wait = |kind, tries, limit| wait_after(kind, tries, limit, 1.0).map(|wait| wait.as_millis());
        for kind in [CallErrorKind::Throttled, CallErrorKind::Transient] {
            assert_eq!([0, 1, 2, 9].map(|tries| wait(kind, tries, read)), [100, 200, 400, 2000].map(Some), "{kind:?}");
            assert_eq!(wait(kind, 0, Limit::Turn), None, "another attempt needs another turn");
        }
        let broken = [0, 1, 2].map(|tries| wait(CallErrorKind::BrokenConnection, tries, read));
        assert_eq!(broken, [0, 100, 200].map(Some));
        assert_eq!(wait(CallErrorKind::BrokenConnection, 0, Limit::Turn), Some(0));
        for kind in [CallErrorKind::Denied, CallErrorKind::Invalid, CallErrorKind::NotFound, CallErrorKind::Other] {
            assert_eq!(wait(kind, 0, read), None, "{kind:?}");
        }
    }
}

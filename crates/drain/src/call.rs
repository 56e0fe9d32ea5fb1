//! One AWS call, tried until it succeeds, fails for good, or the deadline is near.
//!
//! An attempt has a time limit of its own. After a refusal for being too fast the wait grows, with full jitter; after a
//! connection that broke at the first attempt there is none, because the usual cause is a sandbox that Lambda froze for hours, whose
//! kept connections are dead.

use std::time::Duration;

use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_types::retry::ErrorKind;
use spotdrain_core::outcome::Failure;
use tracing::debug;

use crate::turn::Turns;

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(2);

/// What an attempt needs at least: with less time left none is started.
pub(crate) const LEAST: Duration = Duration::from_millis(50);

/// The first wait after a refusal, at most; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// A call that failed.
#[derive(Debug, Clone)]
pub(crate) struct CallError {
    /// AWS's error code, where it answered.
    pub(crate) code: Option<String>,
    /// What is told of it.
    pub(crate) failure: Failure,
}

/// What to do after an attempt that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Refused for being too fast, or AWS is in trouble: wait, longer each time.
    BackOff,
    /// The connection broke or nothing came: a new one may do.
    Reconnect,
    /// No other try mends it.
    GiveUp,
}

/// Waits for its turn and makes a call.
pub(crate) async fn call<T, E, F>(name: &'static str, turns: Turns<'_>, attempt: impl Fn() -> F) -> Result<T, CallError>
where
    F: Future<Output = Result<T, SdkError<E>>>,
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match turns.wait().await {
        Some(()) => call_in_turn(name, turns, attempt).await,
        None => Err(out_of_time(name)),
    }
}

/// Makes a call whose turn has come; each further attempt waits for a turn of its own.
pub(crate) async fn call_in_turn<T, E, F>(
    name: &'static str,
    turns: Turns<'_>,
    attempt: impl Fn() -> F,
) -> Result<T, CallError>
where
    F: Future<Output = Result<T, SdkError<E>>>,
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let deadline = turns.deadline;
    let mut failed = out_of_time(name);
    let mut is_free = true;
    for tries in 0_u32.. {
        // An attempt whose connection broke has its successor at once, and not behind all that wait for their turn.
        if !is_free && turns.wait().await.is_none() {
            break;
        }
        let limit = ATTEMPT.min(deadline.left());
        if limit < LEAST {
            break;
        }
        let next = match tokio::time::timeout(limit, attempt()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => {
                let next = judge(&error);
                failed = describe(name, &error, next);
                next
            }
            Err(_) => {
                failed = no_answer(name, limit);
                Next::Reconnect
            }
        };
        debug!(call = name, tries, problem = failed.failure.problem, ?next, "an attempt failed");
        if next == Next::GiveUp {
            break;
        }
        let wait = wait(next, tries);
        if wait + LEAST > deadline.left() {
            break;
        }
        is_free = wait.is_zero();
        pause(wait).await;
    }
    Err(failed)
}

/// Makes one attempt and no other.
pub(crate) async fn call_once<T, E, F>(name: &'static str, attempt: impl Fn() -> F) -> Result<T, CallError>
where
    F: Future<Output = Result<T, SdkError<E>>>,
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match tokio::time::timeout(ATTEMPT, attempt()).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(describe(name, &error, judge(&error))),
        Err(_) => Err(no_answer(name, ATTEMPT)),
    }
}

/// A sleep of no time would take a millisecond: the timer has no finer steps.
pub(crate) async fn pause(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}

fn wait(next: Next, tries: u32) -> Duration {
    let tries = if next == Next::Reconnect { tries.checked_sub(1) } else { Some(tries) };
    let Some(tries) = tries else { return Duration::ZERO };
    let most = FIRST_WAIT.saturating_mul(1 << tries.min(10)).min(LONGEST_WAIT);
    most.mul_f64(fastrand::f64())
}

fn judge<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Next {
    match error {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => Next::Reconnect,
        SdkError::DispatchFailure(failure) => {
            let transient = matches!(failure.as_other(), Some(ErrorKind::TransientError | ErrorKind::ServerError));
            if failure.is_io() || failure.is_timeout() || transient { Next::Reconnect } else { Next::GiveUp }
        }
        SdkError::ServiceError(answer) => {
            let code = answer.err().code().unwrap_or_default();
            let status = answer.raw().status().as_u16();
            let mends = THROTTLING_ERRORS.contains(&code) || TRANSIENT_ERRORS.contains(&code);
            if mends || status >= 500 || status == 429 { Next::BackOff } else { Next::GiveUp }
        }
        _ => Next::GiveUp,
    }
}

fn describe<E>(name: &'static str, error: &SdkError<E>, next: Next) -> CallError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).map(str::to_owned);
    let message = error.as_service_error().and_then(ProvideErrorMetadata::message);
    let problem = match (&code, message) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.clone(),
        (None, _) => chain(error),
    };
    CallError { code, failure: Failure { call: name, problem, retryable: next != Next::GiveUp } }
}

/// An error and its causes on one line. Where the cause is that there are no credentials, what to do about it.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<_> = causes.map(|error| error.to_string().replace('\n', " ")).collect();
    let told = texts.join(": ");
    if told.contains("no credentials") {
        return "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned();
    }
    if told.contains("loading credentials") { format!("no AWS credentials could be loaded: {told}") } else { told }
}

fn no_answer(name: &'static str, limit: Duration) -> CallError {
    let problem = format!("no answer within {} ms", limit.as_millis());
    CallError { code: None, failure: Failure { call: name, problem, retryable: true } }
}

pub(crate) fn out_of_time(name: &'static str) -> CallError {
    let problem = "not started: no time was left".to_owned();
    CallError { code: None, failure: Failure { call: name, problem, retryable: true } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_connection_is_replaced_at_once_and_a_refusal_is_waited_for() {
        assert_eq!(wait(Next::Reconnect, 0), Duration::ZERO);
        for tries in 0..100 {
            assert!(wait(Next::BackOff, tries) <= LONGEST_WAIT);
            assert!(wait(Next::BackOff, 0) <= FIRST_WAIT);
        }
    }
}

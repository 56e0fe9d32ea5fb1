//! How AWS is asked: slowly. The function needs the same budget, of the whole account and Region: so three calls of ELB a
//! second at most of the ten, one after the other, and after a refusal a pause for whoever needs the budget more.
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html>

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use spotdrain_core::pace::Bucket;
use spotdrain_engine::{CallError, CallErrorKind};
use spotdrain_function::{Aws, call_error, error_code};

use super::progress::Progress;

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(2);

/// How long is waited after a refusal for being too fast.
const YIELD: Duration = Duration::from_secs(3);

/// How often a refusal is yielded to; a call that has no answer, or fails with AWS, is tried five times.
const YIELDS: u32 = 20;

/// FunctionSelector budget a call is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Budget {
    /// ELB: ten a second for the account, of which the function needs its share.
    Elb,
    /// ECS and the others: twenty a second.
    Other,
}

/// What keeps an answer from coming.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// AWS's error code, where it answered.
    pub(crate) code: Option<String>,
    /// The call, and what is wrong, in AWS's words.
    pub(crate) told: String,
}

/// Asks AWS.
#[derive(Debug)]
pub(crate) struct Asker<'a> {
    pub(crate) aws: &'a Aws,
    pub(crate) progress: Progress,
    since: Instant,
    elb: Mutex<Bucket>,
    other: Mutex<Bucket>,
}

impl<'a> Asker<'a> {
    pub(crate) fn new(aws: &'a Aws) -> Self {
        let bucket = |burst, per_second| Mutex::new(Bucket::new(burst, per_second));
        Self { aws, progress: Progress::new(), since: Instant::now(), elb: bucket(1.0, 3.0), other: bucket(10.0, 10.0) }
    }

    /// Makes a call, in its turn.
    pub(crate) async fn ask<T, E, F>(
        &self,
        name: &'static str,
        of: Budget,
        attempt: impl Fn() -> F,
    ) -> Result<T, Refusal>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let mut yields = YIELDS;
        loop {
            self.turn(of).await;
            let (code, error) = match attempt_once(&attempt).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if !error.kind.is_retryable() || yields == 0 {
                return Err(Refusal { code, told: format!("{name}: {}", error.problem) });
            }
            yields -= if error.kind == CallErrorKind::Throttled { 1 } else { YIELDS / 4 };
            tokio::time::sleep(YIELD).await;
        }
    }

    async fn turn(&self, of: Budget) {
        let bucket = if of == Budget::Elb { &self.elb } else { &self.other };
        let wait = bucket.lock().unwrap_or_else(PoisonError::into_inner).take(self.since.elapsed());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
}

/// One attempt: its answer, or AWS's error code and what is wrong.
pub(crate) async fn attempt_once<T, E, F>(attempt: impl Fn() -> F) -> Result<T, (Option<String>, CallError)>
where
    F: Future<Output = Result<T, SdkError<E>>>,
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match tokio::time::timeout(ATTEMPT, attempt()).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err((error_code(&error).map(str::to_owned), call_error(&error))),
        Err(_) => {
            let problem = format!("no answer within {} ms", ATTEMPT.as_millis());
            Err((None, CallError { kind: CallErrorKind::BrokenConnection, problem }))
        }
    }
}

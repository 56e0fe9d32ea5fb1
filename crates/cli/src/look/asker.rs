//! Calls AWS slowly. The function needs the same rate limits, which are those of the whole account and Region: at most three
//! of the ten ELB calls a second, one after the other, and a pause after a refusal.
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html>

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use spotdrain_core::plan::rate_limit::Bucket;
use spotdrain_engine::{CallError, CallErrorKind};
use spotdrain_function::{Aws, call_error, error_code};

use super::progress::Progress;

/// The timeout of one attempt.
const ATTEMPT: Duration = Duration::from_secs(2);

/// The pause after a throttled or failed call.
const YIELD: Duration = Duration::from_secs(3);

/// Throttled calls are retried this often; failed ones five times.
const YIELDS: u32 = 20;

/// The rate limit of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Budget {
    /// ELB: ten a second for the account, which the function shares.
    Elb,
    /// ECS and the others: twenty a second.
    Other,
}

/// A call that failed for good.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// AWS's error code, where it answered.
    pub(crate) code: Option<String>,
    /// The call, and the error in AWS's words.
    pub(crate) message: String,
}

/// A client that paces its calls.
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

    /// Makes a call when its rate limit allows, and retries it.
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
                return Err(Refusal { code, message: format!("{name}: {}", error.problem) });
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

/// Makes one attempt: the answer, or AWS's error code and the error.
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

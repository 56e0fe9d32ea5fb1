//! Calls AWS slowly, because the function needs the same rate limits: they are those of the whole account and Region. The
//! doctor makes at most three of the ten ELB calls a second, one at a time, and pauses after a throttled call.
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html>

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use spotdrain_core::plan::rate_limit::TokenBucket;
use spotdrain_engine::{CallError, CallErrorKind};
use spotdrain_function::{Aws, call_error, error_code};

use super::progress_bar::ProgressBar;

/// The timeout of one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);

/// The pause after a throttled or failed call.
const RETRY_PAUSE: Duration = Duration::from_secs(3);

/// Throttled calls are retried this often; failed ones five times.
const MAX_RETRIES: u32 = 20;

/// The rate limit that a call counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RateLimit {
    /// ELB: ten calls a second for the account, shared with the function.
    Elb,
    /// ECS and the others: twenty calls a second.
    Other,
}

/// A call that failed, after its retries.
#[derive(Debug, Clone)]
pub(crate) struct FailedCall {
    /// AWS's error code, if AWS answered.
    pub(crate) code: Option<String>,
    /// The name of the call and AWS's error message.
    pub(crate) message: String,
}

/// AWS clients with rate limits, retries and a progress bar.
#[derive(Debug)]
pub(crate) struct PacedClient<'a> {
    pub(crate) aws: &'a Aws,
    pub(crate) progress: ProgressBar,
    start: Instant,
    elb: Mutex<TokenBucket>,
    other: Mutex<TokenBucket>,
}

impl<'a> PacedClient<'a> {
    pub(crate) fn new(aws: &'a Aws) -> Self {
        let bucket = |burst, per_second| Mutex::new(TokenBucket::new(burst, per_second));
        Self {
            aws,
            progress: ProgressBar::new(),
            start: Instant::now(),
            elb: bucket(1.0, 3.0),
            other: bucket(10.0, 10.0),
        }
    }

    /// Makes a call when its rate limit allows, and retries it if that may help.
    pub(crate) async fn call<T, E, F>(
        &self,
        name: &'static str,
        limit: RateLimit,
        attempt: impl Fn() -> F,
    ) -> Result<T, FailedCall>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let mut retries = MAX_RETRIES;
        loop {
            self.wait_for(limit).await;
            let (code, error) = match attempt_once(&attempt).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if !error.kind.is_retryable() || retries == 0 {
                return Err(FailedCall { code, message: format!("{name}: {}", error.problem) });
            }
            retries -= if error.kind == CallErrorKind::Throttled { 1 } else { MAX_RETRIES / 4 };
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    async fn wait_for(&self, limit: RateLimit) {
        let bucket = if limit == RateLimit::Elb { &self.elb } else { &self.other };
        let wait = bucket.lock().unwrap_or_else(PoisonError::into_inner).take(self.start.elapsed());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
}

/// Makes one attempt. The error comes with AWS's error code, if AWS answered.
pub(crate) async fn attempt_once<T, E, F>(attempt: impl Fn() -> F) -> Result<T, (Option<String>, CallError)>
where
    F: Future<Output = Result<T, SdkError<E>>>,
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match tokio::time::timeout(ATTEMPT_TIMEOUT, attempt()).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err((error_code(&error).map(str::to_owned), call_error(&error))),
        Err(_) => {
            let problem = format!("no answer within {} ms", ATTEMPT_TIMEOUT.as_millis());
            Err((None, CallError { kind: CallErrorKind::BrokenConnection, problem }))
        }
    }
}

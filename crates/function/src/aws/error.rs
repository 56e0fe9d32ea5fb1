//! Converts the SDK's errors to the engine's kinds of errors.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ecs::types::Failure as EcsFailure;
use aws_smithy_types::retry::ErrorKind;
use spotdrain_core::model::observed::Observation;
use spotdrain_core::model::outcome::Failure;
use spotdrain_engine::{CallError, CallErrorKind};

/// Converts an SDK error.
pub fn call_error<E>(error: &SdkError<E>) -> CallError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    CallError { kind: kind(error), problem: problem(error) }
}

/// Returns AWS's error code, if AWS answered.
pub fn error_code<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

fn kind<E: ProvideErrorMetadata>(error: &SdkError<E>) -> CallErrorKind {
    match error {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => CallErrorKind::BrokenConnection,
        SdkError::DispatchFailure(failure) => {
            let transient = matches!(failure.as_other(), Some(ErrorKind::TransientError | ErrorKind::ServerError));
            let is_broken = failure.is_io() || failure.is_timeout() || transient;
            if is_broken { CallErrorKind::BrokenConnection } else { CallErrorKind::Denied }
        }
        SdkError::ServiceError(answer) => {
            answered(answer.err().code().unwrap_or_default(), answer.raw().status().as_u16())
        }
        _ => CallErrorKind::Other,
    }
}

fn answered(code: &str, status: u16) -> CallErrorKind {
    match code {
        code if THROTTLING_ERRORS.contains(&code) => CallErrorKind::Throttled,
        code if TRANSIENT_ERRORS.contains(&code) => CallErrorKind::Transient,
        "ClusterNotFoundException" | "TargetGroupNotFound" => CallErrorKind::NotFound,
        // An unknown target, or an address of the other IP version.
        "InvalidTarget" | "ValidationError" => CallErrorKind::Invalid,
        code if status == 403 || code.starts_with("AccessDenied") => CallErrorKind::Denied,
        _ if status == 429 => CallErrorKind::Throttled,
        _ if status >= 500 => CallErrorKind::Transient,
        _ => CallErrorKind::Other,
    }
}

fn problem<E>(error: &SdkError<E>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let message = error.as_service_error().and_then(ProvideErrorMetadata::message);
    match (error_code(error), message) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => chain(error),
    }
}

/// Returns what is known about an item that ECS's answer does not describe.
pub(super) fn not_described<T>(call: &'static str, what: &str, failure: Option<&EcsFailure>) -> Observation<T> {
    let problem = match failure.map(|failure| failure.reason().unwrap_or("no reason given")) {
        Some("MISSING") => return Observation::Missing,
        Some(reason) => format!("{what} could not be described: {reason}"),
        None => format!("the answer does not mention {what}"),
    };
    Observation::Unknown(Failure { call, problem, retryable: true })
}

/// Formats an error with its causes on one line. If credentials are missing, says what to set.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let causes: Vec<_> = std::iter::successors(Some(error), |error| (**error).source()).collect();
    let texts: Vec<_> = causes.iter().map(|error| error.to_string().replace('\n', " ")).collect();
    match causes.iter().find_map(|cause| cause.downcast_ref::<CredentialsError>()) {
        Some(CredentialsError::CredentialsNotLoaded(_)) => {
            "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned()
        }
        Some(_) => format!("no AWS credentials could be loaded: {}", texts.join(": ")),
        None => texts.join(": "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_code_takes_precedence_over_the_status() {
        let table = [
            ("ThrottlingException", 400, CallErrorKind::Throttled),
            ("Throttling", 400, CallErrorKind::Throttled),
            ("RequestTimeout", 400, CallErrorKind::Transient),
            ("InternalFailure", 500, CallErrorKind::Transient),
            ("", 429, CallErrorKind::Throttled),
            ("AccessDenied", 403, CallErrorKind::Denied),
            ("TargetGroupNotFound", 400, CallErrorKind::NotFound),
            ("InvalidTarget", 400, CallErrorKind::Invalid),
            ("AccessDeniedException", 400, CallErrorKind::Denied),
            ("InvalidParameterException", 400, CallErrorKind::Other),
        ];
        for (code, status, expected) in table {
            assert_eq!(answered(code, status), expected, "{code} {status}");
        }
    }
}

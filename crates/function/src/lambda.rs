//! Turns an invocation's payload into the answer to Lambda.
//!
//! A failed direct event is an error, so that Lambda's retry, the destination and the alarm work. If a batch has failures,
//! exactly the failed messages return to the queue.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>

use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use spotdrain_core::read::batch::Delivery;
use spotdrain_core::report::{Report, Verdict};
use spotdrain_engine::{Deadline, Handled};
use tracing::error;

use crate::Function;

/// Handles one invocation.
pub async fn invoke(function: &Function, event: LambdaEvent<Box<RawValue>>) -> Result<Value, Diagnostic> {
    let request_id = event.context.request_id.as_str();
    let deadline = Deadline::of_invocation(event.context.deadline);
    function.cloud().log_as(request_id);
    let handled = function.handle(event.payload.get().as_bytes(), deadline).await.map_err(|error| {
        error!(request_id, path = error.path, problem = error.problem, "the invocation cannot be read");
        diagnostic("Spotdrain.Malformed", error.to_string())
    })?;
    function.cloud().publish(&handled.report, deadline).await;
    answer(&handled)
}

fn answer(handled: &Handled) -> Result<Value, Diagnostic> {
    let report = &handled.report;
    match handled.delivery {
        Delivery::Queue => {
            let items = handled.returned().map(|id| json!({"itemIdentifier": id}));
            Ok(json!({"batchItemFailures": items.collect::<Vec<_>>()}))
        }
        Delivery::Direct => match report.failure_summary() {
            None => Ok(json!({"verdict": report.verdict})),
            Some(summary) => Err(diagnostic(error_type(report), summary)),
        },
    }
}

fn error_type(report: &Report) -> &'static str {
    if !report.malformed.is_empty() {
        "Spotdrain.Malformed"
    } else if report.verdict == Verdict::Retry {
        "Spotdrain.Retry"
    } else {
        "Spotdrain.Failed"
    }
}

fn diagnostic(error_type: &str, error_message: String) -> Diagnostic {
    Diagnostic { error_type: error_type.to_owned(), error_message }
}

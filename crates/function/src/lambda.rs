//! One invocation: its payload in, the answer to Lambda out.
//!
//! A direct event that failed is an error, so that Lambda's retry, the destination and the alarm work. Of a batch, exactly
//! the messages that failed go back to the queue.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>

use lambda_runtime::{Diagnostic, LambdaEvent};
use serde::Serialize;
use serde_json::value::RawValue;
use spotdrain_core::batch::Delivery;
use spotdrain_core::report::{Report, Verdict};
use spotdrain_engine::{Deadline, Handled};
use tracing::error;

use crate::Function;

/// What the function answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To a batch: the messages that return to the queue.
    #[serde(rename_all = "camelCase")]
    Queue {
        /// In Lambda's own form.
        batch_item_failures: Vec<ItemFailure>,
    },
    /// To a direct event that did not fail.
    Direct {
        /// What was done.
        verdict: Verdict,
    },
}

/// One message that returns to the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemFailure {
    /// SQS's id of the message.
    pub item_identifier: String,
}

/// Handles one invocation.
pub async fn invoke(function: &Function, event: LambdaEvent<Box<RawValue>>) -> Result<Answer, Diagnostic> {
    let request_id = event.context.request_id.as_str();
    let deadline = Deadline::of_invocation(event.context.deadline);
    function.cloud().log_as(request_id);
    let handled = function.handle(event.payload.get().as_bytes(), deadline).await.map_err(|error| {
        error!(request_id, path = error.path, problem = error.problem, "the invocation cannot be read");
        diagnostic("Spotdrain.Malformed", error.to_string())
    })?;
    answer(&handled)
}

/// Names only messages that Lambda delivered: an id that it does not know fails the whole batch.
fn answer(handled: &Handled) -> Result<Answer, Diagnostic> {
    let Handled { delivery, delivered, report } = handled;
    match delivery {
        Delivery::Queue => {
            let failed = report.failed_messages().into_iter().filter(|id| delivered.contains(*id));
            Ok(Answer::Queue { batch_item_failures: failed.map(item).collect() })
        }
        Delivery::Direct => match report.failure_summary() {
            None => Ok(Answer::Direct { verdict: report.verdict }),
            Some(summary) => Err(diagnostic(error_type(report), summary)),
        },
    }
}

fn item(id: &str) -> ItemFailure {
    ItemFailure { item_identifier: id.to_owned() }
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

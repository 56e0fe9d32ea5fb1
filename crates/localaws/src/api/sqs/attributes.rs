//! A queue's settings and counts as attributes.
//!
//! Names and defaults are those of the API's `GetQueueAttributes` (botocore, `sqs`). Attributes that AWS has and that are not
//! simulated are accepted in a request and omitted from the answer.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::call::error::ApiError;
use crate::model::sqs::queue::Redrive;
use crate::model::sqs::queues::Stock;

/// `MaximumMessageSize`: the default, and the largest allowed value, 1 MiB.
const MAX_MESSAGE_BYTES: usize = 1_048_576;

/// Attributes that a request may name and that have no value here.
const NOT_SIMULATED: [&str; 9] = [
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoQueue",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "Policy",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
];

/// Returns the attributes with these names; `All` stands for all.
pub(crate) fn describe(
    stock: &Stock,
    names: &[String],
    epoch: Duration,
    now: Duration,
) -> Result<BTreeMap<&'static str, String>, ApiError> {
    let mut all = values(stock, epoch, now);
    let known = |name: &str| name == "All" || all.contains_key(name) || NOT_SIMULATED.contains(&name);
    // `RedrivePolicy` is a known name even if this queue has none.
    if let Some(name) = names.iter().find(|name| !known(name) && *name != "RedrivePolicy") {
        return Err(unknown(name));
    }
    all.retain(|name, _| names.iter().any(|asked| asked == "All" || asked == name));
    Ok(all)
}

pub(crate) fn unknown(name: &str) -> ApiError {
    ApiError::bad("InvalidAttributeName", format!("Unknown Attribute {name}."))
}

fn values(stock: &Stock, epoch: Duration, now: Duration) -> BTreeMap<&'static str, String> {
    let (queue, counts) = (&stock.queue, stock.counts(now));
    let seconds = |time: Duration| time.as_secs().to_string();
    let policy = queue.redrive.as_ref().map(|redrive| ("RedrivePolicy", policy(redrive)));
    let always = [
        ("ApproximateNumberOfMessages", counts.visible.to_string()),
        ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", counts.in_flight.to_string()),
        ("CreatedTimestamp", seconds(epoch.saturating_add(stock.created_at))),
        ("DelaySeconds", seconds(queue.delay)),
        ("LastModifiedTimestamp", seconds(epoch.saturating_add(stock.changed_at))),
        ("MaximumMessageSize", MAX_MESSAGE_BYTES.to_string()),
        ("MessageRetentionPeriod", seconds(queue.retention)),
        ("QueueArn", queue.arn()),
        ("ReceiveMessageWaitTimeSeconds", seconds(queue.receive_wait)),
        ("VisibilityTimeout", seconds(queue.visibility_timeout)),
    ];
    always.into_iter().chain(policy).collect()
}

fn policy(redrive: &Redrive) -> String {
    let Redrive { dead_letter_target, max_receive_count } = redrive;
    json!({"deadLetterTargetArn": dead_letter_target, "maxReceiveCount": max_receive_count}).to_string()
}

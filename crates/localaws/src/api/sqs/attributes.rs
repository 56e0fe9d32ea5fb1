//! How do a queue's settings read and write as attributes?
//!
//! Names, ranges and defaults are those of the API's `CreateQueue` and `GetQueueAttributes` (botocore, `sqs`). An attribute
//! that AWS has and that is not played is refused when it is set, and left out when it is asked for.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::sqs::error::{invalid, unsupported};
use crate::call::error::ApiError;
use crate::model::sqs::queue::{LARGEST_MESSAGE, Queue, Redrive};
use crate::model::sqs::queues::Stock;

/// The attributes that can be asked for and have no value here.
const NOT_PLAYED: [&str; 9] = [
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    dead_letter_target_arn: String,
    /// A number, or one in quotes.
    max_receive_count: Value,
}

/// Gives a queue the settings that these attributes name. `exists` says whether there is a queue of an ARN.
pub(crate) fn set(
    queue: &mut Queue,
    attributes: &BTreeMap<String, String>,
    exists: impl Fn(&str) -> bool,
) -> Result<(), ApiError> {
    for (name, value) in attributes {
        match name.as_str() {
            "VisibilityTimeout" => queue.visibility_timeout = seconds(name, value, 0..=43_200)?,
            "DelaySeconds" => queue.delay = seconds(name, value, 0..=900)?,
            "ReceiveMessageWaitTimeSeconds" => queue.receive_wait = seconds(name, value, 0..=20)?,
            "MessageRetentionPeriod" => queue.retention = seconds(name, value, 60..=1_209_600)?,
            "MaximumMessageSize" => queue.largest_message = number(name, value, 1024..=LARGEST_MESSAGE)?,
            "RedrivePolicy" => queue.redrive = redrive(value, &exists)?,
            name if NOT_PLAYED.contains(&name) => return Err(unsupported(&format!("The attribute {name}"))),
            name => return Err(unknown(name)),
        }
    }
    Ok(())
}

/// The attributes of these names, where `All` is all.
pub(crate) fn describe(
    stock: &Stock,
    names: &[String],
    epoch: Duration,
    now: Duration,
) -> Result<BTreeMap<&'static str, String>, ApiError> {
    let mut all = values(stock, epoch, now);
    let known = |name: &str| name == "All" || all.contains_key(name) || NOT_PLAYED.contains(&name);
    // A queue without a policy has no such attribute, but the name is known.
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
        ("MaximumMessageSize", queue.largest_message.to_string()),
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

/// An empty policy takes the dead-letter queue away.
fn redrive(value: &str, exists: impl Fn(&str) -> bool) -> Result<Option<Redrive>, ApiError> {
    if value.is_empty() {
        return Ok(None);
    }
    let wrong = |reason: &str| invalid("RedrivePolicy", value, reason);
    let read: Policy = serde_json::from_str(value).map_err(|error| wrong(&error.to_string()))?;
    let count = match &read.max_receive_count {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64().and_then(|count| u32::try_from(count).ok()),
    };
    let count = count.filter(|count| (1..=1000).contains(count));
    let max_receive_count = count.ok_or_else(|| wrong("maxReceiveCount must be from 1 to 1000."))?;
    if !exists(&read.dead_letter_target_arn) {
        return Err(wrong("Dead letter target does not exist."));
    }
    Ok(Some(Redrive { dead_letter_target: read.dead_letter_target_arn, max_receive_count }))
}

fn seconds(name: &str, value: &str, range: RangeInclusive<usize>) -> Result<Duration, ApiError> {
    number(name, value, range).map(|seconds| Duration::from_secs(seconds as u64))
}

fn number(name: &str, value: &str, range: RangeInclusive<usize>) -> Result<usize, ApiError> {
    let wrong = || ApiError::bad("InvalidAttributeValue", format!("Invalid value for the parameter {name}."));
    value.parse().ok().filter(|number| range.contains(number)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sqs::queues::Queues;

    fn changed(name: &str, value: &str) -> Result<Queue, ApiError> {
        let mut queue = Queue::new("notices");
        let attributes = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        set(&mut queue, &attributes, |arn| arn.ends_with(":dead")).map(|()| queue)
    }

    #[test]
    fn what_is_set_is_described() {
        let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:123456789012:dead","maxReceiveCount":5}"#;
        let quoted = policy.replace(":5", ":\"5\"");
        let table = [
            ("VisibilityTimeout", "43200", "43200"),
            ("DelaySeconds", "900", "900"),
            ("ReceiveMessageWaitTimeSeconds", "20", "20"),
            ("MessageRetentionPeriod", "60", "60"),
            ("MaximumMessageSize", "1024", "1024"),
            ("RedrivePolicy", policy, policy),
            ("RedrivePolicy", &quoted, policy),
        ];
        for (name, value, shown) in table {
            let mut queues = Queues::default();
            queues.set(changed(name, value).unwrap(), Duration::ZERO);
            let stock = queues.get("notices").unwrap();
            let shown_values = describe(stock, &[name.to_owned()], Duration::ZERO, Duration::ZERO).unwrap();
            assert_eq!(shown_values, BTreeMap::from([(name, shown.to_owned())]));
        }
        assert_eq!(changed("RedrivePolicy", "").unwrap().redrive, None);
    }

    #[test]
    fn what_cannot_be_set_is_told_why() {
        let nobody = r#"{"deadLetterTargetArn":"arn:nobody","maxReceiveCount":5}"#;
        let never = r#"{"deadLetterTargetArn":"arn:dead","maxReceiveCount":0}"#;
        let table = [
            ("VisibilityTimeout", "43201", "InvalidAttributeValue", "the parameter VisibilityTimeout"),
            ("DelaySeconds", "x", "InvalidAttributeValue", "the parameter DelaySeconds"),
            ("MaximumMessageSize", "1048577", "InvalidAttributeValue", "the parameter MaximumMessageSize"),
            ("RedrivePolicy", nobody, "InvalidParameterValue", "Dead letter target does not exist."),
            ("RedrivePolicy", never, "InvalidParameterValue", "from 1 to 1000"),
            ("RedrivePolicy", "{}", "InvalidParameterValue", "missing field"),
            ("FifoQueue", "true", "UnsupportedOperation", "The attribute FifoQueue is not played here"),
            ("Colour", "red", "InvalidAttributeName", "Unknown Attribute Colour."),
        ];
        for (name, value, code, text) in table {
            let error = changed(name, value).unwrap_err();
            assert_eq!(error.code, code);
            assert!(error.message.contains(text), "{}", error.message);
        }
    }
}

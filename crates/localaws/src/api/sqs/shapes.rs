//! What is in the body of each SQS request, and how is a message shown?
//!
//! Fields of FIFO queues and message attributes are read only to be refused; fields that say nothing here are passed over.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use md5::{Digest as _, Md5};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::api::sqs::error::unsupported;
use crate::call::error::ApiError;
use crate::model::sqs::queues::Received;

/// Who sends everything, as no signature is checked.
const SENDER: &str = "AIDALOCALAWSSENDER00";

/// The system attributes that a message can have here.
pub(crate) const MESSAGE_ATTRIBUTES: [&str; 5] = [
    "ApproximateFirstReceiveTimestamp",
    "ApproximateReceiveCount",
    "DeadLetterQueueSourceArn",
    "SenderId",
    "SentTimestamp",
];

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Addressed {
    pub(crate) queue_url: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CreateBody {
    pub(crate) queue_name: Option<String>,
    #[serde(default)]
    pub(crate) attributes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NameBody {
    pub(crate) queue_name: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NamesBody {
    #[serde(default)]
    pub(crate) attribute_names: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SettingsBody {
    #[serde(default)]
    pub(crate) attributes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SendBody {
    pub(crate) message_body: Option<String>,
    pub(crate) delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: BTreeMap<String, Value>,
    #[serde(default)]
    message_system_attributes: BTreeMap<String, Value>,
    message_group_id: Option<IgnoredAny>,
    message_deduplication_id: Option<IgnoredAny>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ReceiveBody {
    pub(crate) max_number_of_messages: Option<i64>,
    pub(crate) visibility_timeout: Option<i64>,
    pub(crate) wait_time_seconds: Option<i64>,
    /// The old name of the field, which the SDKs still have.
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DeleteBody {
    pub(crate) receipt_handle: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ChangeBody {
    pub(crate) receipt_handle: Option<String>,
    pub(crate) visibility_timeout: Option<i64>,
}

/// One entry of a batch: an id, and the body of the single request.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Entry<T> {
    #[serde(rename = "Id")]
    pub(crate) id: Option<String>,
    #[serde(flatten)]
    pub(crate) body: T,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", bound = "T: Deserialize<'de>")]
pub(crate) struct BatchBody<T> {
    #[serde(default = "Vec::new")]
    pub(crate) entries: Vec<Entry<T>>,
}

impl SendBody {
    /// Refuses what is not played.
    pub(crate) fn check_played(&self) -> Result<(), ApiError> {
        let attributes = !self.message_attributes.is_empty() || !self.message_system_attributes.is_empty();
        let group = self.message_group_id.is_some() || self.message_deduplication_id.is_some();
        match (attributes, group) {
            (true, _) => Err(unsupported("A message with attributes")),
            (_, true) => Err(unsupported("A message with a group or a deduplication id")),
            (false, false) => Ok(()),
        }
    }
}

impl ReceiveBody {
    /// The system attributes that are asked for, under either name of the field.
    pub(crate) fn names(&self) -> Vec<String> {
        [self.attribute_names.as_slice(), &self.message_system_attribute_names].concat()
    }
}

/// A received message, with those of its attributes that were asked for.
pub(crate) fn message(received: &Received, names: &[String], epoch: Duration) -> Value {
    let mut attributes = attributes(received, epoch);
    attributes.retain(|name, _| names.iter().any(|asked| asked == "All" || asked == name));
    let Received { message, receipt_handle } = received;
    let mut shape = json!({
        "MessageId": message.id,
        "ReceiptHandle": receipt_handle,
        "MD5OfBody": md5_hex(&message.body),
        "Body": message.body,
    });
    if let (Value::Object(fields), false) = (&mut shape, attributes.is_empty()) {
        fields.insert("Attributes".to_owned(), json!(attributes));
    }
    shape
}

/// The system attributes of a received message. Times are milliseconds since 1970.
pub(crate) fn attributes(received: &Received, epoch: Duration) -> BTreeMap<&'static str, String> {
    let message = &received.message;
    let millis = |at: Duration| epoch.saturating_add(at).as_millis().to_string();
    let first = message.first_received_at.map(|at| ("ApproximateFirstReceiveTimestamp", millis(at)));
    let source = message.dead_letter_source.clone().map(|arn| ("DeadLetterQueueSourceArn", arn));
    let always = [
        ("ApproximateReceiveCount", message.receive_count.to_string()),
        ("SenderId", SENDER.to_owned()),
        ("SentTimestamp", millis(message.sent_at)),
    ];
    always.into_iter().chain(first).chain(source).collect()
}

/// The MD5 digest of a message body in lower-case hex, as SQS returns it.
pub(crate) fn md5_hex(text: &str) -> String {
    Md5::digest(text).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        write!(hex, "{byte:02x}").ok();
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test vectors of RFC 1321, A.5.
    #[test]
    fn md5_digests_match_the_rfc() {
        assert_eq!(md5_hex(""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(md5_hex("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
    }
}

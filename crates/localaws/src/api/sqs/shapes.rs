//! The bodies of SQS requests, and the JSON of a received message. Unknown fields of a request are ignored.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use md5::{Digest as _, Md5};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::sqs::queues::ReceivedMessages;

/// The sender of every message: signatures are not checked.
const SENDER: &str = "AIDALOCALAWSSENDER00";

/// The system attributes that a message can have.
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
pub(crate) struct ReceiveBody {
    pub(crate) max_number_of_messages: Option<i64>,
    pub(crate) visibility_timeout: Option<i64>,
    pub(crate) wait_time_seconds: Option<i64>,
    /// The deprecated name of the field, which the SDKs still support.
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

/// An entry of a batch: its id and its fields.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct BatchEntry<T> {
    #[serde(rename = "Id")]
    pub(crate) id: Option<String>,
    #[serde(flatten)]
    pub(crate) body: T,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", bound = "T: Deserialize<'de>")]
pub(crate) struct BatchBody<T> {
    #[serde(default = "Vec::new")]
    pub(crate) entries: Vec<BatchEntry<T>>,
}

impl ReceiveBody {
    /// The requested system attributes, from either field.
    pub(crate) fn names(&self) -> Vec<String> {
        [self.attribute_names.as_slice(), &self.message_system_attribute_names].concat()
    }
}

/// The JSON of a received message with the requested attributes.
pub(crate) fn message(received: &ReceivedMessages, names: &[String], epoch: Duration) -> Value {
    let mut attributes = attributes(received, epoch);
    attributes.retain(|name, _| names.iter().any(|asked| asked == "All" || asked == name));
    let ReceivedMessages { message, receipt_handle } = received;
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
pub(crate) fn attributes(received: &ReceivedMessages, epoch: Duration) -> BTreeMap<&'static str, String> {
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

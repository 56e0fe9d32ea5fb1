//! What did Lambda hand us: one event of EventBridge, or an SQS batch of them? The shape tells.
//!
//! A message that cannot be read does not disturb the others: it is kept as what is wrong with it, and goes back alone.
//! Only where a message has no id, so that it cannot be named to Lambda, is the whole batch refused.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::arn::QueueArn;
use crate::event::{Event, read_event};
use crate::json::{EventError, TOP, from_json};

/// How the events came, which decides what the caller gets back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// One event, by EventBridge itself: a failure is an error of the invocation.
    Direct,
    /// A batch of a queue: a failure is the id of a message.
    Queue,
}

/// What SQS wants to hear of a message that it has handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// By which it is deleted or given back.
    pub handle: String,
    /// How often it has been received, this time with it.
    pub receives: u32,
    /// The function received it itself: Lambda knows nothing of it.
    pub is_own: bool,
}

/// The receipts of a batch, by the id of the message.
pub type Receipts = BTreeMap<String, Receipt>;

/// One message of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// SQS's id of the message; `None` for a direct event.
    pub id: Option<String>,
    /// Its receipt, where it has one.
    pub receipt: Option<Receipt>,
    /// The event in it, or what is wrong with it.
    pub event: Result<Event, EventError>,
}

/// All that came in one invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// How it came.
    pub delivery: Delivery,
    /// The queue, where it is known.
    pub queue: Option<QueueArn>,
    /// In the order in which they came.
    pub messages: Vec<Message>,
}

impl Batch {
    /// The ids of its messages.
    #[must_use]
    pub fn ids(&self) -> BTreeSet<String> {
        self.messages.iter().filter_map(|message| message.id.clone()).collect()
    }
}

/// The receipts of messages.
#[must_use]
pub fn receipts(messages: &[Message]) -> Receipts {
    messages.iter().filter_map(|message| Some((message.id.clone()?, message.receipt.clone()?))).collect()
}

#[derive(Deserialize)]
struct WireBatch<'a> {
    #[serde(borrow, default, rename = "Records")]
    records: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRecord {
    message_id: String,
    body: String,
    receipt_handle: Option<String>,
    #[serde(default)]
    attributes: WireAttributes,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct WireAttributes {
    approximate_receive_count: Option<String>,
}

#[derive(Deserialize)]
struct WireSource {
    #[serde(rename = "eventSourceARN")]
    arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireId {
    message_id: String,
}

/// Takes the payload of an invocation apart. An [`EventError`] means that nothing in it can be named.
pub fn take_apart(payload: &[u8], sources: &[String]) -> Result<Batch, EventError> {
    let text = std::str::from_utf8(payload).map_err(|error| EventError {
        path: format!("byte {}", error.valid_up_to()),
        problem: "not UTF-8".to_owned(),
    })?;
    let Some(records) = from_json::<WireBatch<'_>>(text)?.records else {
        let event = read_event(text, sources);
        let messages = vec![Message { id: None, receipt: None, event }];
        return Ok(Batch { delivery: Delivery::Direct, queue: None, messages });
    };
    let queue = records.first().and_then(|record| read_queue(record));
    let records = records.iter().enumerate();
    let messages = records.map(|(index, record)| read_record(index, record, sources)).collect::<Result<_, _>>()?;
    Ok(Batch { delivery: Delivery::Queue, queue, messages })
}

/// Where the queue is not told, nothing is missing but what the function could do for itself.
fn read_queue(record: &RawValue) -> Option<QueueArn> {
    QueueArn::parse(&from_json::<WireSource>(record.get()).ok()?.arn).ok()
}

fn read_record(index: usize, record: &RawValue, sources: &[String]) -> Result<Message, EventError> {
    match from_json::<WireRecord>(record.get()) {
        Ok(WireRecord { message_id, body, receipt_handle, attributes }) => {
            let event = read_event(&body, sources).map_err(|error| within(index, ".body", error));
            let receives = attributes.approximate_receive_count.and_then(|count| count.parse().ok()).unwrap_or(1);
            let receipt = receipt_handle.map(|handle| Receipt { handle, receives, is_own: false });
            Ok(Message { id: Some(message_id), receipt, event })
        }
        Err(error) => {
            let id = from_json::<WireId>(record.get()).map_err(|error| within(index, "", error))?.message_id;
            Ok(Message { id: Some(id), receipt: None, event: Err(within(index, "", error)) })
        }
    }
}

/// A message that the function received from the queue itself.
#[must_use]
pub fn received(id: String, receipt: Receipt, body: &str, sources: &[String]) -> Message {
    let event = read_event(body, sources).map_err(|error| {
        let path = if error.path == TOP { "body".to_owned() } else { format!("body: {}", error.path) };
        EventError { path, problem: error.problem }
    });
    Message { id: Some(id), receipt: Some(receipt), event }
}

fn within(index: usize, part: &str, error: EventError) -> EventError {
    let place = format!("Records[{index}]{part}");
    let path = if error.path == TOP { place } else { format!("{place}: {}", error.path) };
    EventError { path, problem: error.problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> Vec<String> {
        vec!["aws.ecs".to_owned()]
    }

    const OTHER: &str = r#"{"id":"1","source":"aws.ec2","detail-type":"x"}"#;

    #[test]
    fn the_shape_tells_a_batch_from_an_event() {
        assert_eq!(take_apart(OTHER.as_bytes(), &sources()).unwrap().delivery, Delivery::Direct);
        let batch = take_apart(br#"{"Records":[]}"#, &sources()).unwrap();
        assert_eq!((batch.delivery, batch.messages.len()), (Delivery::Queue, 0));
    }

    #[test]
    fn the_queue_and_the_receipts_are_read_where_they_are() {
        let body = serde_json::to_string(OTHER).unwrap();
        let payload = format!(
            r#"{{"Records":[{{"messageId":"a","receiptHandle":"h","attributes":{{"ApproximateReceiveCount":"3"}},"body":{body},
                "eventSourceARN":"arn:aws:sqs:eu-central-1:123456789012:notices"}},{{"messageId":"b","body":{body}}}]}}"#
        );
        let batch = take_apart(payload.as_bytes(), &sources()).unwrap();
        assert_eq!(batch.queue.unwrap().name(), "notices");
        let receipt = Receipt { handle: "h".to_owned(), receives: 3, is_own: false };
        assert_eq!((&batch.messages[0].receipt, &batch.messages[1].receipt), (&Some(receipt), &None));
    }

    #[test]
    fn one_bad_message_does_not_disturb_the_others() {
        let body = serde_json::to_string(OTHER).unwrap();
        let payload = format!(
            r#"{{"Records":[{{"messageId":"a","body":{body}}},{{"messageId":"b","body":"{{"}},{{"messageId":"c","body":7}}]}}"#
        );
        let messages = take_apart(payload.as_bytes(), &sources()).unwrap().messages;
        assert!(messages[0].event.is_ok());
        let wrong: Vec<_> = messages[1..].iter().map(|m| m.event.as_ref().unwrap_err().path.as_str()).collect();
        assert_eq!(wrong, ["Records[1].body", "Records[2]: body"]);
    }

    #[test]
    fn a_message_without_an_id_refuses_the_batch() {
        let error = take_apart(br#"{"Records":[{"body":"{}"}]}"#, &sources()).unwrap_err();
        assert_eq!(error.to_string(), "at Records[0]: missing field `messageId` at line 1 column 13");
    }

    #[test]
    fn what_is_no_event_names_the_place() {
        for (payload, expected) in [
            (&b"\xff"[..], "at byte 0: not UTF-8"),
            (b"", "at the top: EOF while parsing a value at line 1 column 0"),
            (b"{} x", "at the end: trailing characters at line 1 column 4"),
            (br#"{"Records":{}}"#, "at Records: invalid type: map, expected a sequence at line 1 column 11"),
        ] {
            let error = take_apart(payload, &sources()).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        let direct = take_apart(b"{}", &sources()).unwrap();
        let error = direct.messages[0].event.as_ref().unwrap_err();
        assert_eq!(error.to_string(), "at the top: missing field `id` at line 1 column 2");
    }
}

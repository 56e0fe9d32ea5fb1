//! Parses the payload of an invocation: an EventBridge event, or an SQS batch of them.
//!
//! Lambda's poller sends SQS records under `Records`; EventBridge Pipes sends them as a bare array. The records of an SNS
//! trigger, and an array without message ids, hold direct events: there the only answer to the caller is a failed invocation.
//!
//! A message that cannot be parsed does not affect the others: it becomes an error and returns to the queue alone. Only if a
//! message has no id, so that the answer to Lambda cannot name it, is the whole batch refused.
//! Sources: <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>,
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html>

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::arn::QueueArn;
use crate::read::envelope::{encoded_twice, read_enveloped, without_mark};
use crate::read::event::Event;
use crate::read::json::{EventError, Object, TOP, from_array, from_json};

/// How the events were delivered, which decides what the answer to the caller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// EventBridge or SNS invoked the function: a failure is an error of the invocation.
    Direct,
    /// A batch of a queue: the answer names the messages that failed.
    Queue,
}

/// What SQS needs to delete or return a message that it has delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The receipt handle.
    pub handle: String,
    /// Receive count, including this one.
    pub receives: u32,
    /// The function received the message itself, so Lambda does not know it.
    pub is_own: bool,
}

/// The receipts of a batch by message id.
pub type Receipts = BTreeMap<String, Receipt>;

/// One message of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// SQS's id of the message; `None` for a direct event.
    pub id: Option<String>,
    /// `None` for a direct event, and for a record without a receipt handle.
    pub receipt: Option<Receipt>,
    /// `None` for a direct event, and for a record without a queue ARN.
    pub queue: Option<QueueArn>,
    /// The event in it, or why it cannot be read.
    pub event: Result<Event, EventError>,
}

impl Message {
    /// Returns an error if the task is in another account or Region than the queue. All calls are made in the queue's account
    /// and Region, where such a task does not exist.
    #[must_use]
    pub fn elsewhere(&self) -> Option<EventError> {
        let (queue, change) = (self.queue.as_ref()?, self.event.as_ref().ok()?.change.as_ref()?);
        let (task, here) = ((change.arn.account(), change.arn.region()), (queue.account(), queue.region()));
        (task != here).then(|| EventError {
            path: "detail.taskArn".to_owned(),
            problem: format!(
                "the event is from account {} in {}, the queue is in account {} in {}: deploy spotdrain in the task's account \
                 and Region, and send the rule's events to the queue there",
                task.0, task.1, here.0, here.1
            ),
        })
    }
}

/// The payload of one invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub delivery: Delivery,
    /// The queue of the first record; without it the function cannot receive, delete or return messages itself.
    pub queue: Option<QueueArn>,
    /// In the order of the payload.
    pub messages: Vec<Message>,
}

impl Batch {
    #[must_use]
    pub fn ids(&self) -> BTreeSet<String> {
        self.messages.iter().filter_map(|message| message.id.clone()).collect()
    }
}

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

#[derive(Deserialize)]
struct WireSns<'a> {
    #[serde(borrow, rename = "Sns")]
    sns: Object<WireNotification<'a>>,
}

/// A record of any service.
#[derive(Deserialize)]
struct WireKind<'a> {
    #[serde(borrow, default, rename = "Sns")]
    sns: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireNotification<'a> {
    #[serde(borrow, rename = "Message")]
    message: Cow<'a, str>,
}

#[derive(Deserialize)]
struct WireService {
    #[serde(alias = "EventSource", rename = "eventSource")]
    name: String,
}

/// Parses the payload of an invocation. An [`EventError`] means that the answer cannot name any message of it.
pub fn parse_payload(payload: &[u8], sources: &[String]) -> Result<Batch, EventError> {
    let text = std::str::from_utf8(payload).map_err(|error| EventError {
        path: format!("byte {}", error.valid_up_to()),
        problem: "not UTF-8".to_owned(),
    })?;
    let text = without_mark(text);
    if text.trim_start().starts_with('[') {
        return parse_array(text, sources);
    }
    let batch = from_json::<WireBatch<'_>>(text).map_err(|error| encoded_twice(text).unwrap_or(error))?;
    match batch.records {
        None => Ok(direct([read_enveloped(text, sources)])),
        Some(records) if is_of_sns(&records) => {
            let events = records.iter().enumerate().map(|(index, record)| read_notification(index, record, sources));
            Ok(direct(events))
        }
        Some(records) => queued(&records, "Records", sources),
    }
}

/// Parses an array from EventBridge Pipes: SQS records, or the events that its input transformer makes of them.
fn parse_array(text: &str, sources: &[String]) -> Result<Batch, EventError> {
    let items = from_array(text)?;
    if items.is_empty() {
        let problem = "expected an event or a batch of records, found an empty array".to_owned();
        return Err(EventError { path: TOP.to_owned(), problem });
    }
    if items.iter().any(|item| from_json::<WireId>(item.get()).is_ok()) {
        return queued(&items, "", sources);
    }
    let read = |(index, item): (usize, &&RawValue)| {
        read_enveloped(item.get(), sources).map_err(|error| error.within(&format!("[{index}]")))
    };
    Ok(direct(items.iter().enumerate().map(read)))
}

fn direct(events: impl IntoIterator<Item = Result<Event, EventError>>) -> Batch {
    let message = |event| Message { id: None, receipt: None, queue: None, event };
    Batch { delivery: Delivery::Direct, queue: None, messages: events.into_iter().map(message).collect() }
}

fn queued(records: &[&RawValue], array: &str, sources: &[String]) -> Result<Batch, EventError> {
    let queue = records.first().and_then(|record| read_queue(record));
    let records = records.iter().enumerate();
    let read = |(index, record): (usize, &&RawValue)| read_record(&format!("{array}[{index}]"), record, sources);
    Ok(Batch { delivery: Delivery::Queue, queue, messages: records.map(read).collect::<Result<_, _>>()? })
}

fn is_of_sns(records: &[&RawValue]) -> bool {
    let has_sns = |record: &&RawValue| from_json::<WireKind<'_>>(record.get()).is_ok_and(|kind| kind.sns.is_some());
    !records.is_empty() && records.iter().all(has_sns)
}

fn read_notification(index: usize, record: &RawValue, sources: &[String]) -> Result<Event, EventError> {
    let event = from_json::<WireSns<'_>>(record.get()).and_then(|read| read_enveloped(&read.sns.message, sources));
    event.map_err(|error| error.within(&format!("Records[{index}].Sns.Message")))
}

/// `None` costs nothing but the function's own calls of SQS: Lambda still deletes and returns the messages.
fn read_queue(record: &RawValue) -> Option<QueueArn> {
    QueueArn::parse(&from_json::<WireSource>(record.get()).ok()?.arn).ok()
}

fn read_record(place: &str, record: &RawValue, sources: &[String]) -> Result<Message, EventError> {
    let queue = read_queue(record);
    match from_json::<WireRecord>(record.get()) {
        Ok(WireRecord { message_id, body, receipt_handle, attributes }) => {
            let event = read_enveloped(&body, sources).map_err(|error| error.within(&format!("{place}.body")));
            let receives = attributes.approximate_receive_count.and_then(|count| count.parse().ok()).unwrap_or(1);
            let receipt = receipt_handle.map(|handle| Receipt { handle, receives, is_own: false });
            Ok(Message { id: Some(message_id), receipt, queue, event })
        }
        Err(error) => {
            let id =
                from_json::<WireId>(record.get()).map_err(|error| not_of_sqs(record, error).within(place))?.message_id;
            Ok(Message { id: Some(id), receipt: None, queue, event: Err(error.within(place)) })
        }
    }
}

/// The error of a record without a message id. It names the service if that is not SQS.
fn not_of_sqs(record: &RawValue, error: EventError) -> EventError {
    match from_json::<WireService>(record.get()) {
        Ok(service) if service.name != "aws:sqs" => EventError {
            path: TOP.to_owned(),
            problem: format!(
                "expected an SQS record, found one of {:?}: let an SQS queue or an EventBridge rule invoke the function",
                service.name
            ),
        },
        _ => error,
    }
}

/// Parses a message that the function received from the queue itself.
#[must_use]
pub fn received(id: String, receipt: Receipt, body: &str, queue: Option<&QueueArn>, sources: &[String]) -> Message {
    let event = read_enveloped(body, sources).map_err(|error| error.within("body"));
    Message { id: Some(id), receipt: Some(receipt), queue: queue.cloned(), event }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> Vec<String> {
        vec!["aws.ecs".to_owned()]
    }

    const OTHER: &str = r#"{"id":"1","source":"aws.ec2","detail-type":"x"}"#;

    #[test]
    fn a_batch_is_recognised_by_its_shape() {
        assert_eq!(parse_payload(OTHER.as_bytes(), &sources()).unwrap().delivery, Delivery::Direct);
        let batch = parse_payload(br#"{"Records":[]}"#, &sources()).unwrap();
        assert_eq!((batch.delivery, batch.messages.len()), (Delivery::Queue, 0));
    }

    #[test]
    fn the_queue_and_the_receipts_are_read_where_they_are() {
        let body = serde_json::to_string(OTHER).unwrap();
        let payload = format!(
            r#"{{"Records":[{{"messageId":"a","receiptHandle":"h","attributes":{{"ApproximateReceiveCount":"3"}},"body":{body},
                "eventSourceARN":"arn:aws:sqs:eu-central-1:123456789012:notices"}},{{"messageId":"b","body":{body}}}]}}"#
        );
        let batch = parse_payload(payload.as_bytes(), &sources()).unwrap();
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
        let messages = parse_payload(payload.as_bytes(), &sources()).unwrap().messages;
        assert!(messages[0].event.is_ok());
        let wrong: Vec<_> = messages[1..].iter().map(|m| m.event.as_ref().unwrap_err().path.as_str()).collect();
        assert_eq!(wrong, ["Records[1].body", "Records[2]: body"]);
    }

    #[test]
    fn a_message_without_an_id_refuses_the_batch() {
        let error = parse_payload(br#"{"Records":[{"body":"{}"}]}"#, &sources()).unwrap_err();
        assert_eq!(error.to_string(), "at Records[0]: missing field `messageId` at line 1 column 13");
    }

    #[test]
    fn what_is_no_event_names_the_place() {
        for (payload, expected) in [
            (&b"\xff"[..], "at byte 0: not UTF-8"),
            (b"", "at the top: not valid JSON: EOF while parsing a value at line 1 column 0"),
            (b"{} x", "at the end: not valid JSON: trailing characters at line 1 column 4"),
            (b"[]", "at the top: expected an event or a batch of records, found an empty array"),
            (b"[{}", "at the top: not valid JSON: EOF while parsing a list at line 1 column 3"),
            (
                br#"{"Records":[{"eventSource":"aws:kinesis","kinesis":{}}]}"#,
                "at Records[0]: expected an SQS record, found one of \"aws:kinesis\": let an SQS queue or an EventBridge rule invoke the function",
            ),
            (
                br#""{\"id\":\"1\"}""#,
                "at the top: expected an object, found a JSON string that contains one: send the event unquoted (remove InputPath and InputTransformer from the rule's target)",
            ),
            (br#"{"Records":{}}"#, "at Records: invalid type: map, expected a sequence at line 1 column 11"),
        ] {
            let error = parse_payload(payload, &sources()).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
        let direct = parse_payload(b"{}", &sources()).unwrap();
        let error = direct.messages[0].event.as_ref().unwrap_err();
        assert_eq!(
            error.to_string(),
            "at the top: expected an EventBridge event, found an object without id, source, detail-type: remove InputPath and \
             InputTransformer from the rule's target"
        );
    }

    /// How a payload came, and of each message its id and the event's, or the place of its error.
    fn shape(payload: &str) -> (Delivery, Vec<(Option<String>, String)>) {
        let batch = parse_payload(payload.as_bytes(), &sources()).unwrap();
        let message = |message: Message| (message.id, message.event.map_or_else(|error| error.path, |event| event.id));
        (batch.delivery, batch.messages.into_iter().map(message).collect())
    }

    #[test]
    fn records_and_events_are_read_from_every_way_that_they_come() {
        let body = serde_json::to_string(OTHER).unwrap();
        let sns = format!(r#"{{"EventSource":"aws:sns","Sns":{{"Message":{body}}}}}"#);
        let bad_sns = r#"{"EventSource":"aws:sns","Sns":{"Message":"{"}}"#;
        let record = format!(r#"{{"messageId":"a","body":{body}}}"#);
        let bad_record = r#"{"messageId":"b","body":"{"}"#;
        let (direct, queue) = (Delivery::Direct, Delivery::Queue);
        for (payload, delivery, messages) in [
            (format!("\u{feff}{OTHER}"), direct, vec![(None, "1")]),
            (format!(r#"{{"Records":[{sns}]}}"#), direct, vec![(None, "1")]),
            (
                format!(r#"{{"Records":[{sns},{bad_sns}]}}"#),
                direct,
                vec![(None, "1"), (None, "Records[1].Sns.Message")],
            ),
            (format!("[{record},{bad_record}]"), queue, vec![(Some("a"), "1"), (Some("b"), "[1].body")]),
            (format!(" [{OTHER},{{}},7]"), direct, vec![(None, "1"), (None, "[1]"), (None, "[2]")]),
        ] {
            let messages: Vec<_> = messages.iter().map(|(id, at)| (id.map(str::to_owned), (*at).to_owned())).collect();
            assert_eq!(shape(&payload), (delivery, messages), "{payload}");
        }
    }

    #[test]
    fn an_array_with_a_record_that_has_no_id_is_refused() {
        let error = parse_payload(br#"[{"messageId":"a","body":"{}"},{"body":"{}"}]"#, &sources()).unwrap_err();
        assert_eq!(error.to_string(), "at [1]: missing field `messageId` at line 1 column 13");
    }
}

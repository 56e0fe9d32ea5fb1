//! Envelopes around an event: that of SNS is opened; others are recognised so that the error names the wrong setting.
//!
//! EventBridge delivers a bare event, so only a text that is not an event is examined here. SNS wraps the whole event, so its
//! envelope is opened. The other shapes lack a part of the event, or come from a service that expects a response which spotdrain
//! does not send. For them the error says which setting to change.
//! Sources: <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>,
//! <https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html>

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::read::event::{Event, read_event};
use crate::read::json::{EventError, TOP, from_json};

const INPUT: &str = "remove InputPath and InputTransformer from the rule's target";

/// The members by which a shape is recognised.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape<'a> {
    #[serde(borrow, default, rename = "Type")]
    sns_type: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "TopicArn")]
    topic: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "Message")]
    message: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "Records")]
    batch: Option<&'a RawValue>,
    #[serde(borrow, default)]
    task_arn: Option<&'a RawValue>,
    #[serde(borrow, default)]
    last_status: Option<&'a RawValue>,
    #[serde(borrow, default)]
    request_context: Option<&'a RawValue>,
    #[serde(borrow, default)]
    request_payload: Option<&'a RawValue>,
    #[serde(borrow, default)]
    records: Option<&'a RawValue>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    source: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "detail-type")]
    detail_type: Option<&'a RawValue>,
}

/// Reads the event in a text: the text itself, or the message of an SNS envelope. A byte order mark is skipped.
pub(crate) fn read_enveloped(text: &str, sources: &[String]) -> Result<Event, EventError> {
    let text = without_mark(text);
    let error = match read_event(text, sources) {
        Ok(event) => return Ok(event),
        Err(error) => error,
    };
    match sns_message(text) {
        Some(message) => {
            let message = without_mark(&message);
            let read = read_event(message, sources).map_err(|error| mistake(message).unwrap_or(error));
            read.map_err(|error| error.within("Message"))
        }
        None => Err(mistake(text).unwrap_or(error)),
    }
}

/// Removes a byte order mark, which some tools write although it means nothing in UTF-8.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The event in an SNS notification.
fn sns_message(text: &str) -> Option<String> {
    let shape = from_json::<Shape<'_>>(text).ok()?;
    let is_notification = shape.topic.is_some() && string(shape.sns_type)? == "Notification";
    is_notification.then(|| string(shape.message).map(Cow::into_owned)).flatten()
}

/// The error that names the setting to change, if the shape of the text shows it; `None` for a damaged event.
fn mistake(text: &str) -> Option<EventError> {
    let shape = from_json::<Shape<'_>>(text).ok();
    let problem = shape.and_then(|shape| shape.known().map(str::to_owned).or_else(|| shape.missing()));
    problem.map(at_top).or_else(|| encoded_twice(text))
}

/// The error of an object that is encoded as a JSON string.
pub(crate) fn encoded_twice(text: &str) -> Option<EventError> {
    let inner: String = serde_json::from_str(text).ok()?;
    let problem =
        format!("expected an object, found a JSON string that contains one: send the event unquoted ({INPUT})");
    from_json::<Shape<'_>>(&inner).is_ok().then(|| at_top(problem))
}

fn at_top(problem: String) -> EventError {
    EventError { path: TOP.to_owned(), problem }
}

impl Shape<'_> {
    /// Why the function received this shape and what to change.
    fn known(&self) -> Option<&'static str> {
        let has = |members: [Option<&RawValue>; 2]| members.iter().all(Option::is_some);
        if has([self.request_context, self.request_payload]) {
            Some(
                "found the record of a Lambda destination, whose requestPayload holds what failed or succeeded elsewhere: \
                 send the rule's events to spotdrain's queue or function, and no function's OnSuccess or OnFailure",
            )
        } else if self.topic.is_some() && string(self.sns_type).is_some_and(|kind| kind != "Notification") {
            Some(
                "found an SNS message that is not a notification: confirm the subscription with its SubscribeURL, and \
                 delete this message",
            )
        } else if self.has_no_event_member() && has([self.task_arn, self.last_status]) {
            Some(
                "found only the event's detail, without id, account, region and time: remove InputPath and \
                 InputTransformer from the rule's target",
            )
        } else if self.records.is_some() && self.has_no_event_member() {
            Some(
                "found the records of a Firehose transformation: spotdrain does not transform records; send the rule's \
                 events to spotdrain's queue or function, not to a Firehose stream",
            )
        } else if self.batch.is_some() && self.has_no_event_member() {
            Some("found a batch of records inside a message: send each event as a message of its own")
        } else {
            None
        }
    }

    /// Which members of an event are missing in an object of unknown shape.
    fn missing(&self) -> Option<String> {
        let members = [("id", self.id), ("source", self.source), ("detail-type", self.detail_type)];
        let missing: Vec<_> = members.iter().filter(|(_, found)| found.is_none()).map(|(name, _)| *name).collect();
        let what = "expected an EventBridge event, found an object without";
        (!missing.is_empty()).then(|| format!("{what} {}: {INPUT}", missing.join(", ")))
    }

    fn has_no_event_member(&self) -> bool {
        self.id.is_none() && self.source.is_none() && self.detail_type.is_none()
    }
}

fn string(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"id":"1","source":"aws.ec2","detail-type":"x"}"#;

    fn sns(message: &str) -> String {
        serde_json::json!({"Type": "Notification", "TopicArn": "arn:aws:sns:eu-central-1:123456789012:t", "Message": message})
            .to_string()
    }

    fn read(text: &str) -> Result<String, String> {
        let read = read_enveloped(text, &["aws.ecs".to_owned()]);
        read.map(|event| event.id).map_err(|error| error.to_string())
    }

    #[test]
    fn an_event_is_read_from_its_envelope() {
        let marked = format!("\u{feff}{EVENT}");
        for text in [EVENT.to_owned(), marked.clone(), sns(EVENT), sns(&marked), format!("\u{feff}{}", sns(EVENT))] {
            assert_eq!(read(&text), Ok("1".to_owned()), "{text}");
        }
    }

    #[test]
    fn the_error_of_a_known_shape_names_the_setting() {
        let detail = r#"{"taskArn":"t","lastStatus":"RUNNING","id":null}"#;
        for (text, named) in [
            (detail, "remove InputPath"),
            (&sns(detail), "at Message: found only the event's detail"),
            (&sns("{"), "at Message: not valid JSON"),
            (
                &sns(&sns(EVENT)),
                "at Message: expected an EventBridge event, found an object without id, source, detail-type",
            ),
            (r#"{"version":"1.0","requestContext":{},"requestPayload":{}}"#, "no function's OnSuccess or OnFailure"),
            (r#"{"invocationId":"i","records":[{"recordId":"r","data":"e30="}]}"#, "not to a Firehose stream"),
            (r#"{"Type":"SubscriptionConfirmation","TopicArn":"t","Message":"m"}"#, "confirm the subscription"),
            (r#"{"Records":[]}"#, "a message of its own"),
            (&serde_json::to_string(EVENT).unwrap(), "found a JSON string that contains one: send the event unquoted"),
            (r#"{"id":"1","detail":{}}"#, "found an object without source, detail-type: remove InputPath"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
        }
    }

    #[test]
    fn a_damaged_event_keeps_its_own_error() {
        for (text, error) in [
            ("", "at the top: not valid JSON: EOF while parsing a value at line 1 column 0"),
            (r#""text""#, r#"at the top: invalid type: string "text", expected an object at line 1 column 6"#),
            (
                r#"{"id":1,"source":"s","detail-type":"d"}"#,
                "at id: invalid type: integer `1`, expected a string at line 1 column 7",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), error);
        }
    }
}

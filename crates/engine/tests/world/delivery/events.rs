//! The text of an event: the sample in `events/`, complete, with the world's values.

use std::rc::Rc;
use std::sync::LazyLock;

use serde_json::Value;
use spotdrain_core::model::arn::QueueArn;
use spotdrain_core::read::batch::Receipt;

use crate::world::delivery::queue::Message;
use crate::world::time::{Ms, timestamp};

/// The values of an event.
#[derive(Debug, Clone)]
pub struct Values<'a> {
    pub id: u64,
    pub at: Ms,
    pub stopping_at: Option<Ms>,
    pub task: &'a str,
    pub cluster: &'a str,
    pub group: &'a str,
    pub address: &'a str,
    pub interface: &'a str,
    pub last_status: &'a str,
    pub desired_status: &'a str,
    pub stop_code: Option<&'a str>,
    pub reason: &'a str,
    pub version: u64,
}

/// The sample's text without its spaces, split at the places of the world's values. Every second part names a value.
static SAMPLE: LazyLock<Vec<String>> = LazyLock::new(|| {
    let text = include_str!("../../../../../events/spot-interruption.json");
    let mut event: Value = serde_json::from_str(text).unwrap();
    let marks = [
        ("/id", "id"),
        ("/time", "at"),
        ("/resources/0", "task"),
        ("/detail/attachments/0/status", "interface"),
        ("/detail/attachments/0/details/4/value", "address"),
        ("/detail/clusterArn", "cluster"),
        ("/detail/containers/0/taskArn", "task"),
        ("/detail/containers/0/networkInterfaces/0/privateIpv4Address", "address"),
        ("/detail/desiredStatus", "desired"),
        ("/detail/group", "group"),
        ("/detail/lastStatus", "last"),
        ("/detail/stopCode", "code"),
        ("/detail/stoppedReason", "reason"),
        ("/detail/stoppingAt", "stopping"),
        ("/detail/taskArn", "task"),
        ("/detail/version", "version"),
    ];
    for (pointer, mark) in marks {
        *event.pointer_mut(pointer).unwrap() = Value::from(format!("\u{1}{mark}\u{1}"));
    }
    let text = event.to_string().replace("\\u0001", "\u{1}");
    // A value that may be null or a number brings its own quotes.
    let text = ["code", "stopping", "version"]
        .iter()
        .fold(text, |text, mark| text.replace(&format!("\"\u{1}{mark}\u{1}\""), &format!("\u{1}{mark}\u{1}")));
    text.split('\u{1}').map(str::to_owned).collect()
});

/// Returns the event as EventBridge sends it, written as a JSON string: the body of its message in Lambda's payload.
pub fn body(values: &Values<'_>) -> Rc<str> {
    let mut text = String::with_capacity(3000);
    for (index, part) in SAMPLE.iter().enumerate() {
        if index % 2 == 0 {
            text.push_str(part);
        } else {
            fill(&mut text, part, values);
        }
    }
    serde_json::to_string(&text).unwrap().into()
}

fn fill(text: &mut String, mark: &str, values: &Values<'_>) {
    let quoted = |value: &str| format!("\"{value}\"");
    let null = || "null".to_owned();
    let value = match mark {
        "id" => format!("8f07966c-b005-4a0f-9ee9-{:012x}", values.id),
        "at" => jiff::Timestamp::from_second(timestamp(values.at).as_second()).unwrap().to_string(),
        "task" => values.task.to_owned(),
        "interface" => values.interface.to_owned(),
        "address" => values.address.to_owned(),
        "cluster" => values.cluster.to_owned(),
        "desired" => values.desired_status.to_owned(),
        "group" => values.group.to_owned(),
        "last" => values.last_status.to_owned(),
        "code" => values.stop_code.map_or_else(null, quoted),
        "reason" => values.reason.to_owned(),
        "stopping" => values.stopping_at.map_or_else(null, |at| quoted(&timestamp(at).to_string())),
        "version" => values.version.to_string(),
        other => unreachable!("no value for {other}"),
    };
    text.push_str(&value);
}

/// Returns the payload in which Lambda delivers these messages of a queue.
pub fn payload<'a>(queue: &QueueArn, messages: impl Iterator<Item = &'a Message>) -> String {
    let records: Vec<_> = messages.map(|message| record(queue, message)).collect();
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

fn record(queue: &QueueArn, message: &Message) -> String {
    let Message { id, body, .. } = message;
    let Receipt { handle, receives, .. } = message.receipt(false);
    format!(
        r#"{{"messageId":"{id}","receiptHandle":"{handle}","body":{body},"attributes":{{"ApproximateReceiveCount":"{receives}"}},"eventSource":"aws:sqs","eventSourceARN":"{}"}}"#,
        queue.as_str()
    )
}

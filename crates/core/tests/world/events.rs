//! The text of an event, from the sample in `events/`: nothing of it is left out, only the values are the world's.

use std::fmt::Write;
use std::rc::Rc;
use std::sync::LazyLock;

use serde_json::Value;

use super::time::{Ms, timestamp};

/// What an event says of a task.
#[derive(Debug, Clone)]
pub struct Told<'a> {
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

/// The sample's text without its spaces, with a mark where a value is the world's.
static SAMPLE: LazyLock<Vec<String>> = LazyLock::new(|| {
    let text = include_str!("../../../../events/spot-interruption.json");
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
    // What may be absent or is a number brings its own quotes.
    let text = ["code", "stopping", "version"]
        .iter()
        .fold(text, |text, mark| text.replace(&format!("\"\u{1}{mark}\u{1}\""), &format!("\u{1}{mark}\u{1}")));
    text.split('\u{1}').map(str::to_owned).collect()
});

/// The event as EventBridge would send it, as the JSON string that is the body of its message in SQS's payload.
pub fn body(told: &Told<'_>) -> Rc<str> {
    let mut text = String::with_capacity(3000);
    for (index, part) in SAMPLE.iter().enumerate() {
        if index % 2 == 0 {
            text.push_str(part);
        } else {
            fill(&mut text, part, told);
        }
    }
    serde_json::to_string(&text).unwrap().into()
}

fn fill(text: &mut String, mark: &str, told: &Told<'_>) {
    let quoted = |value: &str| format!("\"{value}\"");
    let null = || "null".to_owned();
    let value = match mark {
        "id" => format!("8f07966c-b005-4a0f-9ee9-{:012x}", told.id),
        "at" => jiff::Timestamp::from_second(timestamp(told.at).as_second()).unwrap().to_string(),
        "task" => told.task.to_owned(),
        "interface" => told.interface.to_owned(),
        "address" => told.address.to_owned(),
        "cluster" => told.cluster.to_owned(),
        "desired" => told.desired_status.to_owned(),
        "group" => told.group.to_owned(),
        "last" => told.last_status.to_owned(),
        "code" => told.stop_code.map_or_else(null, quoted),
        "reason" => told.reason.to_owned(),
        "stopping" => told.stopping_at.map_or_else(null, |at| quoted(&timestamp(at).to_string())),
        "version" => told.version.to_string(),
        other => unreachable!("no value for {other}"),
    };
    text.push_str(&value);
}

/// SQS's payload of these messages: id, receives and body.
pub fn batch<'a>(messages: impl Iterator<Item = (u64, u32, &'a str)>) -> String {
    let mut payload = String::from(r#"{"Records":["#);
    for (index, (id, receives, body)) in messages.enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(payload, r#"{comma}{{"messageId":"{id}","receiptHandle":"AQEB","body":"#).unwrap();
        payload.push_str(body);
        let attributes = format!(r#"{{"ApproximateReceiveCount":"{receives}"}}"#);
        write!(payload, r#","attributes":{attributes},"eventSource":"aws:sqs"}}"#).unwrap();
    }
    payload.push_str("]}");
    payload
}

//! A local AWS, the function on it, and the events to send: what every test begins with.

pub mod function;
pub mod queue;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use spotdrain_core::report::Report;
use spotdrain_core::settings::Settings;
use spotdrain_engine::Deadline;
use spotdrain_function::{Aws, Function, function as new_function};
use spotdrain_localaws::{Call, LocalAws, State, World};

pub const SAMPLE: &str = include_str!("../../../../../events/spot-interruption.json");
pub const CLUSTER: &str = "demo";
pub const PREFIX: &str = "arn:aws:ecs:eu-central-1:123456789012";

/// The id of a task by its number, as long as ECS's.
pub fn id(number: u32) -> String {
    format!("{number:032x}")
}

/// A notice of the task of this number in `service`, with this address, that came just now.
pub fn notice(number: u32, service: &str, address: &str) -> Value {
    let now = Timestamp::from_millisecond(Timestamp::now().as_millisecond()).unwrap();
    let mut event: Value = serde_json::from_str(SAMPLE).unwrap();
    let arn = format!("{PREFIX}:task/{CLUSTER}/{}", id(number));
    event["id"] = format!("event-{number}").into();
    event["resources"] = json!([arn]);
    let detail = &mut event["detail"];
    detail["taskArn"] = arn.into();
    detail["group"] = format!("service:{service}").into();
    detail["attachments"][0]["details"][4]["value"] = address.into();
    detail["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] = address.into();
    dated(event, now)
}

/// The same event as of this moment.
pub fn dated(mut event: Value, at: Timestamp) -> Value {
    event["time"] = Timestamp::from_second(at.as_second()).unwrap().to_string().into();
    event["detail"]["stoppingAt"] = at.to_string().into();
    event
}

pub fn aged(event: Value, seconds: i64) -> Value {
    dated(event, Timestamp::now() - SignedDuration::from_secs(seconds))
}

/// An SQS batch; the messages are called `m0`, `m1` and so on.
pub fn batch(bodies: &[String]) -> Value {
    let record = |(index, body): (usize, &String)| json!({"messageId": format!("m{index}"), "receiptHandle": "r", "body": body, "eventSource": "aws:sqs"});
    json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()})
}

pub fn settings(pairs: &[(&str, &str)]) -> Settings {
    Settings::read(pairs.iter().copied()).unwrap()
}

pub async fn start(world: World) -> LocalAws {
    LocalAws::start(world).await.unwrap()
}

/// The function in this process.
pub fn drainer(local: &LocalAws, pairs: &[(&str, &str)]) -> Function {
    new_function(Aws::local(&local.endpoint(), "eu-central-1").unwrap(), settings(pairs))
}

pub async fn handle(drainer: &Function, event: &Value) -> Report {
    handle_within(drainer, event, Duration::from_secs(20)).await
}

pub async fn handle_within(drainer: &Function, event: &Value, time: Duration) -> Report {
    drainer.handle(event.to_string().as_bytes(), Deadline::after(Timestamp::now(), time)).await.unwrap().report
}

/// The outcome of every registration, as `group address:port outcome`.
pub fn outcome_lines(report: &Report) -> Vec<String> {
    let rows = report.notices.iter().flat_map(|notice| &notice.registrations);
    rows.map(|row| {
        let port = row.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{} {}{port} {}", row.target_group.name(), row.target, row.outcome.as_str())
    })
    .collect()
}

/// Every target of a group, as `id:port state`.
pub fn targets(local: &LocalAws, group: &str) -> Vec<String> {
    let now = local.now();
    let targets = local.world().targets(group, now);
    targets.iter().map(|target| format!("{}:{} {}", target.id, target.port, target.state())).collect()
}

pub fn is(local: &LocalAws, group: &str, target: (&str, u16), state: State) -> bool {
    let now = local.now();
    local.world().state(group, target, now) == Some(state)
}

/// The names of the calls that were made.
pub fn actions(local: &LocalAws) -> Vec<String> {
    local.calls().into_iter().map(|call: Call| call.action).collect()
}

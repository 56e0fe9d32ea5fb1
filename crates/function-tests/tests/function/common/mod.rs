//! Fixtures: a local AWS, the function on it, and events.

pub mod process;
pub mod queue;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use spotdrain_core::report::Report;
use spotdrain_core::settings::Settings;
use spotdrain_engine::Deadline;
use spotdrain_function::{Aws, Function, function as new_function};
use spotdrain_localaws::{Call, Group, LoadBalancer, LocalAws, Service, State, Task, World};

pub const SAMPLE: &str = include_str!("../../../../../events/spot-interruption.json");
pub const CLUSTER: &str = "demo";
pub const PREFIX: &str = "arn:aws:ecs:eu-central-1:123456789012";

/// The id of the task with this number, with the length of ECS's ids.
pub fn id(number: u32) -> String {
    format!("{number:032x}")
}

/// A notice for the task with this number in `service`, with this address and the current time.
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

/// The event, with another time.
pub fn dated(mut event: Value, at: Timestamp) -> Value {
    event["time"] = Timestamp::from_second(at.as_second()).unwrap().to_string().into();
    event["detail"]["stoppingAt"] = at.to_string().into();
    event
}

pub fn aged(event: Value, seconds: i64) -> Value {
    dated(event, Timestamp::now() - SignedDuration::from_secs(seconds))
}

/// An SQS batch; the message ids are `m0`, `m1` and so on.
pub fn batch(bodies: &[String]) -> Value {
    let record = |(index, body): (usize, &String)| json!({"messageId": format!("m{index}"), "receiptHandle": "r", "body": body, "eventSource": "aws:sqs"});
    json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()})
}

/// A service `web` on port 80 with three healthy targets; task 1 has the address 10.0.0.1.
pub fn world() -> (World, String) {
    let mut world = World::new();
    world.add_cluster("demo");
    let group = Group::new("web", 80).deregistration_delay(Duration::from_mins(1));
    let group = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].iter().fold(group, |group, ip| group.target(*ip, State::Healthy));
    let group = world.add_group(group);
    world.add_service(Service::new("demo", "web").load_balancer(LoadBalancer::new(&group, "web", 80)));
    world.add_task(Task::new("demo", &id(1)).service("web").address("10.0.0.1"));
    (world, group)
}

/// Adds a group with two healthy targets, of which 10.0.0.1 is the task's.
pub fn two_targets(world: &mut World, name: &str) -> String {
    world.add_group(Group::new(name, 80).target("10.0.0.1", State::Healthy).target("10.0.0.2", State::Healthy))
}

pub fn settings(pairs: &[(&str, &str)]) -> Settings {
    Settings::read(pairs.iter().copied()).unwrap()
}

pub async fn start(world: World) -> LocalAws {
    LocalAws::start(world).await.unwrap()
}

/// The function in this process.
pub fn function_on(local: &LocalAws, pairs: &[(&str, &str)]) -> Function {
    new_function(Aws::local(&local.endpoint(), "eu-central-1").unwrap(), settings(pairs))
}

pub async fn handle(function: &Function, event: &Value) -> Report {
    handle_within(function, event, Duration::from_secs(20)).await
}

pub async fn handle_within(function: &Function, event: &Value, time: Duration) -> Report {
    function.handle(event.to_string().as_bytes(), Deadline::after(Timestamp::now(), time)).await.unwrap().report
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

/// The targets of a group, as `id:port state`.
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

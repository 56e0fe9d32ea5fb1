//! The function as Lambda runs it: a process under a Runtime API, against the local AWS.
use std::process::Command;

use crate::common::process::{FUNCTION, Function};
use crate::common::{SAMPLE, batch, notice, targets};
use serde_json::{Value, json};
use spotdrain_localaws::{Action, Fault, Scene, World};

/// The notice of the scene's first Spot task, with the current time.
fn spot() -> Value {
    crate::common::dated(serde_json::from_str(SAMPLE).unwrap(), jiff::Timestamp::now())
}

#[tokio::test]
async fn the_log_never_holds_an_events_overrides() {
    let function = Function::start(Scene::demo().world, &[("RUST_LOG", "trace")]).await;
    let mut event = spot();
    let secret = json!([{"name": "logstash", "environment": [{"name": "TOKEN", "value": "s3cret"}]}]);
    event["detail"]["overrides"] = json!({ "containerOverrides": secret });
    assert_eq!(function.invoke(&event).await, Ok(json!({"verdict": "done"})));
    let log: String = function.log().iter().map(Value::to_string).collect();
    assert!(log.contains("\"message\":\"notice\"") && !log.contains("s3cret"), "{log}");
}

#[tokio::test]
async fn a_direct_event_deregisters_exactly_its_target() {
    let scene = Scene::demo();
    let function = Function::start(scene.world, &[]).await;
    assert_eq!(function.invoke(&spot()).await, Ok(json!({"verdict": "done"})));
    assert_eq!(
        targets(&function.local, &scene.group),
        ["10.0.1.11:5044 healthy", "10.0.1.12:5044 healthy", "10.0.2.21:5044 draining", "10.0.2.22:5044 healthy"]
    );
    let log = function.log();
    let record = log.iter().find(|line| line["message"] == "notice").unwrap();
    for field in ["stop_code", "stopped_reason", "last_status", "desired_status", "version"] {
        assert!(!record["record"][field].is_null(), "{field} is in the record: {record}");
    }
    assert_eq!(record["record"]["registrations"][0]["outcome"], "Deregistered");
    let metrics = log.iter().find(|line| line.get("_aws").is_some()).unwrap();
    assert_eq!((&metrics["Deregistered"], &metrics["Cluster"]), (&json!(1), &json!("demo")));
}

#[tokio::test]
async fn only_the_failed_message_of_a_batch_is_returned() {
    let scene = Scene::demo();
    let function = Function::start(scene.world, &[]).await;
    let scale_in = include_str!("../../../../events/scale-in.json").to_owned();
    let bodies = [spot().to_string(), "{\"detail\"".to_owned(), scale_in];
    let answer = function.invoke(&batch(&bodies)).await.unwrap();
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "m1"}]}));
    assert!(targets(&function.local, &scene.group).contains(&"10.0.2.21:5044 draining".to_owned()));
    let log = function.log();
    assert!(log.iter().any(|line| line["message_id"] == "m1" && line["level"] == "ERROR"));
    assert!(log.iter().any(|line| line["Reason"] == "NotSpot" && line["Ignored"] == 1));
}

/// A batch with events from another account and from another Region than the queue's.
#[tokio::test]
async fn a_notice_from_another_account_or_region_is_returned_and_the_log_names_both() {
    let scene = Scene::demo();
    let function = Function::start(scene.world, &[]).await;
    let elsewhere = |from: &str, to: &str| spot().to_string().replace(from, to);
    let bodies =
        [elsewhere("eu-central-1", "eu-west-1"), spot().to_string(), elsewhere("123456789012", "999988887777")];
    let mut batch = batch(&bodies);
    for record in batch["Records"].as_array_mut().unwrap() {
        record["eventSourceARN"] = "arn:aws:sqs:eu-central-1:123456789012:notices".into();
        record["awsRegion"] = "eu-central-1".into();
    }
    let answer = function.invoke(&batch).await.unwrap();
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m2"}]}));
    assert!(targets(&function.local, &scene.group).contains(&"10.0.2.21:5044 draining".to_owned()));
    let log = function.log();
    let problem = |id: &str| log.iter().find(|line| line["message_id"] == id).unwrap()["problem"].to_string();
    let ours = "the queue is in account 123456789012 in eu-central-1";
    for (id, theirs) in [("m0", "account 123456789012 in eu-west-1"), ("m2", "account 999988887777 in eu-central-1")] {
        let problem = problem(id);
        assert!(problem.contains(ours) && problem.contains(theirs), "{problem}");
    }
}

#[tokio::test]
async fn in_observe_mode_every_notice_is_a_warning() {
    let function = Function::start(Scene::demo().world, &[("SPOTDRAIN_MODE", "observe")]).await;
    assert_eq!(function.invoke(&spot()).await, Ok(json!({"verdict": "done"})));
    let log = function.log();
    let warning = log.iter().find(|line| line["message"] == "notice, observed only: nothing was changed").unwrap();
    assert_eq!(warning["level"], "WARN");
    assert_eq!(warning["record"]["registrations"][0]["outcome"], "WouldDeregister");
}

#[test]
fn started_outside_lambda_it_prints_what_to_do() {
    let output = Command::new(FUNCTION).env_clear().output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(64), 0));
    assert!(text.contains("AWS_LAMBDA_RUNTIME_API") && text.contains("spotdrain demo"), "{text}");
}

#[tokio::test]
async fn an_empty_batch_is_answered() {
    let function = Function::start(Scene::demo().world, &[]).await;
    assert_eq!(function.invoke(&json!({"Records": []})).await, Ok(json!({"batchItemFailures": []})));
}

#[tokio::test]
async fn a_failed_direct_event_is_an_error_that_names_the_missing_permission() {
    let mut scene = Scene::demo();
    scene.world.add_fault(Fault::AccessDenied.on(Action::DeregisterTargets));
    let function = Function::start(scene.world, &[]).await;
    let (kind, text) = function.invoke(&spot()).await.unwrap_err();
    assert_eq!(kind, "Spotdrain.Failed");
    assert!(text.contains("not authorized to perform: elasticloadbalancing:DeregisterTargets"), "{text}");
}

#[tokio::test]
async fn an_invalid_event_is_an_error_and_the_next_invocation_works() {
    let function = Function::start(Scene::demo().world, &[]).await;
    for payload in [json!({}), json!([]), json!("text"), json!(7), Value::Null] {
        let (kind, text) = function.invoke(&payload).await.unwrap_err();
        assert!(kind == "Spotdrain.Malformed" && text.starts_with("at the top: "), "{payload}: {kind}: {text}");
    }
    assert_eq!(function.invoke(&spot()).await, Ok(json!({"verdict": "done"})));
}

#[tokio::test]
async fn a_batch_as_large_as_lambda_allows_is_done() {
    let mut world = World::new();
    world.add_cluster("demo");
    let name = "web";
    let mut group = spotdrain_localaws::Group::new(name, 80).target("10.200.0.1", spotdrain_localaws::State::Healthy);
    let addresses: Vec<_> = (0..2200).map(|n| format!("10.0.{}.{}", n / 200, n % 200)).collect();
    for address in &addresses[..1000] {
        group = group.target(address.as_str(), spotdrain_localaws::State::Healthy);
    }
    let group = world.add_group(group);
    world.add_service(
        spotdrain_localaws::Service::new("demo", name)
            .load_balancer(spotdrain_localaws::LoadBalancer::new(&group, "web", 80)),
    );
    let function = Function::start(world, &[]).await;
    let bodies: Vec<_> =
        (0..).zip(&addresses).map(|(number, address)| notice(number, name, address).to_string()).collect();
    let payload = batch(&bodies);
    let bytes = payload.to_string().len();
    assert!(bytes > 5_500_000, "near Lambda's 6 MB: {bytes}");
    assert_eq!(function.invoke(&payload).await, Ok(json!({"batchItemFailures": []})));
    let targets = targets(&function.local, &group);
    assert_eq!(targets.iter().filter(|target| target.ends_with(" draining")).count(), 1000);
}

#[test]
fn invalid_settings_prevent_the_start() {
    let mut command = Command::new(FUNCTION);
    command.env_clear().env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9").env("AWS_REGION", "eu-central-1");
    let output = command.env("SPOTDRAIN_MODE", "on").env("SPOTDRAIN_COLOUR", "red").output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    let log = String::from_utf8(output.stdout).unwrap();
    assert!(log.contains("SPOTDRAIN_MODE: expected enforce or observe") && log.contains("SPOTDRAIN_COLOUR"), "{log}");
}

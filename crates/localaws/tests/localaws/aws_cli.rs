//! The answers that the `aws` command receives, down to the fields of its JSON.

use std::time::Duration;

use crate::common::cli::Cli;
use serde_json::{Value, json};
use spotdrain_localaws::{LocalAws, Queue, Scene, World};

fn health(aws: &LocalAws, cli: &Cli, group: &str, target: &str) -> Value {
    let arguments = ["elbv2", "describe-target-health", "--target-group-arn", group, "--targets", target];
    cli.run(&aws.endpoint(), &arguments).json
}

fn described(port: u16, zone: Option<&str>, health: &Value) -> Value {
    let mut target = json!({"Id": "10.0.2.21", "Port": port});
    if let Some(zone) = zone {
        target["AvailabilityZone"] = zone.into();
    }
    let one = json!({"Target": target, "HealthCheckPort": port.to_string(), "TargetHealth": health});
    json!({ "TargetHealthDescriptions": [one] })
}

#[test]
fn deregisters_a_target_and_sees_it_drain() {
    let Some(cli) = Cli::find() else { return };
    let scene = Scene::demo();
    let aws = LocalAws::spawn_thread(scene.world.clone()).unwrap();
    let (target, zone) = ("Id=10.0.2.21,Port=5044", Some("eu-central-1b"));
    let healthy = described(5044, zone, &json!({"State": "healthy"}));
    assert_eq!(health(&aws, &cli, &scene.group, target), healthy);
    let not_registered = json!({
        "State": "unused",
        "Reason": "Target.NotRegistered",
        "Description": "Target is not registered to the target group",
    });
    assert_eq!(health(&aws, &cli, &scene.group, "Id=10.0.2.21,Port=1"), described(1, None, &not_registered));

    let deregister = ["elbv2", "deregister-targets", "--target-group-arn", &scene.group, "--targets", target];
    assert_eq!(cli.run(&aws.endpoint(), &deregister).error, "");
    let draining = json!({
        "State": "draining",
        "Reason": "Target.DeregistrationInProgress",
        "Description": "Target deregistration is in progress",
    });
    assert_eq!(health(&aws, &cli, &scene.group, target), described(5044, zone, &draining));
}

#[test]
fn prints_the_apis_errors() {
    let Some(cli) = Cli::find() else { return };
    let scene = Scene::demo();
    let aws = LocalAws::spawn_thread(scene.world).unwrap();
    let nobody = scene.group.replace("demo", "nobody");
    let table = [
        (
            vec!["elbv2", "describe-target-health", "--target-group-arn", &nobody],
            "(TargetGroupNotFound) when calling the DescribeTargetHealth operation: One or more target groups not found",
        ),
        (
            vec!["elbv2", "deregister-targets", "--target-group-arn", &scene.group, "--targets", "Id=fd00::1"],
            "(InvalidTarget) when calling the DeregisterTargets operation",
        ),
        (vec!["elbv2", "describe-rules"], "(InvalidAction) when calling the DescribeRules operation"),
        (
            vec!["ecs", "describe-services", "--cluster", "nobody", "--services", "a"],
            "(ClusterNotFoundException) when calling the DescribeServices operation: Cluster not found.",
        ),
        (
            vec!["ecs", "list-attributes", "--target-type", "container-instance"],
            "(UnknownOperationException) when calling the ListAttributes operation",
        ),
    ];
    for (arguments, text) in table {
        let error = cli.run(&aws.endpoint(), &arguments).error;
        assert!(error.contains(text), "{error}");
    }
}

#[test]
fn describes_services() {
    let Some(cli) = Cli::find() else { return };
    let scene = Scene::demo();
    let aws = LocalAws::spawn_thread(scene.world).unwrap();
    let arguments = ["ecs", "describe-services", "--cluster", "demo", "--services", "logstash", "nobody"];
    let expected = json!({
        "services": [{
            "serviceArn": scene.service,
            "serviceName": "logstash",
            "clusterArn": scene.cluster,
            "status": "ACTIVE",
            "desiredCount": 4,
            "runningCount": 4,
            "taskDefinition": "arn:aws:ecs:eu-central-1:123456789012:task-definition/logstash:1",
            "deploymentController": {"type": "ECS"},
            "capacityProviderStrategy": [
                {"capacityProvider": "FARGATE", "weight": 1, "base": 2},
                {"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0},
            ],
            "loadBalancers": [{"targetGroupArn": scene.group, "containerName": "logstash", "containerPort": 5044}],
        }],
        "failures": [{"arn": scene.service.replace("logstash", "nobody"), "reason": "MISSING"}],
    });
    assert_eq!(cli.run(&aws.endpoint(), &arguments).json, expected);
}

#[test]
fn describes_an_interrupted_task() {
    let Some(cli) = Cli::find() else { return };
    let scene = Scene::demo();
    let aws = LocalAws::spawn_thread(scene.world).unwrap();
    let [spot, _] = &scene.spot;
    let now = aws.now();
    aws.world().interrupt(spot, now).unwrap();
    let answer = cli.run(&aws.endpoint(), &["ecs", "describe-tasks", "--cluster", "demo", "--tasks", spot]).json;
    assert_eq!(answer["failures"], json!([]));
    let task = &answer["tasks"][0];
    let expected = [
        ("taskArn", json!(spot)),
        ("clusterArn", json!(scene.cluster)),
        ("group", json!("service:logstash")),
        ("lastStatus", json!("RUNNING")),
        ("desiredStatus", json!("STOPPED")),
        ("stopCode", json!("SpotInterruption")),
        ("stoppedReason", json!("Your Spot Task was interrupted.")),
        ("capacityProviderName", json!("FARGATE_SPOT")),
        ("availabilityZone", json!("eu-central-1b")),
        ("version", json!(4)),
    ];
    for (field, value) in expected {
        assert_eq!(task[field], value, "{field}");
    }
    // Version 1 of the command prints the number, version 2 a date.
    assert!(!task["stoppingAt"].is_null(), "{task}");
    let address = json!({"name": "privateIPv4Address", "value": "10.0.2.21"});
    assert!(task["attachments"][0]["details"].as_array().unwrap().contains(&address));
    assert_eq!(task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"], json!("10.0.2.21"));
}

#[test]
fn a_message_goes_through_a_queue() {
    let Some(cli) = Cli::find() else { return };
    let aws = LocalAws::spawn_thread(World::new()).unwrap();
    let sqs = |arguments: &[&str]| cli.run(&aws.endpoint(), &[&["sqs"], arguments].concat());
    let url = aws.queue_url("notices");
    let of = ["--queue-url", url.as_str()];
    aws.world().add_queue(Queue::new("notices").visibility_timeout(Duration::from_secs(7)));
    assert_eq!(sqs(&["get-queue-url", "--queue-name", "notices"]).json, json!({ "QueueUrl": url }));

    let id = aws.world().send("notices", "hello", aws.now()).unwrap();
    let attributes = sqs(&[&["get-queue-attributes", "--attribute-names", "All"], &of[..]].concat()).json;
    assert_eq!(attributes["Attributes"]["ApproximateNumberOfMessages"], json!("1"));
    assert_eq!(attributes["Attributes"]["QueueArn"], json!("arn:aws:sqs:eu-central-1:123456789012:notices"));
    assert_eq!(attributes["Attributes"]["VisibilityTimeout"], json!("7"));

    let receive = ["receive-message", "--wait-time-seconds", "20", "--attribute-names", "All"];
    let received = sqs(&[&receive, &of[..]].concat()).json;
    let message = &received["Messages"][0];
    assert_eq!((&message["Body"], &message["MessageId"]), (&json!("hello"), &json!(id)));
    assert_eq!(message["Attributes"]["ApproximateReceiveCount"], json!("1"));
    let entries = format!("Id=1,ReceiptHandle={}", message["ReceiptHandle"].as_str().unwrap());
    let deleted = sqs(&[&["delete-message-batch", "--entries", entries.as_str()], &of[..]].concat());
    assert_eq!(deleted.json["Successful"], json!([{"Id": "1"}]), "{deleted:?}");
    assert!(aws.world().messages("notices", aws.now()).is_empty());
}

#[test]
fn prints_sqs_errors_by_their_old_names() {
    let Some(cli) = Cli::find() else { return };
    let aws = LocalAws::spawn_thread(World::new()).unwrap();
    aws.world().add_queue(Queue::new("notices"));
    let (notices, nobody) = (aws.queue_url("notices"), aws.queue_url("nobody"));
    let delete = ["sqs", "delete-message-batch", "--entries", "Id=a b,ReceiptHandle=x", "--queue-url"];
    let table = [
        (
            vec!["sqs", "receive-message", "--queue-url", &nobody],
            "(AWS.SimpleQueueService.NonExistentQueue) when calling the ReceiveMessage operation",
        ),
        (
            [&delete[..], &[&notices]].concat(),
            "(AWS.SimpleQueueService.InvalidBatchEntryId) when calling the DeleteMessageBatch operation",
        ),
        (vec!["sqs", "list-queues"], "(UnknownOperationException) when calling the ListQueues operation"),
    ];
    for (arguments, text) in table {
        let error = cli.run(&aws.endpoint(), &arguments).error;
        assert!(error.contains(text), "{error}");
    }
}

#[test]
fn trusts_the_local_authority_over_https() {
    let Some(cli) = Cli::find() else { return };
    let scene = Scene::demo();
    let aws = LocalAws::spawn_thread_tls(scene.world).unwrap();
    let bundle = concat!(env!("CARGO_TARGET_TMPDIR"), "/localaws-authority.pem");
    std::fs::write(bundle, aws.certificate_authority().unwrap()).unwrap();
    let describe = ["elbv2", "describe-target-groups", "--ca-bundle", bundle];
    let answer = cli.run(&aws.endpoint(), &describe);
    assert_eq!(answer.json["TargetGroups"][0]["TargetGroupArn"], json!(scene.group), "{answer:?}");
    assert_eq!(aws.traffic().handshakes, 1);
}

#[test]
fn describes_the_rest_of_the_deployment() {
    let Some(cli) = Cli::find() else { return };
    let mut scene = Scene::demo();
    let function = "arn:aws:lambda:eu-central-1:123456789012:function:spotdrain";
    scene.world.add_function(json!({"FunctionName": "spotdrain", "FunctionArn": function, "Timeout": 30}));
    scene.world.add_mapping(
        json!({"UUID": "1", "FunctionArn": function, "EventSourceArn": "arn:aws:sqs:eu-central-1:123456789012:q"}),
    );
    scene.world.add_rule("notices", &[function], json!({"EventPattern": "{}"}));
    scene.world.add_rule("notices", &[function], json!({"EventPattern": "{\"source\":[]}", "EventBusName": "orders"}));
    let aws = LocalAws::spawn_thread(scene.world.clone()).unwrap();
    let ask = |arguments: &[&str]| cli.run(&aws.endpoint(), arguments).json;
    let table = [
        (vec!["ecs", "list-clusters"], "/clusterArns/0", json!(scene.cluster)),
        (
            vec!["ecs", "describe-clusters", "--clusters", "demo"],
            "/clusters/0/capacityProviders/1",
            json!("FARGATE_SPOT"),
        ),
        (vec!["ecs", "list-services", "--cluster", "demo"], "/serviceArns/0", json!(scene.service)),
        (
            vec!["ecs", "list-tasks", "--cluster", "demo", "--service-name", "logstash"],
            "/taskArns/3",
            json!(scene.spot[1]),
        ),
        (
            vec!["ecs", "describe-task-definition", "--task-definition", "logstash"],
            "/taskDefinition/containerDefinitions/0/name",
            json!("logstash"),
        ),
        (
            vec!["elbv2", "describe-target-group-attributes", "--target-group-arn", &scene.group],
            "/Attributes/1",
            json!({"Key": "deregistration_delay.timeout_seconds", "Value": "60"}),
        ),
        (
            vec!["elbv2", "describe-load-balancer-attributes", "--load-balancer-arn", &scene.load_balancer],
            "/Attributes/1",
            json!({"Key": "load_balancing.cross_zone.enabled", "Value": "false"}),
        ),
        (
            vec!["elbv2", "describe-load-balancers"],
            "/LoadBalancers/0/AvailabilityZones/1/ZoneName",
            json!("eu-central-1b"),
        ),
        (vec!["elbv2", "describe-target-groups"], "/TargetGroups/0/HealthCheckIntervalSeconds", json!(30)),
        (vec!["lambda", "list-functions"], "/Functions/0/Timeout", json!(30)),
        (
            vec!["lambda", "list-event-source-mappings", "--function-name", "spotdrain"],
            "/EventSourceMappings/0/UUID",
            json!("1"),
        ),
        (vec!["events", "list-rule-names-by-target", "--target-arn", function], "/RuleNames/0", json!("notices")),
        (vec!["events", "describe-rule", "--name", "notices"], "/EventPattern", json!("{}")),
        (vec!["events", "list-event-buses"], "/EventBuses/1/Name", json!("orders")),
        (
            vec!["events", "describe-rule", "--name", "notices", "--event-bus-name", "orders"],
            "/EventPattern",
            json!("{\"source\":[]}"),
        ),
        (vec!["sts", "get-caller-identity"], "/Account", json!("123456789012")),
    ];
    for (arguments, pointer, expected) in table {
        let answer = ask(&arguments);
        assert_eq!(answer.pointer(pointer), Some(&expected), "{arguments:?}: {answer}");
    }
}

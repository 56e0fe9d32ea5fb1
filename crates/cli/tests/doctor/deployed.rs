//! A correct deployment of the demo and of spotdrain, and helpers that run the doctor on it.

use serde_json::{Value, json};
use spotdrain_localaws::{LocalAws, Queue, Role, Scene, World};

use crate::command::{against, json};

/// The demo without findings, and spotdrain deployed beside it.
pub(crate) fn deployed() -> Scene {
    let mut scene = Scene::demo();
    let world = &mut scene.world;
    let container = json!({"name": "logstash", "stopTimeout": 120, "portMappings": [{"containerPort": 5044}]});
    world.set_task_definition("logstash", json!({"containerDefinitions": [container]}));
    world.set_attribute(&scene.group, "target_health_state.unhealthy.connection_termination.enabled", "false");
    let function = "arn:aws:lambda:eu-central-1:123456789012:function:spotdrain";
    let queue = Queue::new("notices");
    let arn = queue.arn();
    world.add_queue(queue);
    world.set_attribute(&arn, "Policy", &queue_policy(&arn));
    let role = world.add_role(Role::new("spotdrain").policy("spotdrain", policy(&rights())));
    world.add_function(json!({
        "FunctionName": "spotdrain", "FunctionArn": function, "Timeout": 30, "Role": role,
        "Environment": {"Variables": {"SPOTDRAIN_MODE": "enforce"}},
    }));
    world.add_mapping(json!({
        "FunctionArn": function, "EventSourceArn": arn, "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }));
    world.add_rule("drill", &[&arn], json!({"EventPattern": r#"{"source":["spotdrain.drill"]}"#}));
    world.add_rule("notices", &[&arn], json!({"EventPattern": pattern("SpotInterruption")}));
    scene
}

/// The statements of the function's role.
pub(crate) fn rights() -> [Value; 5] {
    let allow = |actions: &[&str], resource: &str| json!({"Effect": "Allow", "Action": actions, "Resource": resource});
    let of = |service: &str, resource: &str| format!("arn:aws:{service}:eu-central-1:123456789012:{resource}");
    let queue = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"];
    [
        allow(&["elasticloadbalancing:DescribeTargetHealth"], "*"),
        allow(&["elasticloadbalancing:DeregisterTargets"], &of("elasticloadbalancing", "targetgroup/*/*")),
        allow(&["ecs:DescribeServices"], &of("ecs", "service/*")),
        allow(&["ecs:DescribeTasks"], &of("ecs", "task/*")),
        allow(&queue, &of("sqs", "notices")),
    ]
}

/// A queue policy that allows every rule to send.
pub(crate) fn queue_policy(queue: &str) -> String {
    let principal = json!({"Service": "events.amazonaws.com"});
    let allow = json!({"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": queue});
    json!({"Statement": [allow]}).to_string()
}

pub(crate) fn policy(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

pub(crate) fn pattern(code: &str) -> String {
    let reason = json!([{"prefix": "Your Spot Task was interrupted"}]);
    let detail = json!({"desiredStatus": ["STOPPED"], "$or": [{"stopCode": [code]}, {"stoppedReason": reason}]});
    json!({"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"], "detail": detail}).to_string()
}

pub(crate) fn examined(world: World, arguments: &[&str]) -> (i32, Value) {
    let local = LocalAws::spawn_thread(world).unwrap();
    json(against(&local, &[&["doctor", "--json"], arguments].concat()))
}

/// The checks with findings, without the forecast's SD057: an NLB without the hold refuses connections with any settings.
pub(crate) fn ids(record: &Value) -> Vec<&str> {
    let ids = record["findings"].as_array().unwrap().iter().map(|finding| finding["check"].as_str().unwrap());
    ids.filter(|id| *id != "SD057").collect()
}

pub(crate) fn not_checked(record: &Value) -> String {
    record["not_checked"].to_string()
}

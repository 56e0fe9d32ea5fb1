//! The rule, the queue and the function, and how the function is selected.

use std::time::Duration;

use serde_json::json;
use spotdrain_localaws::{Action, Fault, LocalAws, Queue, Role, World};

use crate::command::{against, json, run};
use crate::deployed::{deployed, examined, ids, not_checked, pattern, queue_policy};

#[test]
fn rule_queue_and_function_are_examined() {
    let mut scene = deployed();
    scene.world.add_rule("notices-2", &["arn:aws:sqs:eu-central-1:123456789012:other"], json!({}));
    let arn = "arn:aws:lambda:eu-central-1:123456789012:function:other";
    scene.world.add_queue(Queue::new("slow").visibility_timeout(Duration::from_mins(5)));
    let queue = Queue::new("slow").arn();
    scene.world.add_function(json!({"FunctionName": "other", "FunctionArn": arn}));
    scene.world.add_mapping(json!({"FunctionArn": arn, "EventSourceArn": queue}));
    let star = json!({"source": ["aws.ecs"], "detail": {"clusterArn": ["*"]}}).to_string();
    scene.world.add_rule("other", &[&queue], json!({"EventPattern": star, "State": "DISABLED"}));
    let (code, record) = examined(scene.world, &["--cluster", "demo", "--function", "other"]);
    assert_eq!((code, ids(&record)), (1, vec!["SD021", "SD023", "SD024", "SD025", "SD055", "SD026"]), "{record}");
    assert!(record["findings"][0]["problem"].as_str().unwrap().ends_with("no notice has detail.clusterArn [\"*\"]"));
}

/// A deployment whose default bus has only the rule for drills, and another bus the rule for notices.
fn with_rule_on_another_bus() -> World {
    let mut world = deployed().world;
    world.remove_rule("notices");
    let fields = json!({"EventPattern": pattern("SpotInterruption"), "EventBusName": "orders"});
    world.add_rule("notices", &[&Queue::new("notices").arn()], fields);
    world
}

#[test]
fn a_rule_on_another_bus_than_the_default_one_is_found() {
    let (code, record) = examined(with_rule_on_another_bus(), &["--cluster", "demo"]);
    assert_eq!((code, ids(&record), not_checked(&record).as_str()), (1, vec!["SD053"], "[]"), "{record}");
    let problem = record["findings"][0]["problem"].as_str().unwrap();
    assert!(problem.contains("it is on event bus orders, and ECS sends"), "{record}");
}

#[test]
fn other_buses_are_read_only_if_no_rule_on_the_default_one_matches_ecs() {
    let buses_read = |world| {
        let local = LocalAws::spawn_thread(world).unwrap();
        json(against(&local, &["doctor", "--json", "--cluster", "demo"]));
        local.calls().iter().filter(|call| call.action == "ListEventBuses").count()
    };
    assert_eq!((buses_read(deployed().world), buses_read(with_rule_on_another_bus())), (0, 1));
}

#[test]
fn without_permission_for_the_other_buses_the_default_ones_rule_is_judged() {
    let mut world = with_rule_on_another_bus();
    world.add_fault(Fault::AccessDenied.on(Action::ListEventBuses));
    let (code, record) = examined(world, &["--cluster", "demo"]);
    assert_eq!((code, ids(&record)), (1, vec!["SD021"]), "{record}");
    let unknown = not_checked(&record);
    assert!(unknown.contains("the other event buses") && unknown.contains("events:ListEventBuses"), "{unknown}");
}

#[test]
fn a_disabled_mapping_is_found_even_if_the_rule_is_enabled() {
    let mut scene = deployed();
    let arn = "arn:aws:lambda:eu-central-1:123456789012:function:other";
    let role = scene.world.add_role(
        Role::new("other").policy("all", json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})),
    );
    scene.world.add_queue(Queue::new("other"));
    let queue = Queue::new("other").arn();
    scene.world.set_attribute(&queue, "Policy", &queue_policy(&queue));
    let reports = json!(["ReportBatchItemFailures"]);
    scene.world.add_function(json!({"FunctionName": "other", "FunctionArn": arn, "Timeout": 30, "Role": role}));
    scene.world.add_mapping(json!({
        "FunctionArn": arn, "EventSourceArn": queue, "State": "Disabled", "FunctionResponseTypes": reports,
    }));
    scene.world.add_rule("other", &[&queue], json!({"EventPattern": pattern("SpotInterruption")}));
    let (code, record) = examined(scene.world, &["--cluster", "demo", "--function", "other"]);
    assert_eq!((code, ids(&record)), (1, vec!["SD023"]), "{record}");
}

#[test]
fn stack_tag_or_name_selects_one_of_two_functions() {
    let mut scene = deployed();
    scene.world.add_function(json!({
        "FunctionName": "test", "FunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:test", "Timeout": 30,
        "Environment": {"Variables": {"SPOTDRAIN_MODE": "observe"}}, "Role": "arn:aws:iam::123456789012:role/spotdrain",
        "Tags": {"aws:cloudformation:stack-name": "test-stack", "team": "ingest", "equation": "a=b"},
    }));
    let local = LocalAws::spawn_thread(scene.world).unwrap();
    let doctor = |arguments: &[&str]| against(&local, &[&["doctor", "--cluster", "demo"], arguments].concat());
    let (code, _, error) = run(doctor(&[]));
    assert!(
        code == 1
            && error.contains("spotdrain, test have SPOTDRAIN_ variables: name one with --function, --stack or --tag"),
        "{error}"
    );
    let of_test = || vec!["SD021", "SD031"];
    let table = [
        (["--stack", "test-stack"], of_test()),
        (["--tag", "team=ingest"], of_test()),
        (["--tag", "equation=a=b"], of_test()),
        (["--function", "test"], of_test()),
        (["--function", "spotdrain"], vec![]),
    ];
    for (arguments, expected) in table {
        let (_, record) = json(doctor(&[&arguments[..], &["--json"]].concat()));
        assert_eq!(ids(&record), expected, "{record}");
    }
    let (code, _, error) = run(doctor(&["--tag", "team=nobody"]));
    assert!(code == 1 && error.contains("no function with SPOTDRAIN_ variables has the tag team=nobody"), "{error}");
    let (code, _, error) = run(doctor(&["--stack", "nobody"]));
    assert!(code == 1 && error.contains("stack nobody has no function with SPOTDRAIN_ variables"), "{error}");
}

//! `spotdrain doctor` as a process: of templates, and of what is deployed in the local AWS.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test stops where something is not as it should be"
)]

mod common {
    pub(crate) mod command;
}

use std::path::PathBuf;
use std::time::Duration;

use common::command::{against, json, run, spotdrain};
use serde_json::{Value, json};
use spotdrain_localaws::{Action, Fault, Group, IpAddressType, LoadBalancer, LocalAws, Queue, Scene, Service, World};

const EXAMPLE: &str = "crates/template/tests/fixtures/example.yaml";

/// The demo with everything as it should be, and spotdrain deployed beside it.
fn deployed() -> Scene {
    let mut scene = Scene::demo();
    let world = &mut scene.world;
    let container = json!({"name": "logstash", "stopTimeout": 120, "portMappings": [{"containerPort": 5044}]});
    world.set_task_definition("logstash", json!({"containerDefinitions": [container]}));
    world.set_attribute(&scene.group, "target_health_state.unhealthy.connection_termination.enabled", "false");
    let function = "arn:aws:lambda:eu-central-1:123456789012:function:spotdrain";
    let queue = Queue::new("notices");
    let arn = queue.arn();
    world.add_queue(queue);
    world.add_function(json!({
        "FunctionName": "spotdrain", "FunctionArn": function, "Timeout": 30,
        "Environment": {"Variables": {"SPOTDRAIN_MODE": "enforce"}},
    }));
    world.add_mapping(json!({
        "FunctionArn": function, "EventSourceArn": arn, "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }));
    world.add_rule("drill", &[&arn], json!({"EventPattern": r#"{"source":["spotdrain.drill"]}"#}));
    world.add_rule("notices", &[&arn], json!({"EventPattern": pattern("SpotInterruption")}));
    scene
}

fn pattern(code: &str) -> String {
    let reason = json!([{"prefix": "Your Spot Task was interrupted"}]);
    let detail = json!({"desiredStatus": ["STOPPED"], "$or": [{"stopCode": [code]}, {"stoppedReason": reason}]});
    json!({"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"], "detail": detail}).to_string()
}

fn examined(world: World, arguments: &[&str]) -> (i32, Value) {
    let local = LocalAws::spawn_thread(world).unwrap();
    json(against(&local, &[&["doctor", "--json"], arguments].concat()))
}

fn ids(record: &Value) -> Vec<&str> {
    record["findings"].as_array().unwrap().iter().map(|finding| finding["check"].as_str().unwrap()).collect()
}

fn not_checked(record: &Value) -> String {
    record["not_checked"].to_string()
}

fn scratch(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn what_is_deployed_as_it_should_be_has_no_finding_and_the_role_is_not_checked() {
    let (code, record) = examined(deployed().world, &["--cluster", "demo"]);
    assert_eq!((code, ids(&record)), (0, vec![]), "{record}");
    assert_eq!(record["forecasts"][0]["last_new_connection_seconds"], 122);
    let told = not_checked(&record);
    assert!(told.contains("SD027") && told.contains("SD028") && told.contains("--template"), "{told}");
}

#[test]
fn each_fault_of_what_is_deployed_is_found() {
    type Change = fn(&mut Scene);
    let table: [(&str, Change); 9] = [
        ("SD009", |scene| {
            scene.world.set_task_definition(
                "logstash",
                json!({"containerDefinitions": [{"name": "logstash", "portMappings": [{"containerPort": 5044}]}]}),
            );
        }),
        ("SD013", |scene| {
            scene.world.set_attribute(&scene.group, "deregistration_delay.connection_termination.enabled", "true");
        }),
        ("SD014", |scene| {
            scene.world.set_attribute(
                &scene.group,
                "target_health_state.unhealthy.connection_termination.enabled",
                "true",
            );
        }),
        ("SD007", |scene| {
            scene.world.set_service(&scene.service, json!({"deploymentConfiguration": {"minimumHealthyPercent": 0}}));
        }),
        ("SD006", |scene| scene.world.service_mut(&scene.service).unwrap().desired_count = 1),
        ("SD005", |scene| {
            scene.world.set_task_definition("logstash", json!({"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}, "containerDefinitions": []}));
        }),
        ("SD003", |scene| {
            scene.world.set_service(
                &scene.service,
                json!({"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]}),
            );
        }),
        ("SD001", |scene| {
            scene.world.set_service(&scene.service, json!({"capacityProviderStrategy": [], "launchType": "FARGATE"}));
        }),
        ("SD029", |scene| {
            let service = scene.world.service_mut(&scene.service).unwrap();
            *service = service.clone().tag("spotdrain", "off");
        }),
    ];
    for (id, change) in table {
        let mut scene = deployed();
        change(&mut scene);
        let (code, record) = examined(scene.world, &["--cluster", "demo", "--service", "logstash"]);
        assert_eq!(ids(&record), [id], "{record}");
        let is_error = record["findings"][0]["severity"] == "error";
        assert_eq!(code, i32::from(is_error), "{id}");
    }
}

#[test]
fn aws_own_defaults_are_found_in_a_group_and_the_thin_zone_too() {
    let mut scene = deployed();
    let group = scene.world.add_group(Group::new("web", 80).health_check(60, 3).ip_address_type(IpAddressType::Ipv6));
    let service = Service::new("demo", "web").load_balancer(LoadBalancer::new(&group, "web", 8080)).desired_count(4);
    scene.world.add_service(service.capacity_provider("FARGATE", 1, 1).capacity_provider("FARGATE_SPOT", 1, 0));
    let now = Duration::ZERO;
    for (address, zone) in [("10.0.1.11", "eu-central-1a"), ("10.0.1.12", "eu-central-1a")] {
        let target = spotdrain_localaws::Target { zone: Some(zone.to_owned()), ..(address, 5044).into() };
        scene.world.set_state(&scene.group, target, spotdrain_localaws::State::Unhealthy, now).unwrap();
    }
    let (_, record) = examined(scene.world, &[]);
    let told: Vec<_> = record["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {}", one["check"], one["subject"]))
        .collect();
    for (id, subject) in [("SD012", "web"), ("SD016", "web"), ("SD018", "web")] {
        assert!(told.contains(&format!("\"{id}\" \"target group {subject}\"")), "{told:?}");
    }
    // The service has no task whose addresses could be seen, and no task definition that can be read.
    let unknown = not_checked(&record);
    assert!(unknown.contains("SD019") && unknown.contains("Unable to describe task definition"), "{unknown}");
}

#[test]
fn the_rule_the_queue_and_the_function_are_examined_as_they_are_deployed() {
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
    assert_eq!((code, ids(&record)), (1, vec!["SD021", "SD023", "SD024", "SD025", "SD026"]), "{record}");
    assert!(record["findings"][0]["found"].as_str().unwrap().ends_with("no notice has detail.clusterArn [\"*\"]"));
}

#[test]
fn of_two_functions_the_stack_or_the_name_says_which() {
    let mut scene = deployed();
    scene.world.add_function(json!({
        "FunctionName": "test", "FunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:test", "Timeout": 30,
        "Environment": {"Variables": {"SPOTDRAIN_MODE": "observe"}}, "Tags": {"aws:cloudformation:stack-name": "test-stack"},
    }));
    let local = LocalAws::spawn_thread(scene.world).unwrap();
    let doctor = |arguments: &[&str]| against(&local, &[&["doctor", "--cluster", "demo"], arguments].concat());
    let (code, _, error) = run(doctor(&[]));
    assert!(
        code == 1 && error.contains("spotdrain, test have SPOTDRAIN_ variables: name one with --function"),
        "{error}"
    );
    for (arguments, expected) in
        [(["--stack", "test-stack"], vec!["SD021", "SD031"]), (["--function", "spotdrain"], vec![])]
    {
        let (_, record) = json(doctor(&[&arguments[..], &["--json"]].concat()));
        assert_eq!(ids(&record), expected, "{record}");
    }
    let (code, _, error) = run(doctor(&["--stack", "nobody"]));
    assert!(code == 1 && error.contains("stack nobody has no function with SPOTDRAIN_ variables"), "{error}");
}

#[test]
fn a_right_that_is_missing_is_named_with_its_action_and_resource() {
    let table = [
        (
            Action::DescribeTargetGroupAttributes,
            "SD012",
            "elasticloadbalancing:DescribeTargetGroupAttributes on resource: arn:aws",
        ),
        (Action::DescribeTargetHealth, "SD008", "elasticloadbalancing:DescribeTargetHealth on resource: arn:aws"),
        (Action::DescribeTaskDefinition, "SD009", "ecs:DescribeTaskDefinition on resource: arn:aws"),
        (Action::ListFunctions, "SD024", "lambda:ListFunctions on resource: *"),
        (Action::DescribeRule, "SD021", "events:DescribeRule on resource: drill"),
        (Action::DescribeTargetGroups, "SD012", "elasticloadbalancing:DescribeTargetGroups on resource: arn:aws"),
    ];
    for (action, id, right) in table {
        let mut scene = deployed();
        scene.world.add_fault(Fault::AccessDenied.on(action));
        let (code, record) = examined(scene.world, &["--cluster", "demo"]);
        let told = not_checked(&record);
        assert!(code == 0 && ids(&record).is_empty(), "{record}");
        assert!(told.contains(right) && told.contains(id), "{action}: {told}");
    }
}

#[test]
fn what_leaves_nothing_to_examine_is_an_error_that_says_what_to_do() {
    let local = LocalAws::spawn_thread(deployed().world).unwrap();
    let table = [
        (vec!["--cluster", "nobody"], "there is no cluster nobody in eu-central-1: aws ecs list-clusters"),
        (vec!["--cluster", "demo", "--service", "nobody"], "there is no service nobody in cluster demo"),
        (vec!["--function", "nobody"], "there is no function nobody"),
    ];
    for (arguments, expected) in table {
        let (code, _, error) = run(against(&local, &[&["doctor"], &arguments[..]].concat()));
        assert!(code == 1 && error.contains(expected), "{code}: {error}");
    }
    local.world().add_fault(Fault::AccessDenied.on(Action::ListClusters));
    let (code, _, error) = run(against(&local, &["doctor"]));
    assert!(code == 1 && error.contains("ecs:ListClusters on resource: *"), "{error}");
    let mut command = spotdrain(&["doctor"]);
    command.env("AWS_REGION", "eu-central-1").env("AWS_EC2_METADATA_DISABLED", "true").env("HOME", "/nonexistent");
    let (code, _, error) = run(command);
    assert!(code == 1 && error.contains("no AWS credentials: set AWS_PROFILE"), "{error}");
    let (code, _, error) = run(spotdrain(&["doctor"]));
    assert!(code == 64 && error.contains("no Region is set: set AWS_REGION"), "{error}");
}

/// The times of the ELB calls, and what they heard.
fn elb_calls(local: &LocalAws) -> Vec<(Duration, bool)> {
    let calls = local
        .calls()
        .into_iter()
        .filter(|call| ["DescribeTarget", "DescribeLoad"].iter().any(|api| call.action.starts_with(api)));
    calls.map(|call| (call.at, call.answer == spotdrain_localaws::CallAnswer::Ok)).collect()
}

#[test]
fn elb_is_asked_three_times_a_second_at_most_and_a_refusal_is_yielded_to() {
    let mut scene = deployed();
    scene.world.add_fault(Fault::Refuse.on(Action::DescribeTargetHealth).times(1));
    let local = LocalAws::spawn_thread(scene.world).unwrap();
    let (code, _) = json(against(&local, &["doctor", "--json", "--cluster", "demo"]));
    let calls = elb_calls(&local);
    assert_eq!((code, calls.len(), calls.iter().filter(|(_, ok)| !ok).count()), (0, 6, 1));
    for pair in calls.windows(2) {
        let gap = pair[1].0.checked_sub(pair[0].0).unwrap();
        let least = if pair[0].1 { Duration::from_millis(300) } else { Duration::from_secs(3) };
        assert!(gap >= least, "{gap:?} after {pair:?}");
    }
}

#[test]
fn many_services_come_in_pages_and_share_what_is_asked() {
    let mut world = World::new();
    world.set_task_definition("app", json!({"containerDefinitions": []}));
    for number in 0..25 {
        let name = format!("s{number:02}");
        let arn =
            world.add_service(Service::new("many", &name).capacity_provider("FARGATE_SPOT", 1, 0).desired_count(2));
        world.set_service(&arn, json!({"taskDefinition": "app"}));
    }
    let local = LocalAws::spawn_thread(world).unwrap();
    let (_, record) = json(against(&local, &["doctor", "--json"]));
    assert_eq!(record["services"], 25);
    let count = |action: &str| local.calls().iter().filter(|call| call.action == action).count();
    assert_eq!((count("ListServices"), count("DescribeServices"), count("DescribeTaskDefinition")), (1, 3, 1));
}

#[test]
fn the_example_has_nothing_and_the_exit_code_follows_the_worst() {
    let example = std::fs::read_to_string(format!("{}/{EXAMPLE}", common::command::ROOT)).unwrap();
    let (code, told, _) = run(spotdrain(&["doctor", "--template", EXAMPLE]));
    assert!(code == 0 && told.ends_with("doctor nothing found in 1 service by 35 checks\n"), "{told}");
    let warned =
        scratch("warned.yaml", &example.replace("HealthCheckIntervalSeconds: 10", "HealthCheckIntervalSeconds: 60"));
    let failed = scratch("failed.yaml", &example.replace("StopTimeout: 120", "StopTimeout: 30"));
    let noted = scratch("noted.yaml", &example.replace("Base: 2", "Base: 4"));
    let table = [(&warned, false, 0), (&warned, true, 2), (&failed, false, 1), (&failed, true, 1), (&noted, true, 0)];
    for (file, strict, expected) in table {
        let mut arguments = vec!["doctor", "--template", file.to_str().unwrap()];
        arguments.extend(strict.then_some("--strict"));
        assert_eq!(run(spotdrain(&arguments)).0, expected, "{arguments:?}");
    }
}

#[test]
fn a_finding_is_told_to_a_person_and_to_a_review() {
    let example = std::fs::read_to_string(format!("{}/{EXAMPLE}", common::command::ROOT)).unwrap();
    let text =
        example.replace("StopTimeout: 120", "StopTimeout: 30").replace("    Default: enforce", "    Description: none");
    let file = scratch("told.yaml", &text);
    let file = file.to_str().unwrap();
    let (_, told, _) = run(spotdrain(&["doctor", "--template", file]));
    insta::assert_snapshot!(told.replace(file, "template.yaml"));
    let (code, sarif) = json(spotdrain(&["doctor", "--template", file, "--sarif"]));
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!((code, result["ruleId"].as_str(), result["level"].as_str()), (1, Some("SD009"), Some("error")));
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 78);
    assert!(sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().unwrap().len() == 2);
    assert_eq!(run(spotdrain(&["doctor", "--template", file, "--parameter", "Mode=enforce", "--json"])).0, 1);
}

#[test]
fn a_finding_can_be_accepted_with_a_reason() {
    let example = std::fs::read_to_string(format!("{}/{EXAMPLE}", common::command::ROOT)).unwrap();
    let file = scratch("accepted.yaml", &example.replace("StopTimeout: 120", "StopTimeout: 30"));
    let template = file.to_str().unwrap();
    let accepted =
        scratch("accepted.txt", "SD009 task definition * # it has no long connections\nSD001 service x # gone\n");
    let arguments = ["doctor", "--template", template, "--accept", accepted.to_str().unwrap()];
    let (code, told, _) = run(spotdrain(&arguments));
    assert!(
        code == 0 && told.contains("; 1 accepted") && told.contains("not found any more: SD001 service x"),
        "{told}"
    );
    let (_, sarif) = json(spotdrain(&[&arguments[..], &["--sarif"]].concat()));
    assert_eq!(sarif["runs"][0]["results"][0]["suppressions"][0]["justification"], "it has no long connections");
    let bad = scratch("bad.txt", "SD009\n");
    let (code, _, error) = run(spotdrain(&["doctor", "--template", template, "--accept", bad.to_str().unwrap()]));
    assert!(code == 64 && error.contains("bad.txt: line 1: expected a check"), "{error}");
}

#[test]
fn a_check_is_explained() {
    let (code, told, _) = run(spotdrain(&["doctor", "--explain", "sd021"]));
    assert_eq!(code, 0);
    insta::assert_snapshot!(told);
    let (_, list, _) = run(spotdrain(&["doctor", "--explain"]));
    assert_eq!(list.lines().count(), 36);
    let (code, _, error) = run(spotdrain(&["doctor", "--explain", "SD99"]));
    assert!(code == 64 && error.contains("there is no check \"SD99\""), "{error}");
}

#[test]
fn what_is_no_template_is_refused_with_its_place() {
    for (file, expected) in
        [("README.md", "README.md: it is no YAML"), ("nowhere", "cannot be read"), ("Cargo.toml", "Cargo.toml: ")]
    {
        let (code, _, error) = run(spotdrain(&["doctor", "--template", file]));
        assert!(code == 65 && error.contains(expected), "{code}: {error}");
    }
    for wrong in [
        vec!["--template", EXAMPLE, "--cluster", "x"],
        vec!["--json", "--sarif"],
        vec!["--template", EXAMPLE, "--parameter", "x"],
    ] {
        assert_eq!(run(spotdrain(&[&["doctor"], &wrong[..]].concat())).0, 64, "{wrong:?}");
    }
}

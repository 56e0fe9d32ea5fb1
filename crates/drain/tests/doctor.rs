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
use spotdrain_localaws::{
    Action, Fault, Group, IpAddressType, LoadBalancer, LocalAws, Queue, Role, Scene, Service, State, Target, World,
};

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

/// The statements of the role that is deployed with the function.
fn rights() -> [Value; 5] {
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

fn policy(statements: &[Value]) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
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
fn what_is_deployed_as_it_should_be_has_no_finding_and_all_of_it_is_checked() {
    let (code, record) = examined(deployed().world, &["--cluster", "demo"]);
    assert_eq!((code, ids(&record)), (0, vec![]), "{record}");
    assert_eq!(record["forecasts"][0]["last_new_connection_seconds"], 122);
    assert_eq!(not_checked(&record), "[]");
}

/// What the doctor says of the role: the findings, and what was not checked.
fn of_role(change: impl FnOnce(Role, [Value; 5]) -> Role, tag: Option<&str>) -> (Vec<String>, String, usize) {
    let mut scene = deployed();
    scene.world.add_role(change(Role::new("spotdrain"), rights()));
    if let Some(value) = tag {
        scene.world.set_tags(&scene.group, &[("team", "ingest"), ("spotdrain", value)]);
    }
    let local = LocalAws::spawn_thread(scene.world).unwrap();
    let (_, record) = json(against(&local, &["doctor", "--json", "--cluster", "demo"]));
    let asked = local.calls().iter().filter(|call| call.action == "DescribeTags").count();
    (ids(&record).into_iter().map(str::to_owned).collect(), not_checked(&record), asked)
}

const OWN: &str = "arn:aws:iam::123456789012:policy/spotdrain-rights";

#[test]
fn the_policies_of_the_deployed_role_are_judged_its_own_and_those_attached() {
    type Change = fn(Role, [Value; 5]) -> Role;
    let table: [(&[&str], Change); 7] = [
        (&[], |role, all| role.attached(OWN, policy(&all))),
        (&[], |role, all| role.policy("some", policy(&all[..2])).attached(OWN, policy(&all[2..]))),
        (&["SD027", "SD028", "SD035"], |role, _| role),
        (&["SD027"], |role, all| role.policy("some", policy(&[&all[..3], &all[4..]].concat()))),
        (&["SD028"], |role, mut all| {
            all[1]["Resource"] = json!("arn:aws:elasticloadbalancing:*:*:targetgroup/other/*");
            role.policy("some", policy(&all))
        }),
        (&["SD035"], |role, mut all| {
            all[4]["Action"] = json!(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]);
            role.policy("some", policy(&all))
        }),
        (&["SD028"], |role, all| {
            let deny = json!({"Effect": "Deny", "Action": "elasticloadbalancing:Dereg*", "Resource": "*"});
            role.policy("some", policy(&all)).attached(OWN, json!({"Statement": deny}))
        }),
    ];
    for (expected, change) in table {
        let (found, told, asked_for_tags) = of_role(change, None);
        assert_eq!((found, told.as_str(), asked_for_tags), (expected.iter().map(|&id| id.into()).collect(), "[]", 0));
    }
}

#[test]
fn what_cannot_be_judged_of_a_role_is_not_checked_and_says_why() {
    type Change = fn(Role, [Value; 5]) -> Role;
    let table: [(&str, &[&str], Change); 5] = [
        ("SD027", &["policy/limit", "boundary"], |role, all| {
            role.policy("all", policy(&all)).boundary("arn:aws:iam::123456789012:policy/limit")
        }),
        ("SD028", &["NotAction"], |role, mut all| {
            all[1] = json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"});
            role.policy("all", policy(&all))
        }),
        ("SD035", &["NotResource"], |role, mut all| {
            all[4].as_object_mut().unwrap().remove("Resource");
            all[4]["NotResource"] = json!("*");
            role.policy("all", policy(&all))
        }),
        ("SD027", &["aws:SourceVpc"], |role, mut all| {
            all[3]["Condition"] = json!({"StringEquals": {"aws:SourceVpc": "vpc-1"}});
            role.policy("all", policy(&all))
        }),
        ("SD028", &["Bool"], |role, mut all| {
            all[1]["Condition"] = json!({"Bool": {"aws:ViaAWSService": "false"}});
            role.policy("all", policy(&all))
        }),
    ];
    for (id, reasons, change) in table {
        let (found, told, _) = of_role(change, None);
        assert!(found.is_empty() && told.contains(id), "{found:?} {told}");
        assert!(reasons.iter().all(|reason| told.contains(reason)), "{told}");
    }
}

#[test]
fn a_right_that_is_lacking_is_found_beside_what_is_not_known() {
    let (found, ..) = of_role(
        |role, all| {
            let some = policy(&[&all[..3], &all[4..]].concat());
            role.policy("some", some).boundary("arn:aws:iam::123456789012:policy/limit")
        },
        None,
    );
    assert_eq!(found, ["SD027"]);
}

/// What is found of a role, and how it is mended.
fn told_of_role(role: Role) -> (String, String) {
    let mut scene = deployed();
    scene.world.add_role(role);
    let (_, record) = examined(scene.world, &["--cluster", "demo"]);
    let first = &record["findings"][0];
    let mend = format!("{}{}", first["mend"]["command"].as_str().unwrap(), first["mend"]["template"].as_str().unwrap());
    (first["found"].as_str().unwrap().to_owned(), mend)
}

#[test]
fn all_that_a_role_lacks_is_told_at_once_and_the_mend_fits_the_reason() {
    let role = || Role::new("spotdrain");
    let (found, mend) = told_of_role(role().policy("some", policy(&[rights()[1].clone(), rights()[4].clone()])));
    for action in ["elasticloadbalancing:DescribeTargetHealth", "ecs:DescribeServices", "ecs:DescribeTasks"] {
        assert_eq!(found.matches(action).count(), 1, "{found}");
    }
    assert!(mend.contains("Effect: Allow"), "{mend}");
    let deny = json!({"Effect": "Deny", "Action": "ecs:DescribeT*", "Resource": "*"});
    let (_, mend) = told_of_role(role().policy("all", policy(&[&rights()[..], &[deny]].concat())));
    assert!(mend.contains("no Effect: Deny") && mend.contains("ecs:DescribeTasks"), "{mend}");
    let mut all = rights();
    all[1]["Condition"] = json!({"StringEquals": {"aws:ResourceTag/spotdrain": "on"}});
    let (_, mend) = told_of_role(role().policy("all", policy(&all)));
    assert!(mend.starts_with("aws elbv2 add-tags") && mend.contains("Key=spotdrain,Value=on"), "{mend}");
}

#[test]
fn a_role_that_was_deleted_lacks_everything() {
    let mut scene = deployed();
    scene.world.remove_role("spotdrain");
    let (code, record) = examined(scene.world, &["--cluster", "demo"]);
    assert_eq!((code, ids(&record)), (1, vec!["SD027", "SD028", "SD035"]), "{record}");
}

#[test]
fn no_right_is_asked_for_of_services_that_the_function_does_not_serve() {
    let mut scene = deployed();
    let mut all = rights();
    for statement in &mut all[2..4] {
        let cluster = "arn:aws:ecs:eu-central-1:123456789012:cluster/demo";
        statement["Condition"] = json!({"ArnEquals": {"ecs:cluster": cluster}});
    }
    scene.world.add_role(Role::new("spotdrain").policy("all", policy(&all)));
    scene.world.add_cluster("prod");
    scene.world.add_service(Service::new("prod", "web").capacity_provider("FARGATE", 1, 0).desired_count(2));
    let (code, record) = examined(scene.world, &[]);
    assert_eq!((code, ids(&record)), (0, vec![]), "{record}");
}

#[test]
fn the_tags_of_a_group_are_asked_for_where_a_right_depends_on_them() {
    let tagged = |role: Role, mut all: [Value; 5]| {
        all[1]["Condition"] = json!({"StringEquals": {"aws:ResourceTag/spotdrain": "on"}});
        role.policy("tagged", policy(&all))
    };
    for (tag, expected) in [(Some("on"), vec![]), (Some("off"), vec!["SD028"]), (None, vec!["SD028"])] {
        let (found, told, asked) = of_role(tagged, tag);
        assert_eq!((found, told.as_str(), asked), (expected.iter().map(|&id| id.into()).collect(), "[]", 1), "{tag:?}");
    }
}

#[test]
fn the_policies_of_a_role_are_read_to_the_last_page() {
    let (found, told, _) = of_role(
        |role, all| {
            let other = json!({"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}});
            let many = (0..120).fold(role, |role, number| role.policy(&format!("p{number:03}"), other.clone()));
            many.policy("the-last", policy(&all))
        },
        None,
    );
    assert_eq!((found, told.as_str()), (vec![], "[]"));
}

#[test]
fn a_right_that_is_missing_for_the_role_is_named_and_no_finding_is_made_of_it() {
    let table = [
        (Action::GetRole, "iam:GetRole on resource: role spotdrain"),
        (Action::ListRolePolicies, "iam:ListRolePolicies on resource: role spotdrain"),
        (Action::GetRolePolicy, "iam:GetRolePolicy on resource: role spotdrain"),
        (Action::ListAttachedRolePolicies, "iam:ListAttachedRolePolicies on resource: role spotdrain"),
        (Action::GetPolicy, "iam:GetPolicy on resource: policy arn:aws:iam::123456789012:policy/spotdrain-rights"),
        (Action::GetPolicyVersion, "iam:GetPolicyVersion on resource: policy arn:aws:iam"),
        (Action::DescribeTags, "elasticloadbalancing:DescribeTags because no"),
    ];
    for (action, right) in table {
        let mut scene = deployed();
        let mut all = rights();
        all[1]["Condition"] = json!({"StringEquals": {"aws:ResourceTag/spotdrain": "on"}});
        scene.world.add_role(Role::new("spotdrain").policy("a", policy(&all[..2])).attached(OWN, policy(&all[2..])));
        scene.world.set_tags(&scene.group, &[("spotdrain", "on")]);
        scene.world.add_fault(Fault::AccessDenied.on(action));
        let (code, record) = examined(scene.world, &["--cluster", "demo"]);
        let told = not_checked(&record);
        assert!(code == 0 && ids(&record).is_empty(), "{action}: {record}");
        assert!(told.contains(right) && told.contains("SD028"), "{action}: {told}");
    }
}

#[test]
fn each_fault_of_what_is_deployed_is_found() {
    type Change = fn(&mut Scene);
    let table: [(&str, Change); 10] = [
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
        ("SD036", |scene| {
            for address in ["10.0.1.11", "10.0.1.12"] {
                scene.world.set_state(&scene.group, (address, 5044), State::Unused, Duration::ZERO).unwrap();
            }
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
fn why_targets_are_unused_the_listeners_tell() {
    let unused = |with_balancer: bool, may_ask: bool| {
        let mut scene = deployed();
        if !may_ask {
            scene.world.add_fault(Fault::AccessDenied.on(Action::DescribeListeners));
        }
        let group = Group::new("web", 80).deregistration_delay(Duration::from_mins(1));
        let group = if with_balancer { group.load_balancer(&scene.load_balancer) } else { group };
        let group = group.target("10.0.1.21", State::Unused).target("10.0.1.22", State::Unused);
        let group = scene.world.add_group(group);
        let balancer = LoadBalancer::new(&group, "web", 80);
        let service = Service::new("demo", "web").load_balancer(balancer).desired_count(4);
        scene.world.add_service(service.capacity_provider("FARGATE", 1, 2).capacity_provider("FARGATE_SPOT", 1, 0));
        let (_, record) = examined(scene.world, &["--cluster", "demo", "--service", "web"]);
        let mut found = record["findings"].as_array().unwrap().clone();
        found.retain(|one| one["check"] == "SD036");
        (found[0]["found"].as_str().unwrap().to_owned(), found[0]["mend"]["command"].as_str().unwrap().to_owned())
    };
    let (found, mend) = unused(true, true);
    assert_eq!(
        found,
        "2 targets are unused (Target.NotInUse): in a zone that the load balancer is not in, of TCP:80 of load balancer demo"
    );
    assert!(mend.starts_with("aws elbv2 set-subnets"), "{mend}");
    let (found, mend) = unused(false, true);
    assert_eq!(found, "2 targets are unused (Target.NotInUse): no listener forwards to the group");
    assert!(mend.starts_with("aws elbv2 create-listener"), "{mend}");
    let (found, _) = unused(true, false);
    assert!(found.contains("elasticloadbalancing:DescribeListeners because no"), "{found}");
}

#[test]
fn aws_own_defaults_are_found_in_a_group_and_the_thin_zone_too() {
    let mut scene = deployed();
    let group = scene.world.add_group(Group::new("web", 80).health_check(60, 3).ip_address_type(IpAddressType::Ipv6));
    let service = Service::new("demo", "web").load_balancer(LoadBalancer::new(&group, "web", 8080)).desired_count(4);
    scene.world.add_service(service.capacity_provider("FARGATE", 1, 1).capacity_provider("FARGATE_SPOT", 1, 0));
    let now = Duration::ZERO;
    for (address, zone) in [("10.0.1.11", "eu-central-1a"), ("10.0.1.12", "eu-central-1a")] {
        let target = Target { zone: Some(zone.to_owned()), ..(address, 5044).into() };
        scene.world.set_state(&scene.group, target, State::Unhealthy, now).unwrap();
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
fn a_mapping_that_is_disabled_is_found_though_its_rule_is_not() {
    let mut scene = deployed();
    let arn = "arn:aws:lambda:eu-central-1:123456789012:function:other";
    let role = scene.world.add_role(
        Role::new("other").policy("all", json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})),
    );
    scene.world.add_queue(Queue::new("other"));
    let queue = Queue::new("other").arn();
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
fn of_two_functions_the_stack_the_tag_or_the_name_says_which() {
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

#[test]
fn where_iam_cannot_be_reached_the_role_is_not_checked_and_not_asked_for_again() {
    let mut scene = deployed();
    scene.world.add_fault(Fault::Reset.on(Action::GetRole));
    let local = LocalAws::spawn_thread(scene.world).unwrap();
    let (code, record) = json(against(&local, &["doctor", "--json", "--cluster", "demo"]));
    let told = not_checked(&record);
    assert!(code == 0 && told.contains("SD027") && told.contains("GetRole: "), "{told}");
    assert!(local.calls().iter().all(|call| call.action != "ListRolePolicies"));
}

#[test]
fn a_right_that_is_missing_is_named_with_its_action_and_resource() {
    let table = [
        (
            Action::DescribeTargetGroupAttributes,
            "SD012",
            "elasticloadbalancing:DescribeTargetGroupAttributes because no",
        ),
        (Action::DescribeTargetHealth, "SD008", "elasticloadbalancing:DescribeTargetHealth because no"),
        (Action::DescribeTaskDefinition, "SD009", "ecs:DescribeTaskDefinition on resource: arn:aws"),
        (Action::ListFunctions, "SD024", "lambda:ListFunctions on resource: *"),
        (Action::DescribeRule, "SD021", "events:DescribeRule on resource: drill"),
        (Action::DescribeTargetGroups, "SD012", "elasticloadbalancing:DescribeTargetGroups because no"),
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
    assert_eq!((code, calls.len(), calls.iter().filter(|(_, ok)| !ok).count()), (0, 5, 1));
    for pair in calls.windows(2) {
        let gap = pair[1].0.checked_sub(pair[0].0).unwrap();
        let least = if pair[0].1 { Duration::from_millis(300) } else { Duration::from_secs(3) };
        assert!(gap >= least, "{gap:?} after {pair:?}");
    }
}

#[test]
fn a_load_balancer_is_asked_once_and_only_where_a_group_leaves_it_to_it() {
    let mut world = World::new();
    let balancer = |name: &str| format!("arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/{name}");
    let (network, application) = (balancer("net/n/0123456789abcdef"), balancer("app/a/0123456789abcdef"));
    let table = [("n1", "TCP", &network), ("n2", "TCP", &network), ("a1", "HTTP", &application)];
    for (name, protocol, balancer) in table {
        let group = world.add_group(Group::new(name, 80).protocol(protocol).load_balancer(balancer));
        let service = Service::new("demo", name).load_balancer(LoadBalancer::new(&group, name, 80)).desired_count(2);
        world.add_service(service.capacity_provider("FARGATE_SPOT", 1, 0));
    }
    let local = LocalAws::spawn_thread(world).unwrap();
    json(against(&local, &["doctor", "--json", "--cluster", "demo"]));
    let asked = |action: &str| local.calls().iter().filter(|call| call.action == action).count();
    let counts = ["DescribeTargetGroups", "DescribeLoadBalancerAttributes", "DescribeTargetGroupAttributes"].map(asked);
    assert_eq!((counts, elb_calls(&local).len()), ([1, 1, 3], 8));
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

/// A service with a target group of its own, 50 of them behind one load balancer: its quota of listeners.
fn add_service(world: &mut World, number: usize) {
    let name = format!("s{number:04}");
    let balancer = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net";
    let target = |zone: &str, address: String| Target { zone: Some(zone.to_owned()), ..(address.as_str(), 80).into() };
    let (high, low) = (number / 250, number % 250);
    let group = Group::new(&name, 80)
        .load_balancer(&format!("{balancer}/n{0:02}/{0:016x}", number / 50))
        .target(target("eu-central-1a", format!("10.1.{high}.{low}")), State::Healthy)
        .target(target("eu-central-1b", format!("10.2.{high}.{low}")), State::Healthy);
    let group = world.add_group(group);
    let service = Service::new("many", &name).load_balancer(LoadBalancer::new(&group, "app", 80)).desired_count(2);
    world.add_service(service.capacity_provider("FARGATE_SPOT", 1, 0));
    world.set_task_definition(
        &name,
        json!({"containerDefinitions": [{"name": "app", "portMappings": [{"containerPort": 80}]}]}),
    );
}

/// Prints what docs/doctor.md says of a thousand services: `cargo test --test doctor -- --ignored --nocapture thousand`
#[test]
#[ignore = "it takes twelve minutes: the pace is what is measured"]
fn a_thousand_services_take_what_the_document_says() {
    let mut world = deployed().world;
    (0..1000).for_each(|number| add_service(&mut world, number));
    world.set_latency(Duration::from_millis(30));
    let local = LocalAws::spawn_thread(world).unwrap();
    let start = std::time::Instant::now();
    let (_, record) = json(against(&local, &["doctor", "--json", "--cluster", "many"]));
    let (took, calls) = (start.elapsed(), elb_calls(&local));
    let refused = calls.iter().filter(|(_, ok)| !ok).count();
    println!(
        "{} services, {} calls of ELB, {refused} refused, {} calls in all, {:.0} s",
        record["services"],
        calls.len(),
        local.calls().len(),
        took.as_secs_f64()
    );
    assert_eq!((record["services"].as_u64(), calls.len(), refused), (Some(1000), 2070, 0));
    assert!((690..730).contains(&took.as_secs()), "{took:?}: docs/doctor.md says 702 seconds");
}

#[test]
fn the_example_has_nothing_and_the_exit_code_follows_the_worst() {
    let example = std::fs::read_to_string(format!("{}/{EXAMPLE}", common::command::ROOT)).unwrap();
    let (code, told, _) = run(spotdrain(&["doctor", "--template", EXAMPLE]));
    assert!(code == 0 && told.ends_with("doctor nothing found in 1 service by 36 checks\n"), "{told}");
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
    assert_eq!(list.lines().count(), 37);
    let (code, _, error) = run(spotdrain(&["doctor", "--explain", "SD99"]));
    assert!(code == 64 && error.contains("there is no check \"SD99\""), "{error}");
}

#[test]
fn a_tag_of_a_wrong_form_is_refused_with_the_form_it_should_have() {
    for wrong in ["team", "=ingest", ""] {
        let (code, _, error) = run(spotdrain(&["doctor", "--tag", wrong]));
        assert!(code == 64 && error.contains("--tag <KEY=VALUE>") && error.contains("expected KEY=VALUE"), "{error}");
    }
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
        vec!["--template", EXAMPLE, "--tag", "a=b"],
        vec!["--tag", "a=b", "--stack", "x"],
        vec!["--tag", "a=b", "--function", "x"],
    ] {
        assert_eq!(run(spotdrain(&[&["doctor"], &wrong[..]].concat())).0, 64, "{wrong:?}");
    }
}

//! Plans of Terraform in the shapes of common modules, each with its right outcome.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use spotdrain_doctor::plan::{Plans, read};
use spotdrain_doctor::{Diagnosis, examine};

use crate::cases::{found, reported};

const PLANS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctor/plans");

/// Files that are read together, the findings as `CHECK address`, and texts that must be among what was not checked or does not
/// apply.
type Shape = (&'static [&'static str], &'static [&'static str], &'static [&'static str]);

/// What is found in a blue/green service, whether `CodeDeploy` or ECS deploys it.
const BLUE_GREEN: &[&str] = &[
    "SD020 aws_lb_target_group.this[1]",
    "SD057 aws_lb_target_group.this[0]",
    "SD057 aws_lb_target_group.this[1]",
    "SD014 aws_lb_target_group.this[0]",
    "SD014 aws_lb_target_group.this[1]",
];

const NO_LISTENER: &[&str] = &["no listener in this plan forwards to target group aws_lb_target_group.this[1]"];

const TABLE: &[Shape] = &[
    (
        &["case.json"],
        &[
            "SD006 aws_ecs_service.s",
            "SD009 aws_ecs_task_definition.t, container web",
            "SD012 aws_lb_target_group.g",
            "SD039 aws_ecs_service.s",
            "SD003 aws_ecs_service.s",
            "SD057 aws_lb_target_group.g",
        ],
        &["no listener in this plan forwards to target group aws_lb_target_group.g"],
    ),
    (
        &["deploy-example.json"],
        &[],
        &[
            "SD035 function module.spotdrain.aws_lambda_function.spotdrain: policy is known only after the apply",
            "SD027,SD031,SD032 function module.spotdrain.aws_lambda_function.spotdrain: variables is known only after the apply",
        ],
    ),
    (
        &["for-each-load-balancers.json"],
        &[
            "SD012 module.web.aws_lb_target_group.this[\"grpc\"]",
            "SD057 module.web.aws_lb_target_group.this[\"beats\"]",
            "SD057 module.web.aws_lb_target_group.this[\"grpc\"]",
            "SD014 module.web.aws_lb_target_group.this[\"beats\"]",
            "SD014 module.web.aws_lb_target_group.this[\"grpc\"]",
        ],
        &[
            "the plan does not describe dynamic blocks: its target_group_arn is taken to be module.web.aws_lb_target_group.this[\"beats\"]",
            "the plan does not describe dynamic blocks: its target_group_arn is taken to be module.web.aws_lb_target_group.this[\"grpc\"]",
        ],
    ),
    (
        &["module-outputs.json"],
        &[
            "SD003 module.service.aws_ecs_service.this[0]",
            "SD018 module.alb.aws_lb_target_group.this[\"web\"]",
            "SD049 module.alb.aws_lb_target_group.this[\"web\"]",
        ],
        &["local.task_definition: its task_definition is taken to be module.service.aws_ecs_task_definition.this[0]"],
    ),
    (
        &["separate-service.json"],
        &["SD006 aws_ecs_service.web"],
        &["cluster/shared is not in this plan", "targetgroup/shared/0123456789abcdef is not in this plan"],
    ),
    (
        &["shared-state.json", "separate-service.json"],
        &[
            "SD006 aws_ecs_service.web",
            "SD012 module.shared.aws_lb_target_group.this",
            "SD003 aws_ecs_service.web",
            "SD057 module.shared.aws_lb_target_group.this",
            "SD014 module.shared.aws_lb_target_group.this",
        ],
        &[],
    ),
    (
        &["autoscaling.json"],
        &["SD003 aws_ecs_service.web", "SD003 aws_ecs_service.worker", "SD037 aws_appautoscaling_target.web"],
        &[],
    ),
    (&["blue-green.json"], BLUE_GREEN, NO_LISTENER),
    // Blue/green deployments of ECS itself, in the form of provider 6.
    (&["blue-green-native.json"], BLUE_GREEN, NO_LISTENER),
    (
        &["enabled-count.json"],
        &[
            "SD009 module.web.aws_ecs_task_definition.default[0], container web",
            "SD057 module.web.aws_lb_target_group.default[0]",
        ],
        &[],
    ),
    (
        &["services-in-for-each.json"],
        &[
            "SD006 module.service[\"api\"].aws_ecs_service.this",
            "SD012 aws_lb_target_group.this[\"web\"]",
            "SD057 aws_lb_target_group.this[\"api\"]",
            "SD057 aws_lb_target_group.this[\"web\"]",
        ],
        &[],
    ),
    (
        &["default-strategy.json"],
        &["SD003 aws_ecs_service.default", "SD048 aws_ecs_service.default"],
        &[
            "service aws_ecs_service.ec2: not on Fargate: launch type EC2",
            "service aws_ecs_service.on_demand: on demand: launch type FARGATE",
        ],
    ),
    (
        &["new-repository.json"],
        &["SD012 aws_lb_target_group.this", "SD003 aws_ecs_service.app", "SD008 aws_lb_target_group.this"],
        &["container_definitions is known only after the apply, because it uses aws_ecr_repository.app.repository_url"],
    ),
    (
        &["function.json"],
        &[
            "SD023 aws_cloudwatch_event_rule.notices",
            "SD024 aws_sqs_queue.notices",
            "SD025 aws_sqs_queue.notices",
            "SD051 aws_cloudwatch_event_rule.notices",
            "SD054 aws_sqs_queue.notices",
            "SD055 aws_sqs_queue.notices",
            "SD022 aws_cloudwatch_event_rule.notices",
            "SD026 function aws_lambda_function.spotdrain",
            "SD035 function aws_lambda_function.spotdrain",
        ],
        &[],
    ),
    (&["good.json"], &["SD057 aws_lb_target_group.this"], &[]),
];

fn diagnosis(files: &[&str]) -> Diagnosis {
    let files = files.iter().map(|file| Path::new(PLANS).join(file)).collect();
    examine(&read(&Plans { files, ..Plans::default() }, &|path| std::fs::read(path)).unwrap())
}

fn of_bytes(bytes: &[u8]) -> Result<Diagnosis, String> {
    let plans = Plans { files: vec![PathBuf::from("plan.json")], ..Plans::default() };
    read(&plans, &|_| Ok(bytes.to_vec())).map(|deployment| examine(&deployment)).map_err(|error| error.to_string())
}

fn text_of(file: &str) -> String {
    std::fs::read_to_string(Path::new(PLANS).join(file)).unwrap()
}

#[test]
fn every_plan_has_its_right_outcome() {
    for (files, expected, reports) in TABLE {
        let diagnosis = diagnosis(files);
        assert_eq!(found(&diagnosis), *expected, "{files:?}: {}", reported(&diagnosis));
        let report = reported(&diagnosis);
        assert!(reports.iter().all(|text| report.contains(text)), "{files:?}: {report}");
    }
}

#[test]
fn every_plan_is_in_the_table() {
    let files = std::fs::read_dir(PLANS).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let named = TABLE.iter().flat_map(|(files, ..)| files.iter().map(|file| (*file).to_owned()));
    assert_eq!(files.collect::<BTreeSet<_>>(), named.collect());
}

#[test]
fn a_fix_is_a_line_of_hcl() {
    let diagnosis = diagnosis(&["case.json"]);
    let fix = |id: &str| {
        let finding = diagnosis.findings.iter().find(|one| one.check.id == id).unwrap();
        finding.problem.fix.of(diagnosis.origin).to_owned()
    };
    assert_eq!(fix("SD006"), "desired_count = 2");
    assert_eq!(fix("SD009"), "stopTimeout = 120 in the container of container_definitions");
    assert_eq!(fix("SD012"), "deregistration_delay = 90");
}

#[test]
fn opentofu_and_utf_16_are_read_as_well() {
    let text = text_of("case.json");
    let expected = found(&diagnosis(&["case.json"]));
    let tofu = text.replace("registry.terraform.io", "registry.opentofu.org");
    assert_eq!(found(&of_bytes(tofu.as_bytes()).unwrap()), expected);
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(found(&of_bytes(&utf16).unwrap()), expected);
    let marked = [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat();
    assert_eq!(found(&of_bytes(&marked).unwrap()), expected);
}

/// The state after the apply of `case.json`: the same values, with the ids that AWS has chosen.
fn applied() -> serde_json::Value {
    let plan: serde_json::Value = serde_json::from_str(&text_of("case.json")).unwrap();
    let mut root = plan["planned_values"]["root_module"].clone();
    let arn = |service: &str, resource: &str| format!("arn:aws:{service}:eu-central-1:123456789012:{resource}");
    let (cluster, definition) = (arn("ecs", "cluster/demo"), arn("ecs", "task-definition/web:7"));
    let group = arn("elasticloadbalancing", "targetgroup/web/0123456789abcdef");
    for resource in root["resources"].as_array_mut().unwrap() {
        let kind = resource["type"].as_str().unwrap().to_owned();
        let values = &mut resource["values"];
        match kind.as_str() {
            "aws_ecs_cluster" => values["arn"] = cluster.clone().into(),
            "aws_ecs_task_definition" => values["arn"] = definition.clone().into(),
            "aws_lb_target_group" => values["arn"] = group.clone().into(),
            _ => {
                values["cluster"] = cluster.clone().into();
                values["task_definition"] = definition.clone().into();
                values["load_balancer"][0]["target_group_arn"] = group.clone().into();
                values["launch_type"] = "".into();
                values["platform_version"] = "LATEST".into();
            }
        }
    }
    serde_json::json!({"format_version": "1.0", "values": {"root_module": root}})
}

#[test]
fn a_state_has_the_findings_of_its_plan() {
    let diagnosis = of_bytes(applied().to_string().as_bytes()).unwrap();
    assert_eq!(found(&diagnosis), found(&self::diagnosis(&["case.json"])), "{}", reported(&diagnosis));
}

#[test]
fn what_is_not_the_json_of_a_plan_is_refused_with_what_to_do() {
    let google = r#"{"planned_values": {"root_module": {"resources": [{"address": "google_x.a", "type": "google_x", "name": "a", "provider_name": "registry.terraform.io/hashicorp/google"}]}}}"#;
    let table: [(&[u8], &str); 12] = [
        (b"PK\x03\x04plan", "is a binary plan: terraform show -json tfplan > plan.json"),
        (b"", "is empty: run terraform plan -out tfplan"),
        (b"{", "is not JSON"),
        (b"\xff\xff", "is not text"),
        (b"[]", "is not the JSON of a plan or of a state"),
        (br#"{"format_version": "1.0"}"#, "has no values: the state is empty"),
        (br#"{"version": 4, "serial": 1, "lineage": "a"}"#, "is a state file of Terraform: run terraform show -json"),
        (b"{\"@level\":\"info\"}\n{}", "is the log of terraform plan -json"),
        (b"resource \"aws_lb\" \"a\" {}\n", "is Terraform's configuration"),
        (b"Terraform will perform the following actions:", "is a plan as text"),
        (br#"{"Resources": {}}"#, "is a template of CloudFormation or SAM: give it with --template"),
        (google.as_bytes(), "has no resources of AWS, only of registry.terraform.io/hashicorp/google"),
    ];
    for (bytes, expected) in table {
        let error = of_bytes(bytes).unwrap_err();
        assert!(error.starts_with("plan.json: ") && error.contains(expected), "{error}");
    }
}

#[test]
fn a_plan_without_configuration_reports_the_links_that_it_lacks() {
    let mut plan: serde_json::Value = serde_json::from_str(&text_of("case.json")).unwrap();
    plan.as_object_mut().unwrap().remove("configuration");
    let diagnosis = of_bytes(plan.to_string().as_bytes()).unwrap();
    let report = reported(&diagnosis);
    assert!(report.contains("plan.json: it has no configuration"), "{report}");
    assert!(
        report.contains("target_group_arn is known only after the apply, and the plan lacks its configuration"),
        "{report}"
    );
    assert_eq!(found(&diagnosis), ["SD006 aws_ecs_service.s", "SD003 aws_ecs_service.s"]);
}

#[test]
fn a_plan_that_ended_with_an_error_is_not_taken_to_be_complete() {
    let text = text_of("case.json").replace("\"errored\":false", "\"errored\":true");
    assert!(reported(&of_bytes(text.as_bytes()).unwrap()).contains("planning ended with an error"));
}

#[test]
fn an_empty_plan_has_nothing_to_examine() {
    assert!(of_bytes(br#"{"planned_values": {"root_module": {}}}"#).unwrap().is_empty());
}

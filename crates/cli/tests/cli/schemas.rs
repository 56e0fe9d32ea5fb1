//! Every `--json` is what its schema in `docs/schema` says, and every field of a schema is written by the command.
//!
//! The schemas of the drill and the probe are tested in `drill.rs` and `probe.rs`, that of a report over several accounts in
//! `../report_logs/accounts.rs`, and that of a notice's record in the core.

pub(crate) mod checked;

use std::process::Stdio;

use crate::command::{ROOT, against, run, spotdrain};
use checked::Checked;
use serde_json::{Value, json};
use spotdrain_localaws::{Action, Fault, LocalAws, Scene};

const EVENT: &str = "events/spot-interruption.json";
const EXAMPLE: &str = "crates/doctor/tests/doctor/fixtures/example.yaml";

/// The tests that name the schemas they use.
const TESTS: [&str; 4] = [
    include_str!("schemas.rs"),
    include_str!("drill.rs"),
    include_str!("probe.rs"),
    include_str!("../../../core/tests/core/schema/mod.rs"),
];

/// The names of the schemas' files.
fn files() -> Vec<String> {
    let entries = std::fs::read_dir(format!("{ROOT}/docs/schema")).unwrap();
    let paths =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|end| end == "json"));
    paths.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

fn scratch(name: &str, text: &str) -> String {
    let file = format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&file, text).unwrap();
    file
}

fn samples() -> Vec<String> {
    let entries = std::fs::read_dir(format!("{ROOT}/events")).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_file()).map(|path| path.to_string_lossy().into_owned()).collect()
}

/// Runs a command whose exit code does not matter, and checks what it printed.
fn check(schema: &mut Checked, mut command: std::process::Command) -> Value {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let error = || format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    let value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {}", error()));
    schema.check(&value);
    value
}

#[test]
fn every_schema_has_a_test_and_a_row_in_the_readme() {
    let readme = std::fs::read_to_string(format!("{ROOT}/docs/schema/README.md")).unwrap();
    for file in files() {
        assert!(TESTS.iter().any(|test| test.contains(&file)), "no test uses {file}");
        assert!(readme.contains(&format!("]({file})")), "docs/schema/README.md does not list {file}");
    }
}

#[test]
fn a_schema_names_itself_and_its_version() {
    for file in files() {
        let schema = checked::read(&file);
        let (name, version) = file.strip_suffix(".json").unwrap().rsplit_once('-').unwrap();
        let id = format!("https://github.com/spotdrain/spotdrain/blob/main/docs/schema/{file}");
        assert_eq!(schema["$id"], id);
        assert!(schema["title"].as_str().unwrap().ends_with(&format!(", version {version}")), "{file}");
        assert!(schema["description"].as_str().unwrap().contains("ignore fields that they do not know"), "{file}");
        // The record of a notice and the report have a number, because they had it before the others had a version.
        let expected = [json!(version.parse::<u64>().unwrap()), json!(format!("spotdrain-{name}-{version}"))];
        let written =
            schema.pointer("/properties/schema/const").or(schema.pointer("/$defs/check/properties/schema/const"));
        assert!(written.is_none_or(|written| expected.contains(written)), "{file}: {written:?}");
        assert!(written.is_some() || name == "explain", "{file} has no version");
    }
}

#[test]
fn what_explain_prints_matches_its_schema() {
    let mut schema = Checked::new("explain-1.json");
    for file in samples() {
        check(&mut schema, spotdrain(&["explain", "--json", &file]));
    }
    check(&mut schema, spotdrain(&["explain", "--json", "--clusters", "other", EVENT]));
    let malformed = check(&mut schema, spotdrain(&["explain", "--json", "events/malformed/sqs-batch-one-bad.json"]));
    assert_eq!(malformed.as_array().unwrap().len(), 2, "the third message is cut off");
    schema.assert_complete_but_for(&[]);
}

#[test]
fn what_plan_and_drain_print_matches_their_schema() {
    let mut schema = Checked::new("drain-1.json");
    let local = LocalAws::spawn_thread(Scene::demo().world).unwrap();
    for file in samples() {
        check(&mut schema, against(&local, &["plan", "--restamp", "--json", "--timeout", "5", &file]));
    }
    let drain = ["drain", "--restamp", "--json", "--timeout", "5"];
    for (event, more) in [
        (EVENT, &["--mode", "observe"][..]),
        (EVENT, &[]),
        (EVENT, &[]),
        (EVENT, &["--clusters", "other"]),
        ("events/malformed/sqs-batch-one-bad.json", &[]),
    ] {
        check(&mut schema, against(&local, &[&drain[..], more, &[event]].concat()));
    }
    // A target group without a healthy target: docs/schema/drain-1.json has it, and a test of the function reaches it.
    schema.assert_complete_but_for(&["/properties/emptied"]);
}

#[test]
fn a_drain_that_fails_matches_its_schema() {
    let mut schema = Checked::new("drain-1.json");
    for action in [Action::DescribeServices, Action::DescribeTargetHealth, Action::DeregisterTargets] {
        let mut scene = Scene::demo();
        scene.world.add_fault(Fault::AccessDenied.on(action));
        let local = LocalAws::spawn_thread(scene.world).unwrap();
        let report = check(&mut schema, against(&local, &["drain", "--restamp", "--json", "--timeout", "5", EVENT]));
        let failures = [&report["notices"][0]["failure"], &report["notices"][0]["registrations"][0]["failure"]];
        assert!(
            failures.iter().any(|failure| failure.is_object()) || action == Action::DescribeTargetHealth,
            "{report}"
        );
    }
}

#[test]
fn what_the_demo_prints_matches_its_schema() {
    let mut schema = Checked::new("demo-1.json");
    check(&mut schema, spotdrain(&["demo", "--json"]));
    schema.assert_complete_but_for(&[]);
}

/// A template with errors, of which one is accepted; with a setting that is unknown; and with services of other capacity.
fn doctor_inputs() -> [String; 4] {
    let example = std::fs::read_to_string(format!("{ROOT}/{EXAMPLE}")).unwrap();
    let example =
        example.replace("StopTimeout: 120", "StopTimeout: 30").replace("    Default: enforce", "    Description: none");
    let service = |properties: &str| {
        format!(
            "Resources:\n  TaskDefinition: {{ Type: AWS::ECS::TaskDefinition, Properties: {{ NetworkMode: awsvpc, ContainerDefinitions: [{{ Name: web, Image: a }}] }} }}\n  Service:\n    Type: AWS::ECS::Service\n    Properties: {{ {properties}, TaskDefinition: !Ref TaskDefinition }}\n"
        )
    };
    [
        scratch("schemas-example.yaml", &example),
        scratch("schemas-on-demand.yaml", &service("LaunchType: FARGATE, DesiredCount: 2")),
        scratch("schemas-unknown.yaml", &service("Cluster: !ImportValue cluster, DesiredCount: 1")),
        scratch("schemas-accepted.txt", "SD009 task definition * # it has no long connections\n"),
    ]
}

#[test]
fn a_diagnosis_matches_its_schema() {
    let mut schema = Checked::new("diagnosis-1.json");
    let [example, on_demand, unknown, accepted] = doctor_inputs();
    let found = check(&mut schema, spotdrain(&["doctor", "--json", "--template", &example, "--accept", &accepted]));
    assert_eq!(found["findings"].as_array().unwrap().iter().filter(|one| one["accepted"].is_string()).count(), 1);
    for template in [&on_demand, &unknown] {
        check(&mut schema, spotdrain(&["doctor", "--json", "--template", template]));
    }
    let local = LocalAws::spawn_thread(Scene::demo().world).unwrap();
    let deployed = check(&mut schema, against(&local, &["doctor", "--json"]));
    assert!(deployed["findings"][0].get("line").is_none(), "what is deployed has no line: {deployed}");
    schema.assert_complete_but_for(&[]);
}

#[test]
fn the_explanation_of_a_check_matches_its_schema() {
    let mut schema = Checked::new("checks-1.json");
    let one = check(&mut schema, spotdrain(&["doctor", "--explain", "SD009", "--json"]));
    assert_eq!(one["schema"], "spotdrain-checks-1");
    let all = check(&mut schema, spotdrain(&["doctor", "--explain", "--json"]));
    assert!(all[0].get("schema").is_none());
    schema.assert_complete_but_for(&[]);
}

/// The log of a function: a notice that fails, one of a newer version, one that is cut off, and a message that is not JSON.
fn log() -> String {
    let local = LocalAws::spawn_thread(Scene::demo().world).unwrap();
    local.world().add_fault(Fault::AccessDenied.on(Action::DeregisterTargets));
    let (_, out, _) = run(against(&local, &["drain", "--restamp", "--json", "--timeout", "5", EVENT]));
    let report: Value = serde_json::from_str(&out).unwrap();
    let record = &report["notices"][0];
    let mut newer = record.clone();
    newer["schema"] = json!(3);
    let line = |record: &Value| json!({"message": "notice", "record": record}).to_string();
    let cut: String = line(record).chars().take(1500).collect();
    let message =
        json!({"message": "malformed", "message_id": "m", "path": "the top", "problem": "expected an object"});
    format!("{}\n{}\n{cut}\n{message}\nSTART\n", line(record), line(&newer))
}

#[test]
fn a_report_matches_its_schema() {
    let mut schema = Checked::new("report-1.json");
    check(&mut schema, spotdrain(&["report", "--demo", "--json"]));
    check(
        &mut schema,
        spotdrain(&["report", "--demo", "--json", "--since", "12h", "--cluster", "demo", "--service", "web"]),
    );
    let log = scratch("schemas.log", &log());
    let report = check(&mut schema, spotdrain(&["report", "--json", &log]));
    let problems = &report["problems"];
    assert_eq!((&problems["failed"], &problems["unreadable_messages"]), (&json!(1), &json!(1)), "{report}");
    assert_eq!((&report["lines"]["newer_schema"], &report["lines"]["unreadable"]), (&json!(1), &json!(1)), "{report}");
    // The tests of --accounts check these fields: report_logs/accounts.rs.
    schema.assert_complete_but_for(&["/$defs/account/", "/properties/accounts"]);
}

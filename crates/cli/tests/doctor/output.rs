//! Output formats, inputs and exit codes.

use std::path::PathBuf;

use crate::command::{ROOT, json, run, spotdrain};

const EXAMPLE: &str = "crates/doctor/tests/doctor/fixtures/example.yaml";

fn scratch(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_exit_code_follows_the_most_severe_finding() {
    let example = std::fs::read_to_string(format!("{ROOT}/{EXAMPLE}")).unwrap();
    let (code, output, _) = run(spotdrain(&["doctor", "--template", EXAMPLE]));
    assert!(
        code == 0 && output.ends_with("doctor 0 errors, 1 warning, 0 notes in 1 service by 61 checks\n"),
        "{output}"
    );
    let warned =
        scratch("warned.yaml", &example.replace("HealthCheckIntervalSeconds: 10", "HealthCheckIntervalSeconds: 60"));
    let failed = scratch("failed.yaml", &example.replace("StopTimeout: 120", "StopTimeout: 30"));
    let noted = scratch("noted.yaml", &example.replace("Base: 2", "Base: 4"));
    let table = [(&warned, false, 0), (&warned, true, 2), (&failed, false, 1), (&failed, true, 1), (&noted, false, 0)];
    for (file, strict, expected) in table {
        let mut arguments = vec!["doctor", "--template", file.to_str().unwrap()];
        arguments.extend(strict.then_some("--strict"));
        assert_eq!(run(spotdrain(&arguments)).0, expected, "{arguments:?}");
    }
}

#[test]
fn findings_are_printed_as_text_and_sarif() {
    let example = std::fs::read_to_string(format!("{ROOT}/{EXAMPLE}")).unwrap();
    let text =
        example.replace("StopTimeout: 120", "StopTimeout: 30").replace("    Default: enforce", "    Description: none");
    let file = scratch("output.yaml", &text);
    let file = file.to_str().unwrap();
    let (_, output, _) = run(spotdrain(&["doctor", "--template", file]));
    insta::assert_snapshot!(output.replace(file, "template.yaml"));
    let (code, sarif) = json(spotdrain(&["doctor", "--template", file, "--sarif"]));
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!((code, result["ruleId"].as_str(), result["level"].as_str()), (1, Some("SD009"), Some("error")));
    assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 90);
    assert!(sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"].as_array().unwrap().len() == 2);
    assert_eq!(run(spotdrain(&["doctor", "--template", file, "--parameter", "Mode=enforce", "--json"])).0, 1);
}

#[test]
fn a_finding_can_be_accepted_with_a_reason() {
    let example = std::fs::read_to_string(format!("{ROOT}/{EXAMPLE}")).unwrap();
    let file = scratch("accepted.yaml", &example.replace("StopTimeout: 120", "StopTimeout: 30"));
    let template = file.to_str().unwrap();
    let accepted =
        scratch("accepted.txt", "SD009 task definition * # it has no long connections\nSD001 service x # gone\n");
    let arguments = ["doctor", "--template", template, "--accept", accepted.to_str().unwrap()];
    let (code, output, _) = run(spotdrain(&arguments));
    assert!(
        code == 0
            && output.contains("; 1 accepted")
            && output.contains("accepted but no longer found: SD001 service x"),
        "{output}"
    );
    let (_, sarif) = json(spotdrain(&[&arguments[..], &["--sarif"]].concat()));
    assert_eq!(sarif["runs"][0]["results"][0]["suppressions"][0]["justification"], "it has no long connections");
    let bad = scratch("bad.txt", "SD009\n");
    let (code, _, error) = run(spotdrain(&["doctor", "--template", template, "--accept", bad.to_str().unwrap()]));
    assert!(code == 64 && error.contains("bad.txt: line 1: expected a check"), "{error}");
}

#[test]
fn a_check_is_explained() {
    let (code, output, _) = run(spotdrain(&["doctor", "--explain", "sd021"]));
    assert_eq!(code, 0);
    insta::assert_snapshot!(output);
    let (_, list, _) = run(spotdrain(&["doctor", "--explain"]));
    assert_eq!(list.lines().count(), 62);
    let (code, _, error) = run(spotdrain(&["doctor", "--explain", "SD99"]));
    assert!(code == 64 && error.contains("there is no check \"SD99\""), "{error}");
}

#[test]
fn an_invalid_tag_is_rejected_with_the_expected_format() {
    for wrong in ["team", "=ingest", ""] {
        let (code, _, error) = run(spotdrain(&["doctor", "--tag", wrong]));
        assert!(code == 64 && error.contains("--tag <KEY=VALUE>") && error.contains("expected KEY=VALUE"), "{error}");
    }
}

#[test]
fn an_invalid_template_is_rejected_with_its_name() {
    for (file, expected) in
        [("README.md", "README.md: is not valid YAML"), ("nowhere", "cannot be read"), ("Cargo.toml", "Cargo.toml: ")]
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

#[test]
fn standard_input_folders_and_parameter_files_are_read() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("templates");
    std::fs::create_dir_all(&folder).unwrap();
    let example = std::fs::read_to_string(format!("{ROOT}/{EXAMPLE}")).unwrap();
    std::fs::write(folder.join("web.yaml"), &example).unwrap();
    std::fs::write(folder.join("notes.json"), "{}").unwrap();
    let (code, record) = json(spotdrain(&["doctor", "--json", "--template", folder.to_str().unwrap()]));
    assert_eq!((code, &record["services"]), (0, &1.into()));
    let parameters = scratch("parameters.json", r#"{"Parameters": {"Mode": "observe"}}"#);
    let parameters = parameters.to_str().unwrap();
    let checks = |record: &serde_json::Value| {
        let findings = record["findings"].as_array().unwrap().clone();
        findings.iter().map(|one| one["check"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let arguments = ["doctor", "--json", "--template", "-", "--parameter-file", parameters];
    let mut command = spotdrain(&arguments);
    let output = command.stdin(std::fs::File::open(format!("{ROOT}/{EXAMPLE}")).unwrap()).output().unwrap();
    let record: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(checks(&record), ["SD031", "SD057"]);
    assert_eq!(record["findings"][0]["file"], "stdin");
    let (_, record) = json(spotdrain(&[
        "doctor",
        "--json",
        "--template",
        EXAMPLE,
        "--parameter-file",
        parameters,
        "--parameter",
        "Mode=enforce",
    ]));
    assert_eq!(checks(&record), ["SD057"]);
    let (code, _, error) = run(spotdrain(&["doctor", "--template", EXAMPLE, "--parameter-file", EXAMPLE]));
    assert!(code == 64 && error.contains("example.yaml: is not JSON"), "{error}");
}

#[test]
fn nothing_to_examine_is_an_error_in_every_format() {
    let empty = scratch("empty.yaml", "Resources:\n  Topic: { Type: AWS::SNS::Topic }\n");
    let empty = empty.to_str().unwrap();
    for format in ["--json", "--sarif", "--strict"] {
        let (code, _, error) = run(spotdrain(&["doctor", "--template", empty, format]));
        let expected = format!("nothing to examine: no ECS service and no spotdrain function in {empty}");
        assert!(code == 1 && error.contains(&expected), "{code} {error}");
    }
}

#[test]
fn unchecked_settings_and_refused_connections_can_fail_the_run() {
    let example = std::fs::read_to_string(format!("{ROOT}/{EXAMPLE}")).unwrap();
    let open = scratch("open.yaml", &example.replace("    Default: enforce", "    Description: none"));
    let open = open.to_str().unwrap();
    let table = [
        (vec![open], 0, ""),
        (vec![open, "--require-checked"], 1, "not checked: 2 (--require-checked)"),
        (vec![open, "--require-checked", "--parameter", "Mode=enforce"], 0, ""),
        (vec![EXAMPLE, "--fail-on-refused", "61"], 0, ""),
        (vec![EXAMPLE, "--fail-on-refused", "60"], 1, "refused for 60 s (--fail-on-refused 60)"),
    ];
    for (arguments, expected, text) in table {
        let (code, _, error) = run(spotdrain(&[&["doctor", "--template"], &arguments[..]].concat()));
        assert!(code == expected && error.contains(text), "{arguments:?}: {code} {error}");
    }
}

#[test]
fn an_on_demand_service_is_reported_as_such() {
    let text = "Resources:\n  Service:\n    Type: AWS::ECS::Service\n    Properties: { LaunchType: FARGATE, DesiredCount: 2 }\n";
    let file = scratch("on-demand.yaml", text);
    let (code, output, _) = run(spotdrain(&["doctor", "--template", file.to_str().unwrap()]));
    assert!(output.contains("service Service: on demand: launch type FARGATE: 42 checks do not apply"), "{output}");
    assert!(code == 0 && output.ends_with("doctor 1 service, none of them on Fargate Spot\n"), "{output}");
}

//! What is told, to whom, and with which exit code.

use std::path::PathBuf;

use crate::command::{ROOT, json, run, spotdrain};

const EXAMPLE: &str = "crates/doctor/tests/doctor/fixtures/example.yaml";

fn scratch(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_example_has_nothing_and_the_exit_code_follows_the_worst() {
    let example = std::fs::read_to_string(format!("{ROOT}/{EXAMPLE}")).unwrap();
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
    let example = std::fs::read_to_string(format!("{ROOT}/{EXAMPLE}")).unwrap();
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
    let example = std::fs::read_to_string(format!("{ROOT}/{EXAMPLE}")).unwrap();
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

//! Where people run linters: plans and assemblies, the choice of checks, accepted findings, the GitHub Action and the hook of
//! pre-commit.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::command::{ROOT, json, run, spotdrain};

const PLAN: &str = "crates/doctor/tests/doctor/same-service/plan.json";
const TEMPLATE: &str = "crates/doctor/tests/doctor/same-service/template.yaml";
const ASSEMBLY: &str = "crates/doctor/tests/doctor/same-service/cdk.out";

/// An empty folder.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn checks(arguments: &[&str]) -> Vec<String> {
    let (_, record) = json(spotdrain(&[&["doctor", "--json"], arguments].concat()));
    record["findings"].as_array().unwrap().iter().map(|one| one["check"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn plans_and_assemblies_are_read_and_a_plan_has_fixes_of_hcl() {
    let expected = ["SD006", "SD009", "SD012", "SD003", "SD057"];
    assert_eq!(checks(&["--plan", PLAN]), expected);
    assert_eq!(checks(&["--template", ASSEMBLY]), expected);
    let (code, output, _) = run(spotdrain(&["doctor", "--plan", PLAN]));
    assert!(
        code == 1 && output.contains("desired_count = 2") && output.contains("service aws_ecs_service.web"),
        "{output}"
    );
    let mut command = spotdrain(&["doctor", "--json", "--plan", "-"]);
    let plan = std::fs::File::open(format!("{ROOT}/{PLAN}")).unwrap();
    let output = command.stdin(plan).output().unwrap();
    let record: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(record["findings"][0]["file"], "stdin");
    assert_eq!(record["findings"][0]["fix"]["terraform"], "desired_count = 2");
}

#[test]
fn what_is_not_a_plan_is_refused() {
    let (code, _, error) = run(spotdrain(&["doctor", "--plan", TEMPLATE]));
    assert!(code == 65 && error.contains("is not JSON") && error.contains("terraform show -json"), "{error}");
    let (code, _, error) = run(spotdrain(&["doctor", "--plan", "nowhere.json"]));
    assert!(code == 65 && error.contains("nowhere.json: cannot be read"), "{error}");
    for other in [vec!["--template", TEMPLATE], vec!["--cluster", "x"], vec!["--parameter", "A=b"]] {
        assert_eq!(run(spotdrain(&[&["doctor", "--plan", PLAN], &other[..]].concat())).0, 64, "{other:?}");
    }
}

#[test]
fn checks_are_chosen_by_number_and_severity() {
    assert_eq!(checks(&["--template", TEMPLATE, "--only", "SD003,sd006"]), ["SD006", "SD003"]);
    assert_eq!(
        checks(&["--template", TEMPLATE, "--ignore", "SD006", "--ignore", "SD057"]),
        ["SD009", "SD012", "SD003"]
    );
    assert_eq!(checks(&["--template", TEMPLATE, "--severity", "error"]), ["SD006", "SD009", "SD012"]);
    let (code, output, _) = run(spotdrain(&["doctor", "--template", TEMPLATE, "--only", "SD003"]));
    assert!(code == 0 && output.contains("in 1 service by 1 checks"), "{code}: {output}");
    for wrong in [["--only", "SD99"], ["--severity", "bad"]] {
        let (code, _, error) = run(spotdrain(&[&["doctor", "--template", TEMPLATE], &wrong[..]].concat()));
        assert!(
            code == 64 && (error.contains("unknown check") || error.contains("expected error, warning or note")),
            "{error}"
        );
    }
}

#[test]
fn open_findings_are_written_to_the_accepted_file() {
    let file = folder("write-accepted").join("accepted.txt");
    let file = file.to_str().unwrap();
    let accept = ["doctor", "--template", TEMPLATE, "--accept", file];
    let (code, output, error) = run(spotdrain(&[&accept[..], &["--write-accepted", "taken over"]].concat()));
    assert!(code == 0 && output.contains("5 accepted"), "{output}{error}");
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("SD006 service Service  # taken over\n") && text.lines().count() == 5, "{text}");
    let (code, output, _) = run(spotdrain(&accept));
    assert!(code == 0 && output.contains("5 accepted"), "{output}");
    assert_eq!(run(spotdrain(&["doctor", "--template", TEMPLATE, "--write-accepted", "x"])).0, 64);
    assert_eq!(run(spotdrain(&[&accept[..], &["--write-accepted", ""]].concat())).0, 64);
}

#[test]
fn a_check_is_explained_as_json() {
    let (code, check) = json(spotdrain(&["doctor", "--explain", "SD009", "--json"]));
    assert_eq!((code, &check["id"], &check["severity"]), (0, &"SD009".into(), &"error".into()));
    assert!(check["help"].as_str().unwrap().ends_with("docs/checks/SD009.md"));
    let (_, all) = json(spotdrain(&["doctor", "--explain", "--json"]));
    assert_eq!(all.as_array().unwrap().len(), 61);
}

/// Runs a script in a folder, with this build of spotdrain on the path.
fn bash(script: &Path, arguments: &[&str], folder: &Path, environment: &[(&str, &str)]) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_spotdrain")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command.arg(script).args(arguments).current_dir(folder).env_clear().env("PATH", path);
    command.envs(environment.iter().copied()).output().unwrap()
}

#[test]
fn the_steps_of_the_action_run_in_an_empty_folder() {
    let action: Value = serde_yaml_ng::from_str(include_str!("../../../../action.yml")).unwrap();
    let folder = folder("action");
    let plan = format!("{ROOT}/{PLAN}");
    let table = [(plan.as_str(), "--severity=warning", 1), (plan.as_str(), "--only=SD003", 0), ("", "", 64)];
    for (plans, arguments, expected) in table {
        let environment = [
            ("GITHUB_ACTION_PATH", ROOT),
            ("GITHUB_PATH", "path.txt"),
            ("GITHUB_OUTPUT", "output.txt"),
            ("RUNNER_TEMP", "."),
            ("TEMPLATES", ""),
            ("PLANS", plans),
            ("ARGUMENTS", arguments),
            ("SARIF_FILE", "doctor.sarif"),
        ];
        let mut code = 0;
        for step in action["runs"]["steps"].as_array().unwrap() {
            let script = folder.join("step.sh");
            std::fs::write(&script, step["run"].as_str().unwrap()).unwrap();
            let output = bash(&script, &[], &folder, &environment);
            code = output.status.code().unwrap();
            assert!(code == expected || code == 0, "{output:?}");
        }
        assert_eq!(code, expected, "{arguments}");
    }
    let log: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("doctor.sarif")).unwrap()).unwrap();
    assert_eq!(log["version"], "2.1.0");
    assert!(std::fs::read_to_string(folder.join("output.txt")).unwrap().contains("sarif-file=doctor.sarif"));
}

#[test]
fn input_that_cannot_be_read_is_one_error_and_leaves_no_log() {
    let action: Value = serde_yaml_ng::from_str(include_str!("../../../../action.yml")).unwrap();
    let folder = folder("unread");
    let script = folder.join("step.sh");
    std::fs::write(&script, action["runs"]["steps"][1]["run"].as_str().unwrap()).unwrap();
    let inputs = [("TEMPLATES", "nothere.yaml"), ("PLANS", ""), ("ARGUMENTS", ""), ("SARIF_FILE", "doctor.sarif")];
    let output = bash(&script, &[], &folder, &[&inputs[..], &[("GITHUB_OUTPUT", "output.txt")]].concat());
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), error.matches("nothere.yaml: cannot be read").count()), (Some(65), 1), "{error}");
    assert!(!folder.join("doctor.sarif").exists() && !folder.join("output.txt").exists());
}

/// A `cargo` that records its folder and arguments, and installs this build.
const CARGO: &str = r#"#!/bin/sh
echo "$PWD: $*" > "$RUNNER_TEMP/cargo.txt"
mkdir -p "$4/bin" && ln -s "$BUILT" "$4/bin/spotdrain"
"#;

/// Whether a program of the `PATH` is used depends on the machine, so the `PATH` has only the system's folders.
#[test]
fn the_action_installs_spotdrain_in_its_own_folder_for_the_steps_after_it() {
    let action: Value = serde_yaml_ng::from_str(include_str!("../../../../action.yml")).unwrap();
    let folder = folder("install");
    let temp = folder.to_str().unwrap();
    let bin = folder.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::write(bin.join("cargo"), CARGO).unwrap();
    std::fs::set_permissions(bin.join("cargo"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new("bash");
    command.arg("-c").arg(action["runs"]["steps"][0]["run"].as_str().unwrap()).current_dir(&folder).env_clear();
    command.env("PATH", format!("{}:/usr/bin:/bin", bin.display()));
    command.envs([("GITHUB_ACTION_PATH", ROOT), ("RUNNER_TEMP", temp), ("BUILT", env!("CARGO_BIN_EXE_spotdrain"))]);
    let output = command.env("GITHUB_PATH", folder.join("path.txt")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let (root, asked) = (Path::new(ROOT).canonicalize().unwrap(), read("cargo.txt"));
    let (asked_in, arguments) = asked.trim_end().split_once(": ").unwrap();
    assert_eq!(Path::new(asked_in).canonicalize().unwrap(), root, "its rust-toolchain.toml decides");
    assert_eq!(arguments, format!("install --locked --root {temp}/spotdrain --path crates/cli"));
    let installed = Path::new(read("path.txt").trim_end()).join("spotdrain");
    assert!(Command::new(installed).arg("--version").output().unwrap().status.success());
}

#[test]
fn the_hook_examines_the_changed_files_that_have_services() {
    let hooks: Value = serde_yaml_ng::from_str(include_str!("../../../../.pre-commit-hooks.yaml")).unwrap();
    let script = Path::new(ROOT).join(hooks[0]["entry"].as_str().unwrap());
    let folder = folder("hook");
    for (from, to) in [(PLAN, "plan.json"), (TEMPLATE, "web stack.yaml")] {
        std::fs::copy(Path::new(ROOT).join(from), folder.join(to)).unwrap();
    }
    std::fs::write(folder.join("other.yaml"), "a: 1\n").unwrap();
    let files = ["plan.json", "web stack.yaml", "other.yaml"];
    let output = bash(&script, &[&["--severity=error"], &files[..]].concat(), &folder, &[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!((output.status.code(), text.matches("3 errors").count()), (Some(1), 2), "{text}");
    assert_eq!(bash(&script, &["other.yaml"], &folder, &[]).status.code(), Some(0));
}

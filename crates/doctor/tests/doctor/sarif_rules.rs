//! The SARIF log passes the rules of Microsoft's Sarif multitool, where it is installed (`npm install @microsoft/sarif-multitool`);
//! `SARIF_MULTITOOL` names it where it is not on the path.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use spotdrain_doctor::examine;
use spotdrain_doctor::sarif::sarif;
use spotdrain_doctor::template::{Templates, read};

/// Suggestions that the log leaves out: arguments of messages, the version control, addresses that the tool can reach, and
/// the text of the sources.
const LEFT_OUT: [&str; 5] = ["SARIF2002", "SARIF2003", "SARIF2006", "SARIF2010", "SARIF2011"];

const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctor/same-service/template.yaml");

fn log(file: &str) -> Value {
    let templates = Templates::of(Path::new(file), BTreeMap::new());
    let deployment = read(&templates, &|_| std::fs::read_to_string(TEMPLATE)).unwrap();
    sarif(&examine(&deployment), "1.2.3")
}

fn address(file: &str) -> (String, Option<String>) {
    let log = log(file);
    let location = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"];
    (location["uri"].as_str().unwrap().to_owned(), location["uriBaseId"].as_str().map(str::to_owned))
}

#[test]
fn addresses_are_escaped_and_relative_to_the_root_of_the_sources() {
    let root = Some("SRCROOT".to_owned());
    assert_eq!(address("./my stacks/web#1.yaml"), ("my%20stacks/web%231.yaml".to_owned(), root.clone()));
    assert_eq!(address("stacks\\web.yaml"), ("stacks/web.yaml".to_owned(), root));
    assert_eq!(address("/stacks/ä.yaml"), ("file:///stacks/%C3%A4.yaml".to_owned(), None));
}

#[test]
fn every_rule_has_a_name_and_a_page() {
    let log = log("template.yaml");
    for rule in log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap() {
        let (id, name) = (rule["id"].as_str().unwrap(), rule["name"].as_str().unwrap());
        assert!(
            name.starts_with(|one: char| one.is_ascii_uppercase()) && name.chars().all(char::is_alphanumeric),
            "{name}"
        );
        assert!(rule["helpUri"].as_str().unwrap().ends_with(&format!("docs/checks/{id}.md")));
    }
}

#[test]
fn the_log_passes_the_rules_of_the_sarif_multitool() {
    let tool = std::env::var("SARIF_MULTITOOL").unwrap_or_else(|_| "sarif-multitool".to_owned());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let (file, result) = (folder.join("doctor.sarif"), folder.join("rules.sarif"));
    std::fs::write(&file, serde_json::to_string_pretty(&log("my stacks/web.yaml")).unwrap()).unwrap();
    let mut command = Command::new(&tool);
    command.arg("validate").arg(&file).arg("--output").arg(&result).args(["--log", "ForceOverwrite"]);
    command.args(["--level", "Error;Warning;Note", "--kind", "Fail;Review;Open"]);
    let Ok(output) = command.output() else {
        println!("skipped: no sarif-multitool (npm install @microsoft/sarif-multitool)");
        return;
    };
    let text = std::fs::read_to_string(&result).unwrap_or_else(|_| panic!("{output:?}"));
    let found: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
    let found = found["runs"][0]["results"].as_array().unwrap().iter().map(|one| one["ruleId"].as_str().unwrap());
    let found: BTreeSet<_> = found.filter(|id| !LEFT_OUT.contains(id)).collect();
    assert!(found.is_empty(), "{found:?}: {text}");
}

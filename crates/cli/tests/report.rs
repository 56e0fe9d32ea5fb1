//! `spotdrain report` as a process: from files, from standard input, from a log group, and with synthetic data.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test stops where something is not as it should be"
)]

mod common {
    #![allow(dead_code, reason = "each test file uses its own part")]
    pub(crate) mod command;
}
mod report_logs;
#[path = "../../core/tests/core/schema/validator.rs"]
mod validator;

use std::io::Write as _;
use std::process::Stdio;

use common::command::{json, run, spotdrain};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const SYNTHETIC: &str = "Synthetic data: made up for a demonstration, not measured.";

/// A line of the function's log: a notice of an hour ago, with this service.
fn line(task: &str, service: &str) -> String {
    let at = Timestamp::now() - SignedDuration::from_hours(1);
    let record = json!({
        "schema": 2, "task": format!("arn:aws:ecs:eu-central-1:123456789012:task/demo/{task}"),
        "cluster": "arn:aws:ecs:eu-central-1:123456789012:cluster/demo", "service": service, "interrupted_at": at,
        "notice_age_ms": 400, "first": "ecs", "registrations": [{
            "target_group": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/web/6d0ecf831eec9f09",
            "target": "10.0.2.21", "port": 5044, "outcome": "AlreadyDraining"
        }]
    });
    json!({"timestamp": at, "level": "INFO", "message": "notice", "record": record}).to_string()
}

fn file(name: &str, text: &str) -> String {
    let file = format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"));
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn the_demo_is_marked_as_synthetic_on_every_view() {
    let (code, text, _) = run(spotdrain(&["report", "--demo"]));
    assert!(code == 0 && text.starts_with(SYNTHETIC) && text.trim_end().ends_with(SYNTHETIC), "{text}");
    assert!(text.contains("In 30 days ECS was first ") && !text.contains('\x1b'), "{text}");
    let (_, report) = json(spotdrain(&["report", "--demo", "--json"]));
    assert_eq!((&report["synthetic"], &report["schema"]), (&Value::Bool(true), &Value::from(1)));
    let page = file("demo.html", "");
    let (code, text, _) = run(spotdrain(&["report", "--demo", "--html", &page]));
    assert!(code == 0 && text.contains("synthetic interruptions in 30 days"), "{text}");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains(SYNTHETIC) && page.contains("<title>spotdrain report, synthetic data</title>"));
}

#[test]
fn the_page_is_self_contained_and_escapes_every_value() {
    let log = file("hostile.log", &line("one", "<script>alert(1)</script>\"'&"));
    let page = file("hostile.html", "");
    assert_eq!(run(spotdrain(&["report", &log, "--html", &page])).0, 0);
    let page = std::fs::read_to_string(page).unwrap();
    for word in ["http", "<script", "src=", "@import", "url("] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("demo/&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"));
    for tag in ["section", "table", "div", "ul", "tr"] {
        let opened = page.matches(&format!("<{tag}")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn files_and_standard_input_are_read() {
    let log = file("function.log", &format!("START\n{}\n{}\n", line("one", "web"), line("two", "api")));
    let (code, report) = json(spotdrain(&["report", &log, "--json", "--service", "web"]));
    assert_eq!((code, &report["interruptions"], &report["lines"]["read"]), (0, &1.into(), &3.into()));
    let mut child = spotdrain(&["report", "-", "--since", "2h", "--json"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(line("one", "web").as_bytes()).unwrap();
    let report: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!((&report["interruptions"], &report["window"]), (&1.into(), &"2 hours".into()));
}

#[test]
fn without_interruptions_it_says_so() {
    let log = file("empty.log", "START\n");
    let (code, text, _) = run(spotdrain(&["report", &log]));
    assert!(code == 0 && text.contains("No interruptions in 30 days. 1 log line was read."), "{text}");
    let page = file("empty.html", "");
    let (code, text, _) = run(spotdrain(&["report", &log, "--html", &page]));
    assert!(code == 0 && text.contains("0 interruptions in 30 days"), "{text}");
    assert!(std::fs::read_to_string(page).unwrap().contains("No interruptions in 30 days."));
}

#[test]
fn a_wrong_file_or_flag_is_named() {
    let (code, _, error) = run(spotdrain(&["report", "no-such-file"]));
    assert!(code == 65 && error.contains("cannot read no-such-file"), "{error}");
    let (code, _, error) = run(spotdrain(&["report", "--demo", "--html", "/no/such/folder/page.html"]));
    assert!(code == 1 && error.contains("--html: cannot write /no/such/folder/page.html"), "{error}");
    for wrong in [&["--since", "7y"][..], &["--demo", "--logs", "x"], &["file", "--demo"], &["--json", "--html", "x"]] {
        assert_eq!(run(spotdrain(&[&["report"][..], wrong].concat())).0, 64, "{wrong:?}");
    }
}

const DOCUMENT: &str = include_str!("../../../docs/report.md");

/// The calls of the SDK's clients in the report's sources, by their names in IAM.
fn calls() -> Vec<String> {
    let folder = format!("{}/src/cli/report", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let source: String = files.filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    let method = regex::Regex::new(r"\.((?:filter|describe|list|get)_[a-z_]+)\(\)").unwrap();
    let pascal = |snake: &str| snake.split('_').map(|word| word[..1].to_uppercase() + &word[1..]).collect::<String>();
    method.captures_iter(&source).map(|found| pascal(&found[1])).collect()
}

#[test]
fn the_rights_of_the_report_are_its_calls() {
    let calls = calls();
    assert!(calls.contains(&"FilterLogEvents".to_owned()) && calls.contains(&"DescribeTargetGroups".to_owned()));
    let finding_the_function = ["ListFunctions", "ListTags"].map(str::to_owned);
    for call in calls.iter().chain(&finding_the_function) {
        assert!(DOCUMENT.contains(&format!(":{call}`")), "docs/report.md does not name the right of {call}");
    }
}

#[test]
fn the_document_names_every_flag() {
    let (_, help, _) = run(spotdrain(&["report", "--help"]));
    let flag = regex::Regex::new(r"--[a-z-]+").unwrap();
    for found in flag.find_iter(&help).map(|found| found.as_str()).filter(|flag| *flag != "--help") {
        assert!(DOCUMENT.contains(found), "docs/report.md does not name {found}");
    }
}

//! A diagnosis for code review: SARIF 2.1.0.
//! Source: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>
//!
//! A finding in a template has its file and line; one in what is deployed has only its name. What was not checked or does
//! not apply is a notification, so that it is not taken for fine. An accepted finding is included, suppressed, with its reason.

use serde_json::{Value, json};

use crate::check::{Check, Severity};
use crate::checks::CHECKS;
use crate::diagnosis::{Diagnosis, Finding, NotChecked};
use crate::model::root::Origin;
use crate::report::page::address;

/// Where the documentation of the doctor is.
const DOCUMENTATION: &str = "https://github.com/spotdrain/spotdrain/blob/main/docs/doctor.md";

/// The root of the examined files, which relative addresses begin at.
const ROOT: &str = "SRCROOT";

/// The log of one run.
#[must_use]
pub fn sarif(diagnosis: &Diagnosis, version: &str) -> Value {
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "spotdrain doctor",
                "version": version,
                "informationUri": DOCUMENTATION,
                "rules": CHECKS.iter().map(|check| rule(check)).collect::<Vec<_>>(),
            }},
            "originalUriBaseIds": {(ROOT): {"description": {"text": "The root folder of the examined sources."}}},
            "results": diagnosis.findings.iter().map(|one| result(one, diagnosis.origin)).collect::<Vec<_>>(),
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications(diagnosis),
            }],
        }],
    })
}

fn rule(check: &Check) -> Value {
    json!({
        "id": check.id,
        "name": name(check.title),
        "shortDescription": {"text": sentence(check.title)},
        "fullDescription": {"text": check.explanation},
        "help": {"text": format!("{}\n\n{}", check.explanation, check.sources.join("\n"))},
        "helpUri": address(check),
        "defaultConfiguration": {"level": level(check.severity)},
    })
}

/// A title as one word in Pascal case, as the names of rules are: without articles, and `SIGKILL` as `Sigkill`.
fn name(title: &str) -> String {
    let words = title.split(|one: char| !one.is_ascii_alphanumeric());
    let words = words.filter(|word| !["", "a", "an", "the"].contains(word));
    let capital = |word: &str| {
        // `container's`, `120 s`
        if word == "s" {
            return word.to_owned();
        }
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
    };
    words.map(capital).collect()
}

/// A title as a sentence.
fn sentence(title: &str) -> String {
    let mut characters = title.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(['.']).collect()
}

/// The address of a file: relative to the root of the sources, or absolute, with escapes.
fn artifact(file: &str) -> Value {
    let path = file.replace('\\', "/");
    let path = path.strip_prefix("./").unwrap_or(&path);
    let mut escaped = String::new();
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                escaped.push(char::from(byte));
            }
            other => escaped += &format!("%{other:02X}"),
        }
    }
    if escaped.starts_with('/') {
        return json!({"uri": format!("file://{escaped}")});
    }
    json!({"uri": escaped, "uriBaseId": ROOT})
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn result(finding: &Finding, origin: Origin) -> Value {
    let problem = &finding.problem;
    let fix = problem.fix.of(origin);
    let condition = finding.if_on_spot.as_ref().map_or("", |_| "if this runs on Fargate Spot: ");
    let text =
        format!("{condition}{}: {}. Impact: {}. Fix: {fix}", problem.place.name, problem.description, problem.impact);
    let mut result = json!({
        "ruleId": finding.check.id,
        "ruleIndex": CHECKS.iter().position(|check| check.id == finding.check.id),
        "level": if finding.if_on_spot.is_some() { "note" } else { level(finding.severity()) },
        "message": {"text": text},
        "locations": [location(finding)],
    });
    if let (Some(accepted), Some(fields)) = (&finding.accepted, result.as_object_mut()) {
        let kind = if accepted.is_in_source { "inSource" } else { "external" };
        let suppression = json!([{"kind": kind, "status": "accepted", "justification": accepted.reason}]);
        fields.insert("suppressions".to_owned(), suppression);
    }
    result
}

fn location(finding: &Finding) -> Value {
    let place = &finding.problem.place;
    let mut location = json!({"logicalLocations": [{"name": place.name, "kind": "resource"}]});
    if let (Some(file), Some(fields)) = (&place.file, location.as_object_mut()) {
        let physical = json!({
            "artifactLocation": artifact(file),
            "region": {"startLine": place.line.unwrap_or(1)},
        });
        fields.insert("physicalLocation".to_owned(), physical);
    }
    location
}

fn notifications(diagnosis: &Diagnosis) -> Vec<Value> {
    let never = diagnosis.not_applicable.iter().map(|entry| {
        let text = format!("{}: {}: {} checks do not apply", entry.subject, entry.why, entry.checks);
        json!({"level": "note", "message": {"text": text}})
    });
    diagnosis.not_checked.iter().map(notification).chain(never).collect()
}

fn notification(entry: &NotChecked) -> Value {
    let checks = if entry.checks.is_empty() { String::new() } else { format!("{} of ", entry.checks.join(", ")) };
    json!({"level": "warning", "message": {"text": format!("not checked: {checks}{}: {}", entry.subject, entry.why)}})
}

//! A diagnosis for code review: SARIF 2.1.0.
//! Source: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>
//!
//! A finding in a template has its file and line; one in what is deployed has only its name. What was not checked or does
//! not apply is a notification, so that it is not taken for fine. An accepted finding is included, suppressed, with its reason.

use serde_json::{Value, json};

use crate::check::{Check, Severity};
use crate::checks::CHECKS;
use crate::diagnosis::{Diagnosis, Finding, NotChecked};
use crate::model::root::Source;

/// Where the documentation of the checks is.
const DOCUMENTATION: &str = "https://github.com/spotdrain/spotdrain/blob/main/docs/doctor.md";

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
            "results": diagnosis.findings.iter().map(|one| result(one, diagnosis.source)).collect::<Vec<_>>(),
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
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.explanation},
        "help": {"text": format!("{}\n\n{}", check.explanation, check.sources.join("\n"))},
        "helpUri": DOCUMENTATION,
        "defaultConfiguration": {"level": level(check.severity)},
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn result(finding: &Finding, source: Source) -> Value {
    let problem = &finding.problem;
    let fix = problem.fix.of(source);
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
    if let (Some(reason), Some(fields)) = (&finding.accepted, result.as_object_mut()) {
        let suppression = json!([{"kind": "external", "status": "accepted", "justification": reason}]);
        fields.insert("suppressions".to_owned(), suppression);
    }
    result
}

fn location(finding: &Finding) -> Value {
    let place = &finding.problem.place;
    let mut location = json!({"logicalLocations": [{"name": place.name, "kind": "resource"}]});
    if let (Some(file), Some(fields)) = (&place.file, location.as_object_mut()) {
        let physical = json!({
            "artifactLocation": {"uri": file},
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

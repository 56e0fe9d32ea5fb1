//! A diagnosis for programs: the JSON of `spotdrain doctor --json`.

use serde::Serialize;

use crate::check::{Check, Fix, Impact, Severity};
use crate::delays::Delays;
use crate::diagnosis::{Diagnosis, Finding, NotApplicable, NotChecked};
use crate::forecast::Forecast;
use crate::report::page::address;

/// The version of a diagnosis: `docs/schema/diagnosis-1.json`.
const DIAGNOSIS_SCHEMA: &str = "spotdrain-diagnosis-1";

/// The version of a check's explanation: `docs/schema/checks-1.json`.
const CHECKS_SCHEMA: &str = "spotdrain-checks-1";

/// A diagnosis as JSON.
#[derive(Debug, Serialize)]
pub struct DiagnosisRecord<'a> {
    schema: &'static str,
    services: usize,
    findings: Vec<FindingRecord<'a>>,
    not_checked: Vec<NotCheckedRecord<'a>>,
    not_applicable: &'a [NotApplicable],
    forecasts: &'a [Forecast],
    /// The load balancers' delays that the forecasts rest on.
    delays: Delays,
}

#[derive(Debug, Serialize)]
struct FindingRecord<'a> {
    check: &'static str,
    severity: Severity,
    title: &'static str,
    subject: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    problem: &'a str,
    impact: Impact,
    fix: &'a Fix,
    /// Why it is unknown whether this runs on Fargate Spot; absent where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    if_on_spot: Option<&'a str>,
    accepted: Option<&'a str>,
    sources: &'static [&'static str],
}

#[derive(Debug, Serialize)]
struct NotCheckedRecord<'a> {
    checks: &'a [&'static str],
    subject: &'a str,
    why: &'a str,
}

/// A check as JSON.
#[derive(Debug, Serialize)]
pub struct CheckRecord {
    /// Absent in the list of all checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<&'static str>,
    id: &'static str,
    severity: Severity,
    title: &'static str,
    explanation: &'static str,
    sources: &'static [&'static str],
    help: String,
}

/// The explanation of a check.
#[must_use]
pub fn explanation(check: &Check) -> CheckRecord {
    let Check { id, severity, title, explanation, sources, .. } = check;
    CheckRecord {
        schema: Some(CHECKS_SCHEMA),
        id,
        severity: *severity,
        title,
        explanation,
        sources,
        help: address(check),
    }
}

/// The explanations of several checks.
#[must_use]
pub fn explanations(checks: &[&Check]) -> Vec<CheckRecord> {
    checks.iter().map(|check| CheckRecord { schema: None, ..explanation(check) }).collect()
}

/// The record of a diagnosis.
#[must_use]
pub fn record(diagnosis: &Diagnosis) -> DiagnosisRecord<'_> {
    DiagnosisRecord {
        schema: DIAGNOSIS_SCHEMA,
        services: diagnosis.services,
        findings: diagnosis.findings.iter().map(finding).collect(),
        not_checked: diagnosis.not_checked.iter().map(not_checked).collect(),
        not_applicable: &diagnosis.not_applicable,
        forecasts: &diagnosis.forecasts,
        delays: diagnosis.delays,
    }
}

fn finding(finding: &Finding) -> FindingRecord<'_> {
    let problem = &finding.problem;
    FindingRecord {
        check: finding.check.id,
        severity: finding.severity(),
        title: finding.check.title,
        subject: &problem.place.name,
        file: problem.place.file.as_deref(),
        line: problem.place.line,
        problem: &problem.description,
        impact: problem.impact,
        fix: &problem.fix,
        if_on_spot: finding.if_on_spot.as_deref(),
        accepted: finding.accepted.as_ref().map(|accepted| accepted.reason.as_str()),
        sources: finding.check.sources,
    }
}

fn not_checked(entry: &NotChecked) -> NotCheckedRecord<'_> {
    NotCheckedRecord { checks: &entry.checks, subject: &entry.subject, why: &entry.why }
}

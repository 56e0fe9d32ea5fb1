//! What the doctor says: findings, what was not checked, and a forecast for each target group of a service.

use crate::check::{Check, Fault, Severity};
use crate::forecast::Forecast;
use crate::ignore_file::Accepted;

/// What the doctor says.
#[derive(Debug, Default)]
pub struct Diagnosis {
    /// How many services were examined.
    pub services: usize,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
    /// What could not be checked, and why.
    pub not_checked: Vec<NotChecked>,
    /// Until when new connections come.
    pub forecasts: Vec<Forecast>,
}

/// What a check found.
#[derive(Debug)]
pub struct Finding {
    /// The check.
    pub check: &'static Check,
    /// What it found.
    pub fault: Fault,
    /// Why it is accepted, if it is.
    pub accepted: Option<String>,
}

/// What could not be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotChecked {
    /// The numbers of the checks; empty for a thing that could not be read at all.
    pub checks: Vec<&'static str>,
    /// Of what.
    pub subject: String,
    /// Why not.
    pub why: String,
}

impl Diagnosis {
    /// The findings that nobody has accepted.
    pub fn open(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.accepted.is_none())
    }

    /// The worst of them.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.open().map(|finding| finding.check.severity).min()
    }

    /// Marks what is accepted, and gives the entries that fit nothing.
    pub fn accept<'a>(&mut self, accepted: &'a Accepted) -> Vec<&'a str> {
        for finding in &mut self.findings {
            finding.accepted = accepted.reason(finding.check.id, &finding.fault.place.name).map(str::to_owned);
        }
        let found: Vec<_> =
            self.findings.iter().map(|finding| (finding.check.id, finding.fault.place.name.as_str())).collect();
        accepted.unused(&found)
    }
}

//! The doctor's result: findings, what was not checked or does not apply, and a forecast for each target group.

use serde::Serialize;

use crate::check::{Check, Problem, Severity};
use crate::delays::Delays;
use crate::forecast::Forecast;
use crate::ignore_file::Accepted;
use crate::model::root::{Origin, Suppression};

/// The doctor's result.
#[derive(Debug, Default)]
pub struct Diagnosis {
    /// Where the deployment was read from.
    pub origin: Origin,
    /// Number of checks that are reported.
    pub checks: usize,
    /// Suppressions in templates that match no finding, as the lines of an accepted file.
    pub stale: Vec<String>,
    /// Number of services that were examined.
    pub services: usize,
    /// Whether spotdrain's function was examined.
    pub delivery: bool,
    /// The most seconds for which new connections are forecast to be refused.
    pub refused_seconds: u32,
    /// What was found, the worst first; findings that depend on an unknown placement last.
    pub findings: Vec<Finding>,
    /// What could not be checked, and why.
    pub not_checked: Vec<NotChecked>,
    /// Services that never run on Fargate Spot, so that most checks do not apply.
    pub not_applicable: Vec<NotApplicable>,
    /// Until when each target group receives new connections.
    pub forecasts: Vec<Forecast>,
    /// The load balancers' delays that the forecasts rest on.
    pub delays: Delays,
}

/// What a check found.
#[derive(Debug)]
pub struct Finding {
    /// The check.
    pub check: &'static Check,
    /// The problem.
    pub problem: Problem,
    /// Why it is unknown whether the service runs on Fargate Spot. Such a finding does not fail the run.
    pub if_on_spot: Option<String>,
    /// Why it is accepted, if it is.
    pub accepted: Option<Acceptance>,
}

/// The acceptance of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// Why.
    pub reason: String,
    /// Whether it is in the template, not in a file beside it.
    pub is_in_source: bool,
}

/// What could not be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotChecked {
    /// The ids of the checks; empty for a resource that could not be read at all.
    pub checks: Vec<&'static str>,
    /// The resource.
    pub subject: String,
    /// Why not, and what to do about it.
    pub why: String,
}

/// A service that never runs on Fargate Spot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotApplicable {
    /// The service.
    pub subject: String,
    /// Why, such as `on demand: launch type FARGATE`.
    pub why: String,
    /// Number of checks that do not apply.
    pub checks: usize,
}

impl Finding {
    /// Whether another finding has the same problem, at another place.
    fn is_equal(&self, other: &Self, origin: Origin) -> bool {
        let (own, others) = (&self.problem, &other.problem);
        let is_same_check = self.check.id == other.check.id && self.severity() == other.severity();
        let is_same_text = own.description == others.description && own.fix.of(origin) == others.fix.of(origin);
        is_same_check && is_same_text && own.impact == others.impact && self.if_on_spot == other.if_on_spot
    }

    /// Its severity.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.problem.severity.unwrap_or(self.check.severity)
    }
}

impl Diagnosis {
    /// Whether there was nothing to examine: no service and no function.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.services == 0 && !self.delivery
    }

    /// The findings that nobody has accepted.
    pub fn open(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.accepted.is_none())
    }

    /// Returns the worst severity of the open findings, without those that apply only if the service runs on Fargate Spot.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.open().filter(|finding| finding.if_on_spot.is_none()).map(Finding::severity).min()
    }

    /// Returns the open findings with equal ones together: the same problem at several places.
    #[must_use]
    pub fn groups(&self) -> Vec<Vec<&Finding>> {
        let mut groups: Vec<Vec<&Finding>> = Vec::new();
        for finding in self.open() {
            let same =
                groups.iter_mut().find(|group| group.first().is_some_and(|first| first.is_equal(finding, self.origin)));
            match same {
                Some(group) => group.push(finding),
                None => groups.push(vec![finding]),
            }
        }
        groups
    }

    /// Marks the findings that are accepted where the resources are written, and notes the suppressions that match none.
    pub(crate) fn suppress(&mut self, suppressions: &[Suppression]) {
        for suppression in suppressions {
            for check in &suppression.checks {
                let covered = |finding: &&mut Finding| {
                    finding.check.id == *check && suppression.covers(check, &finding.problem.place.name)
                };
                let mut found = false;
                for finding in self.findings.iter_mut().filter(covered) {
                    finding.accepted = Some(Acceptance { reason: suppression.reason.clone(), is_in_source: true });
                    found = true;
                }
                if !found {
                    self.stale.push(format!("{check} {} # {}", suppression.place.name, suppression.reason));
                }
            }
        }
    }

    /// Marks accepted findings, and returns the entries that match none.
    pub fn accept<'a>(&mut self, accepted: &'a Accepted) -> Vec<&'a str> {
        for finding in &mut self.findings {
            let reason = accepted.reason(finding.check.id, &finding.problem.place.name);
            let by_file = reason.map(|reason| Acceptance { reason: reason.to_owned(), is_in_source: false });
            finding.accepted = finding.accepted.take().or(by_file);
        }
        let found: Vec<_> =
            self.findings.iter().map(|finding| (finding.check.id, finding.problem.place.name.as_str())).collect();
        accepted.unused(&found)
    }
}

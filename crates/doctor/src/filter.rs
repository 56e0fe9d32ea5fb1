//! Which checks a diagnosis reports.

use crate::check::{Check, Severity};
use crate::checks::{CHECKS, check};
use crate::diagnosis::Diagnosis;

/// The checks to report.
#[derive(Debug, Clone, Copy)]
pub struct CheckFilter<'a> {
    /// Only these; all if empty.
    pub only: &'a [&'static Check],
    /// Not these.
    pub ignore: &'a [&'static Check],
    /// The least severity.
    pub least: Severity,
}

impl CheckFilter<'_> {
    /// Returns whether a check is reported. A check is left out if all its problems are less severe than the filter's severity.
    #[must_use]
    pub fn has(&self, check: &Check) -> bool {
        let is_in = |list: &[&Check]| list.iter().any(|one| one.id == check.id);
        (self.only.is_empty() || is_in(self.only)) && !is_in(self.ignore) && check.severity <= self.least
    }
}

impl Diagnosis {
    /// Leaves out what the filter does not report: findings, and what was not checked.
    pub fn retain(&mut self, filter: &CheckFilter<'_>) {
        self.findings.retain(|finding| filter.has(finding.check) && finding.severity() <= filter.least);
        let is_kept = |id: &&'static str| check(id).is_some_and(|check| filter.has(check));
        self.not_checked.retain_mut(|entry| {
            let is_whole_resource = entry.checks.is_empty();
            entry.checks.retain(is_kept);
            is_whole_resource || !entry.checks.is_empty()
        });
        let kept = || CHECKS.into_iter().filter(|check| filter.has(check));
        self.checks = kept().count();
        let for_spot = kept().filter(|check| check.run.is_for_spot()).count();
        self.not_applicable.iter_mut().for_each(|entry| entry.checks = for_spot);
    }
}

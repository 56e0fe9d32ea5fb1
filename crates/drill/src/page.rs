//! The report.
use crate::plan::Plan;
use crate::report::Record;
/// The report, as one page of HTML.
#[must_use]
pub fn page(plan: &Plan, records: &[Record]) -> String {
    format!("{} {}", plan.rate, records.len())
}

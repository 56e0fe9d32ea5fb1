//! Merges all records of a task into one interruption. A task is interrupted only once, but its notice may arrive several times,
//! be retried, or be in several of the files that were read.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::query::HistoryQuery;
use super::read::record::{PastFailure, PastNoTargetGroup, PastNotice, PastOutcome, PastRegistration};
use crate::model::arn::last_segment;
use crate::model::task_status::StopCodeForm;
use crate::report::First;

/// One interrupted task, and the outcomes of its registrations.
#[derive(Debug, Clone)]
pub(crate) struct PastInterruption {
    pub(crate) task: String,
    pub(crate) cluster: String,
    pub(crate) service: Option<String>,
    pub(crate) at: Timestamp,
    pub(crate) zone: Option<String>,
    pub(crate) cpu: Option<u32>,
    pub(crate) memory: Option<u32>,
    pub(crate) architecture: Option<String>,
    pub(crate) provider: Option<String>,
    pub(crate) ran_seconds: Option<u64>,
    pub(crate) stop_code_form: Option<StopCodeForm>,
    pub(crate) first: First,
    pub(crate) registrations: Vec<PastRegistration>,
    /// Why its registrations could not be found, in its last record.
    pub(crate) failure: Option<PastFailure>,
    pub(crate) no_target_group: Option<PastNoTargetGroup>,
    /// Something failed in a record before the last one.
    pub(crate) was_retried: bool,
}

/// What a report does not count, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct LeftOut {
    /// Records of a task beyond its first: repeated notices, retries, and lines that were read twice.
    pub repeated_records: u64,
    /// Notices of a simulator.
    pub simulated: u64,
    /// Notices that are dated in the future: a clock is wrong.
    pub dated_in_the_future: u64,
}

/// Returns the interruptions in scope since `oldest`, the earliest first.
pub(crate) fn interruptions(
    notices: &[PastNotice],
    query: &HistoryQuery,
    oldest: Timestamp,
) -> (Vec<PastInterruption>, LeftOut) {
    let mut left_out = LeftOut::default();
    let in_scope = notices
        .iter()
        .filter(|notice| notice.interrupted_at >= oldest && query.covers(&notice.cluster, notice.service.as_deref()));
    let mut notices: Vec<&PastNotice> = in_scope.filter(|notice| is_counted(notice, query, &mut left_out)).collect();
    notices.sort_by(|one, other| (&one.task, one.recorded_at()).cmp(&(&other.task, other.recorded_at())));
    let records = notices.len();
    let mut merged: Vec<_> = notices.chunk_by(|one, other| one.task == other.task).filter_map(merge).collect();
    left_out.repeated_records = (records - merged.len()) as u64;
    merged.sort_by(|one, other| (one.at, &one.task).cmp(&(other.at, &other.task)));
    (merged, left_out)
}

fn is_counted(notice: &PastNotice, query: &HistoryQuery, left_out: &mut LeftOut) -> bool {
    if query.is_future(notice.interrupted_at) {
        left_out.dated_in_the_future += 1;
        return false;
    }
    if notice.is_simulated() && !query.with_simulated {
        left_out.simulated += 1;
        return false;
    }
    true
}

/// Merges the records of one task, the earliest first.
fn merge(records: &[&PastNotice]) -> Option<PastInterruption> {
    let (first, last) = (records.first()?, records.last()?);
    let failed_before = records.iter().rev().skip(1).any(|record| has_failed(record));
    Some(PastInterruption {
        task: first.task.clone(),
        cluster: first.cluster.clone(),
        service: first.service.clone(),
        at: first.interrupted_at,
        zone: records.iter().find_map(|record| record.availability_zone.clone()),
        cpu: records.iter().find_map(|record| record.cpu),
        memory: records.iter().find_map(|record| record.memory),
        architecture: records.iter().find_map(|record| record.architecture.clone()),
        provider: records.iter().find_map(|record| record.capacity_provider.clone()),
        ran_seconds: records.iter().find_map(|record| record.ran_seconds),
        stop_code_form: records.iter().find_map(|record| record.stop_code_form),
        first: who_was_first(records),
        registrations: registrations(records),
        failure: last.failure.clone(),
        no_target_group: last.no_target_group,
        was_retried: failed_before,
    })
}

fn has_failed(record: &PastNotice) -> bool {
    record.failure.is_some() || record.registrations.iter().any(|row| row.outcome == PastOutcome::Failed)
}

/// Returns who was first according to the earliest record that says so. A later record may report a target as draining because
/// spotdrain deregistered it before.
fn who_was_first(records: &[&PastNotice]) -> First {
    records.iter().map(|record| record.first()).find(|first| *first != First::Unknown).unwrap_or(First::Unknown)
}

/// Returns each registration with its final outcome: the deregistration if there was one, otherwise the last outcome.
fn registrations(records: &[&PastNotice]) -> Vec<PastRegistration> {
    if let [record] = records {
        return record.registrations.clone();
    }
    let mut latest: BTreeMap<_, &PastRegistration> = BTreeMap::new();
    for row in records.iter().flat_map(|record| &record.registrations) {
        let known = latest.entry((&row.target_group, &row.target, row.port)).or_insert(row);
        if known.outcome != PastOutcome::Deregistered {
            *known = row;
        }
    }
    latest.into_values().cloned().collect()
}

impl PastInterruption {
    /// Returns whether one of the registrations has this outcome.
    pub(crate) fn has(&self, outcome: PastOutcome) -> bool {
        self.registrations.iter().any(|row| row.outcome == outcome)
    }

    /// Returns the failures that no retry fixed.
    pub(crate) fn failures(&self) -> impl Iterator<Item = &PastFailure> {
        let rows = self.registrations.iter().filter(|row| row.outcome == PastOutcome::Failed);
        self.failure.iter().chain(rows.filter_map(|row| row.failure.as_ref()))
    }

    /// `cluster/service`, or `cluster/(standalone)`.
    pub(crate) fn service_name(&self) -> String {
        let cluster = last_segment(&self.cluster);
        format!("{cluster}/{}", self.service.as_deref().unwrap_or("(standalone)"))
    }

    /// The slowest deregistration, in milliseconds after the notice. A negative time comes from a wrong clock.
    pub(crate) fn deregistered_after_ms(&self) -> Option<u64> {
        let times = self.registrations.iter().filter_map(|row| row.notice_to_deregistered_ms);
        times.filter_map(|time| u64::try_from(time).ok()).max()
    }

    /// Whether a deregistration is dated before its notice.
    pub(crate) fn is_skewed(&self) -> bool {
        self.registrations.iter().any(|row| row.notice_to_deregistered_ms.is_some_and(i64::is_negative))
    }
}

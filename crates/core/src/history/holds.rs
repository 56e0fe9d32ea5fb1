//! How long does each type of load balancer keep sending after the stop signal? The log lines of holds show it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::interruption::PastInterruption;
use super::percentiles::Percentiles;
use super::query::HistoryQuery;
use super::read::hold_line::PastHold;

/// The holds of interrupted tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holds {
    pub by_load_balancer: Vec<HoldRow>,
    /// Holds of tasks that stopped without a notice: deployments and scale-ins.
    pub without_interruption: u64,
}

/// The holds behind one type of load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HoldRow {
    /// `ALB`, `NLB`, both with a plus, or `unknown`.
    pub load_balancer: String,
    pub holds: u64,
    /// Holds in which no new connection came.
    pub without_new_connections: u64,
    /// From the stop signal to the last new connection, in holds that had one.
    pub last_new_ms: Option<Percentiles>,
    /// Holds in which new connections came after the application got its signal: these may be lost.
    pub with_late_connections: u64,
}

/// Joins the holds with the interruptions by their tasks; `None` if no lines of a hold were read.
pub(crate) fn holds(holds: &[PastHold], interruptions: &[PastInterruption], query: &HistoryQuery) -> Option<Holds> {
    let holds = last_lines(holds);
    if holds.is_empty() {
        return None;
    }
    let interrupted: BTreeMap<_, _> = interruptions.iter().map(|one| (one.task.as_str(), one)).collect();
    let mut rows: BTreeMap<String, Vec<&PastHold>> = BTreeMap::new();
    let mut without_interruption = 0;
    for hold in holds {
        match interrupted.get(hold.task.as_str()) {
            Some(one) => rows.entry(balancers(one, query)).or_default().push(hold),
            None => without_interruption += 1,
        }
    }
    Some(Holds { by_load_balancer: rows.into_iter().map(row).collect(), without_interruption })
}

/// Returns the line `exited` of each hold, or the line `forward` if a task has no `exited`. A line that was read twice counts
/// once.
fn last_lines(holds: &[PastHold]) -> Vec<&PastHold> {
    let ended: BTreeSet<_> = holds.iter().filter(|hold| hold.is_last).map(|hold| hold.task.as_str()).collect();
    let mut lines: Vec<_> = holds.iter().filter(|hold| hold.is_last || !ended.contains(hold.task.as_str())).collect();
    lines.sort_by(|one, other| (&one.task, one.last_new_after_ms).cmp(&(&other.task, other.last_new_after_ms)));
    lines.dedup();
    lines
}

fn balancers(one: &PastInterruption, query: &HistoryQuery) -> String {
    let groups = one.registrations.iter().map(|row| row.target_group.as_str());
    let kinds: BTreeSet<_> = groups.filter_map(|group| query.balancers.get(group)).collect();
    let names: Vec<&str> = kinds.into_iter().map(|kind| (*kind).into()).collect();
    if names.is_empty() { "unknown".to_owned() } else { names.join(" + ") }
}

fn row((load_balancer, holds): (String, Vec<&PastHold>)) -> HoldRow {
    let times: Vec<_> = holds.iter().filter_map(|hold| hold.last_new_after_ms).collect();
    HoldRow {
        load_balancer,
        holds: holds.len() as u64,
        without_new_connections: (holds.len() - times.len()) as u64,
        last_new_ms: Percentiles::of(times),
        with_late_connections: holds.iter().filter(|hold| hold.new_after_forward.is_some_and(|new| new > 0)).count()
            as u64,
    }
}

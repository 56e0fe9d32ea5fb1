//! The report as a value: what `--json` prints, and what the text and the page are made of.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::accounts::AccountSummary;
use super::counts::{self, Count, Day, Firsts};
use super::holds::{self, Holds};
use super::interruption::{self, LeftOut, PastInterruption};
use super::percentiles::Percentiles;
use super::problems::{self, Problems};
use super::query::HistoryQuery;
use super::read::record::PastOutcome;
use super::replacements::{self, Replacements};
use super::sentences::{self, Sentence};
use super::sweeps::{self, Sweep};
use super::trend::{self, Trend};
use super::{History, LineCounts};
use crate::model::task_status::StopCodeForm;

/// The version of the report's JSON.
const SCHEMA: u32 = 1;

/// A report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub schema: u32,
    /// Whether the records are made up.
    pub synthetic: bool,
    pub from: Timestamp,
    pub to: Timestamp,
    /// The window in words: `30 days`.
    pub window: String,
    pub cluster: Option<String>,
    pub service: Option<String>,
    /// What the numbers mean.
    pub sentences: Vec<Sentence>,
    pub interruptions: u64,
    pub first: Firsts,
    /// Interruptions in which spotdrain deregistered a target.
    pub deregistered: u64,
    /// Interruptions in which spotdrain would have deregistered a target, in observe mode.
    pub would_deregister: u64,
    pub notice_to_deregistered_ms: Option<Percentiles>,
    /// How long the tasks had run.
    pub ran_seconds: Option<Percentiles>,
    pub trend: Option<Trend>,
    pub by_day: Vec<Day>,
    pub by_hour: [u64; 24],
    pub by_zone: Vec<Count>,
    pub by_service: Vec<Count>,
    pub by_size: Vec<Count>,
    pub by_architecture: Vec<Count>,
    pub by_capacity_provider: Vec<Count>,
    pub by_stop_code: Vec<Count>,
    /// Registrations by their final outcome.
    pub outcomes: Vec<Count>,
    pub sweeps: Vec<Sweep>,
    pub holds: Option<Holds>,
    pub replacements: Option<Replacements>,
    pub problems: Problems,
    /// Interruptions with a deregistration that is dated before its notice; their times are not counted.
    pub with_clock_skew: u64,
    pub lines: LineCounts,
    pub left_out: LeftOut,
    /// By account and Region, if several were read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<AccountSummary>,
}

/// Returns the report on the lines that were read.
#[must_use]
pub fn summarize(mut history: History, query: &HistoryQuery) -> Summary {
    let held = held_tasks_with_a_notice(&history);
    let notices = std::mem::take(&mut history.notices);
    let (all, left_out) = interruption::interruptions(&notices, query, needed_from(query));
    drop(notices);
    let trend = has_trend(query).then(|| trend::trend(&all, query.now));
    let counted: Vec<_> = all.into_iter().filter(|one| query.is_in_window(one.at)).collect();
    forget_holds(&mut history, held, &counted);
    let mut summary = of(&history, &counted, query);
    (summary.trend, summary.left_out) = (trend, left_out);
    summary.sentences = sentences::sentences(&summary);
    summary
}

fn held_tasks_with_a_notice(history: &History) -> BTreeSet<String> {
    let held: BTreeSet<&str> = history.holds.iter().map(|hold| hold.task.as_str()).collect();
    let noticed = history.notices.iter().map(|notice| &notice.task);
    noticed.filter(|task| held.contains(task.as_str())).cloned().collect()
}

/// Removes the holds of tasks whose notice is not counted, such as one before the window. Without an interruption, they would
/// count as holds of deployments.
fn forget_holds(history: &mut History, mut noticed: BTreeSet<String>, counted: &[PastInterruption]) {
    for one in counted {
        noticed.remove(&one.task);
    }
    history.holds.retain(|hold| !noticed.contains(&hold.task));
}

/// A window of less than a week shows no trend.
fn has_trend(query: &HistoryQuery) -> bool {
    query.since >= trend::RECENT
}

/// Returns the time from which records are needed. The trend needs records from before the window.
#[must_use]
pub fn needed_from(query: &HistoryQuery) -> Timestamp {
    let compared = query.now.saturating_sub(trend::COMPARED).unwrap_or(Timestamp::MIN);
    if has_trend(query) { compared.min(query.from()) } else { query.from() }
}

fn of(history: &History, counted: &[PastInterruption], query: &HistoryQuery) -> Summary {
    let number = |is: &dyn Fn(&&PastInterruption) -> bool| counted.iter().filter(is).count() as u64;
    Summary {
        schema: SCHEMA,
        synthetic: query.is_synthetic,
        from: query.from(),
        to: query.now,
        window: sentences::window(query.since),
        cluster: query.cluster.clone(),
        service: query.service.clone(),
        sentences: Vec::new(),
        interruptions: counted.len() as u64,
        first: Firsts::of(counted),
        deregistered: number(&|one| one.has(PastOutcome::Deregistered)),
        would_deregister: number(&|one| one.has(PastOutcome::WouldDeregister)),
        notice_to_deregistered_ms: Percentiles::of(
            counted.iter().filter_map(PastInterruption::deregistered_after_ms).collect(),
        ),
        ran_seconds: Percentiles::of(counted.iter().filter_map(|one| one.ran_seconds).collect()),
        trend: None,
        by_day: counts::by_day(counted, query),
        by_hour: counts::by_hour(counted),
        by_zone: counts::by(counted, |one| one.zone.as_deref().map(Cow::from)),
        by_service: counts::by(counted, |one| Some(one.service_name().into())),
        by_size: counts::by(counted, counts::size),
        by_architecture: counts::by(counted, |one| one.architecture.as_deref().map(Cow::from)),
        by_capacity_provider: counts::by(counted, |one| one.provider.as_deref().map(Cow::from)),
        by_stop_code: counts::by(counted, |one| one.stop_code_form.map(stop_code).map(Cow::from)),
        outcomes: outcomes(counted),
        sweeps: sweeps::largest(counted),
        holds: holds::holds(&history.holds, counted, query),
        replacements: replacements::replacements(history, counted, query),
        problems: problems::problems(history, counted, query),
        with_clock_skew: number(&|one| one.is_skewed()),
        lines: history.lines.clone(),
        left_out: LeftOut::default(),
        accounts: history.accounts.clone(),
    }
}

fn stop_code(form: StopCodeForm) -> &'static str {
    match form {
        StopCodeForm::Known => "known",
        StopCodeForm::New => "new",
        StopCodeForm::Absent => "absent",
    }
}

fn outcomes(counted: &[PastInterruption]) -> Vec<Count> {
    let rows = counted.iter().flat_map(|one| &one.registrations);
    counts::count(rows.map(|row| Cow::from(row.outcome.as_str())))
}

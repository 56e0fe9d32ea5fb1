//! How long did it take until a replacement ran, and when could ECS not place one? The events of the capacity watch show it.
//!
//! The replacement of an interrupted task is the next task of its service that was created after the notice; each task replaces
//! one. A deployment or a scale-out at the same time also creates tasks, which then count as replacements.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::History;
use super::counts::{Count, count};
use super::interruption::PastInterruption;
use super::percentiles::Percentiles;
use super::query::HistoryQuery;
use super::read::ecs_event::{PlacementFailure, TaskStart};
use crate::model::arn::last_segment;

/// A task that runs later than this after the notice does not count as its replacement.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// What the capacity watch shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replacements {
    /// From the notice until a replacement ran.
    pub seconds: Option<Percentiles>,
    pub by_service: Vec<ServiceGap>,
    /// Interruptions without a replacement within an hour.
    pub without: u64,
    /// Interruptions of the last hour whose replacement may still come.
    pub pending: u64,
    /// Interruptions before the first event of the watch.
    pub before_the_watch: u64,
    pub placement_failures: Vec<ServiceFailures>,
    /// The replacements by capacity provider.
    pub providers: Vec<Count>,
}

/// The replacement gaps of one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceGap {
    pub service: String,
    pub seconds: Percentiles,
}

/// The placement failures of one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceFailures {
    pub service: String,
    pub count: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    pub providers: BTreeSet<String>,
    pub reasons: BTreeSet<String>,
}

/// How an interrupted task was replaced.
enum Replacement<'a> {
    After(u64, &'a TaskStart),
    Pending,
    None,
}

impl<'a> Replacement<'a> {
    fn provider(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::After(_, start) => Some(start.provider.as_deref().unwrap_or("no capacity provider").into()),
            Self::Pending | Self::None => None,
        }
    }
}

/// Joins the interruptions with the tasks that started; `None` if no events of the capacity watch were read.
pub(crate) fn replacements(
    history: &History,
    interruptions: &[PastInterruption],
    query: &HistoryQuery,
) -> Option<Replacements> {
    let began = watch_began(history)?;
    let (watched, earlier): (Vec<_>, Vec<_>) = interruptions.iter().partition(|one| one.at >= began);
    let joined: Vec<_> = join(history, watched.iter().copied().filter(|one| one.service.is_some()), query);
    let of_service = |(one, how): &(&PastInterruption, Replacement<'_>)| match how {
        Replacement::After(seconds, _) => Some((one.service_name(), *seconds)),
        Replacement::Pending | Replacement::None => None,
    };
    let gaps: Vec<_> = joined.iter().filter_map(of_service).collect();
    Some(Replacements {
        seconds: Percentiles::of(gaps.iter().map(|(_, seconds)| *seconds).collect()),
        by_service: by_service(&gaps),
        without: joined.iter().filter(|(_, how)| matches!(how, Replacement::None)).count() as u64,
        pending: joined.iter().filter(|(_, how)| matches!(how, Replacement::Pending)).count() as u64,
        before_the_watch: earlier.len() as u64,
        placement_failures: failures(&history.placement_failures, query),
        providers: count(joined.iter().filter_map(|(_, how)| how.provider())),
    })
}

fn watch_began(history: &History) -> Option<Timestamp> {
    let failures = history.placement_failures.iter().map(|failure| failure.at);
    failures.chain(history.starts.values().map(|start| start.started_at)).min()
}

fn join<'a>(
    history: &'a History,
    interruptions: impl Iterator<Item = &'a PastInterruption>,
    query: &HistoryQuery,
) -> Vec<(&'a PastInterruption, Replacement<'a>)> {
    let mut starts: BTreeMap<(&str, &str), Vec<&TaskStart>> = BTreeMap::new();
    for start in history.starts.values() {
        starts.entry((&start.cluster, &start.service)).or_default().push(start);
    }
    for of_service in starts.values_mut() {
        of_service.sort_by_key(|start| std::cmp::Reverse(start.created_at));
    }
    let next = |one: &'a PastInterruption| {
        let key = (one.cluster.as_str(), one.service.as_deref().unwrap_or_default());
        (one, starts.get_mut(&key).map_or(Replacement::None, |of_service| take_next(of_service, one)))
    };
    let joined: Vec<_> = interruptions.map(next).collect();
    joined.into_iter().map(|(one, how)| (one, or_pending(one, how, query))).collect()
}

/// Takes the next task that was created after the interruption. The earliest is the last of the list.
fn take_next<'a>(starts: &mut Vec<&'a TaskStart>, one: &PastInterruption) -> Replacement<'a> {
    while starts.pop_if(|start| start.created_at < one.at).is_some() {}
    let gap = |start: &TaskStart| start.started_at.duration_since(one.at);
    match starts.pop_if(|start| gap(start) <= LONGEST) {
        Some(start) => Replacement::After(u64::try_from(gap(start).as_secs()).unwrap_or(0), start),
        None => Replacement::None,
    }
}

fn or_pending<'a>(one: &PastInterruption, how: Replacement<'a>, query: &HistoryQuery) -> Replacement<'a> {
    let may_come = query.now.duration_since(one.at) < LONGEST;
    if may_come && matches!(how, Replacement::None) { Replacement::Pending } else { how }
}

fn by_service(gaps: &[(String, u64)]) -> Vec<ServiceGap> {
    let mut services: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (service, seconds) in gaps {
        services.entry(service).or_default().push(*seconds);
    }
    let row = |(service, seconds): (&str, Vec<u64>)| {
        Some(ServiceGap { service: service.to_owned(), seconds: Percentiles::of(seconds)? })
    };
    services.into_iter().filter_map(row).collect()
}

fn failures(all: &[PlacementFailure], query: &HistoryQuery) -> Vec<ServiceFailures> {
    let counted = |failure: &&PlacementFailure| {
        query.is_in_window(failure.at) && query.covers(&failure.cluster, Some(&failure.service))
    };
    let mut seen = BTreeSet::new();
    let mut services: BTreeMap<String, ServiceFailures> = BTreeMap::new();
    for failure in all.iter().filter(counted).filter(|failure| seen.insert(&failure.event_id)) {
        let cluster = last_segment(&failure.cluster);
        let name = format!("{cluster}/{}", failure.service);
        services.entry(name.clone()).or_insert_with(|| ServiceFailures::new(name, failure.at)).add(failure);
    }
    let mut rows: Vec<_> = services.into_values().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.count));
    rows
}

impl ServiceFailures {
    fn new(service: String, at: Timestamp) -> Self {
        Self { service, count: 0, first: at, last: at, providers: BTreeSet::new(), reasons: BTreeSet::new() }
    }

    fn add(&mut self, failure: &PlacementFailure) {
        self.count += 1;
        self.first = self.first.min(failure.at);
        self.last = self.last.max(failure.at);
        self.providers.extend(failure.providers.iter().cloned());
        self.reasons.insert(failure.reason.clone());
    }
}

//! Counts of interruptions: by day, by hour, and by properties of the tasks such as their zone.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;

use super::interruption::PastInterruption;
use super::query::HistoryQuery;
use crate::report::First;

/// The longest window, in days, that has a row for every day, even for days without an interruption.
const MOST_DAYS: i32 = 92;

/// The name for a value that the record lacks, because its version is older or the event had no such value.
const NOT_RECORDED: &str = "not recorded";

/// How often ECS or spotdrain was first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Firsts {
    pub ecs: u64,
    pub spotdrain: u64,
    pub unknown: u64,
}

/// The interruptions of one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Day {
    pub date: Date,
    pub interruptions: u64,
    pub first: Firsts,
}

/// The number of interruptions that share a value, such as a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    pub name: String,
    pub count: u64,
}

impl Firsts {
    pub(crate) fn add(&mut self, first: First) {
        match first {
            First::Ecs => self.ecs += 1,
            First::Spotdrain => self.spotdrain += 1,
            First::Unknown => self.unknown += 1,
        }
    }

    pub(crate) fn of<'a>(interruptions: impl IntoIterator<Item = &'a PastInterruption>) -> Self {
        let mut firsts = Self::default();
        interruptions.into_iter().for_each(|one| firsts.add(one.first));
        firsts
    }

    /// Returns how often it is known who was first.
    #[must_use]
    pub fn known(self) -> u64 {
        self.ecs + self.spotdrain
    }

    /// Returns ECS's share of the known cases in percent; `None` if there are no known cases.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a count of interruptions is far below 2^52")]
    pub fn ecs_percent(self) -> Option<f64> {
        (self.known() > 0).then(|| self.ecs as f64 / self.known() as f64 * 100.0)
    }
}

/// Counts by day. Days without an interruption are included, unless the window is longer than [`MOST_DAYS`].
pub(crate) fn by_day(interruptions: &[PastInterruption], query: &HistoryQuery) -> Vec<Day> {
    let mut days: BTreeMap<Date, Firsts> = BTreeMap::new();
    let (from, to) = (date(query.from()), date(query.now));
    if (to - from).get_days() <= MOST_DAYS {
        days.extend(from.series(1.day()).take_while(|day| *day <= to).map(|day| (day, Firsts::default())));
    }
    for one in interruptions {
        days.entry(date(one.at)).or_default().add(one.first);
    }
    let day = |(date, first): (Date, Firsts)| Day { date, interruptions: first.known() + first.unknown, first };
    days.into_iter().map(day).collect()
}

fn date(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// Counts by hour of the day.
pub(crate) fn by_hour(interruptions: &[PastInterruption]) -> [u64; 24] {
    let mut hours = [0; 24];
    for one in interruptions {
        let hour = usize::try_from(one.at.to_zoned(TimeZone::UTC).hour()).unwrap_or(0);
        if let Some(count) = hours.get_mut(hour) {
            *count += 1;
        }
    }
    hours
}

/// Counts by a name, the most frequent first.
pub(crate) fn by<'a>(
    interruptions: &'a [PastInterruption],
    name: impl Fn(&'a PastInterruption) -> Option<Cow<'a, str>>,
) -> Vec<Count> {
    count(interruptions.iter().map(|one| name(one).unwrap_or(Cow::Borrowed(NOT_RECORDED))))
}

/// Counts names, the most frequent first.
pub(crate) fn count<'a>(names: impl IntoIterator<Item = Cow<'a, str>>) -> Vec<Count> {
    let mut counts: BTreeMap<Cow<'a, str>, u64> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().map(|(name, count)| Count { name: name.into_owned(), count }).collect();
    counts.sort_by_key(|one| std::cmp::Reverse(one.count));
    counts
}

/// `0.5 vCPU, 1 GB`, as Fargate's sizes are named.
pub(crate) fn size(one: &PastInterruption) -> Option<Cow<'_, str>> {
    let rounded = |units: u32| {
        let text = format!("{:.2}", f64::from(units) / 1024.0);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    Some(format!("{} vCPU, {} GB", rounded(one.cpu?), rounded(one.memory?)).into())
}

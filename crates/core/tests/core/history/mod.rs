//! Reports of small logs, with the figures computed by hand from the files beside this one.

mod accounts;
mod bad_input;
mod figures;

use jiff::{SignedDuration, Timestamp};
use spotdrain_core::history::counts::Count;
use spotdrain_core::history::{History, HistoryQuery, Summary, summarize};

const FUNCTION: &str = include_str!("function.log");
const HOLD: &str = include_str!("hold.log");
const CAPACITY: &str = include_str!("capacity.log");

fn now() -> Timestamp {
    "2026-11-27T00:00:00Z".parse().unwrap()
}

fn days(days: i64) -> HistoryQuery {
    HistoryQuery::new(now(), SignedDuration::from_hours(days * 24))
}

fn history(logs: &[&str]) -> History {
    let mut history = History::default();
    logs.iter().flat_map(|log| log.lines()).for_each(|line| history.add_line(line));
    history
}

fn report(logs: &[&str], query: &HistoryQuery) -> Summary {
    summarize(history(logs), query)
}

/// Counts as `name count`.
fn named(counts: &[Count]) -> Vec<String> {
    counts.iter().map(|one| format!("{} {}", one.name, one.count)).collect()
}

fn sentences(summary: &Summary) -> Vec<&str> {
    summary.sentences.iter().map(|sentence| sentence.text.as_str()).collect()
}

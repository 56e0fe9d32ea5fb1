//! Recognises the form of a line: the function's log, output of `aws logs`, the hold's log, or an event of the capacity watch.
//!
//! A line may have a prefix, such as that of `aws logs tail`, and a log router may have wrapped it in a field `log`.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;

use super::ecs_event::{self, PlacementFailure, TaskStart};
use super::hold_line::{self, PastHold};
use super::record::{self, PastNotice};

/// What a line says.
#[derive(Debug)]
pub(crate) enum LogEntry {
    Notice(Box<PastNotice>),
    /// A message that the function could not read, by its id, and when.
    Malformed(String, Option<Timestamp>),
    Hold(PastHold),
    PlacementFailure(PlacementFailure),
    Start(TaskStart),
    /// Nothing that a report counts.
    Other,
    /// A record or an event that cannot be read, and why.
    Unreadable(String),
}

type Raw<'a> = Option<&'a RawValue>;

/// The fields by which the forms are recognised, of whatever type they are.
#[derive(Default, Deserialize)]
struct Outline<'a> {
    #[serde(borrow, default)]
    timestamp: Raw<'a>,
    #[serde(borrow, default)]
    record: Raw<'a>,
    #[serde(borrow, default)]
    problem: Raw<'a>,
    #[serde(borrow, default)]
    message_id: Raw<'a>,
    #[serde(borrow, default)]
    message: Raw<'a>,
    #[serde(borrow, default)]
    program: Raw<'a>,
    #[serde(borrow, default, rename = "detail-type")]
    detail_type: Raw<'a>,
    #[serde(borrow, default)]
    registrations: Raw<'a>,
    #[serde(borrow, default)]
    notices: Raw<'a>,
    #[serde(borrow, default)]
    events: Raw<'a>,
    #[serde(borrow, default)]
    results: Raw<'a>,
    #[serde(borrow, default)]
    log: Raw<'a>,
}

/// The levels of wrapping that are opened: `aws logs` around a log router around a record.
const MOST_WRAPPINGS: u8 = 3;

/// Reads a line.
pub(crate) fn read(text: &str) -> Vec<LogEntry> {
    read_within(text, MOST_WRAPPINGS)
}

fn read_within(text: &str, wrappings: u8) -> Vec<LogEntry> {
    let Some(json) = text.find('{').and_then(|start| text.get(start..)).map(str::trim) else {
        return vec![LogEntry::Other];
    };
    match serde_json::from_str::<Outline<'_>>(json) {
        Ok(outline) => of_outline(&outline, json, wrappings),
        Err(error) if looks_like_a_record(json) => vec![LogEntry::Unreadable(format!("not valid JSON: {error}"))],
        Err(_) => vec![LogEntry::Other],
    }
}

/// Returns whether invalid JSON seems to be a record that was cut off. The report counts such records.
fn looks_like_a_record(json: &str) -> bool {
    json.contains("\"interrupted_at\"") && json.contains("\"registrations\"")
}

fn of_outline(outline: &Outline<'_>, json: &str, wrappings: u8) -> Vec<LogEntry> {
    if let Some(record) = outline.record {
        vec![of_record(record.get(), outline.timestamp)]
    } else if outline.registrations.is_some() {
        vec![record::read(json, None)]
    } else if let Some(program) = outline.program {
        vec![if program.get() == "\"spotdrain-hold\"" { hold_line::read(json) } else { LogEntry::Other }]
    } else if outline.detail_type.is_some() {
        vec![ecs_event::read(json)]
    } else if outline.problem.is_some() {
        let at = value(outline.timestamp);
        vec![value(outline.message_id).map_or(LogEntry::Other, |id| LogEntry::Malformed(id, at))]
    } else {
        of_wrapping(outline, wrappings)
    }
}

/// Reads the field `record`. The record of an ignored event has no registrations, and is not counted.
fn of_record(record: &str, timestamp: Raw<'_>) -> LogEntry {
    #[derive(Deserialize)]
    struct Probe {
        #[serde(default)]
        registrations: Option<IgnoredAny>,
    }
    let found = record::read(record, value(timestamp));
    if matches!(found, LogEntry::Notice(_)) {
        return found;
    }
    match serde_json::from_str(record) {
        Ok(Probe { registrations: None }) => LogEntry::Other,
        Ok(_) => found,
        Err(error) => LogEntry::Unreadable(format!("record: {error}")),
    }
}

/// One event of `aws logs filter-log-events` and its like.
#[derive(Deserialize)]
struct LogEvent {
    message: String,
}

/// One field of a row of Logs Insights.
#[derive(Deserialize)]
struct InsightsField {
    field: String,
    value: String,
}

fn of_wrapping(outline: &Outline<'_>, wrappings: u8) -> Vec<LogEntry> {
    if wrappings == 0 {
        return vec![LogEntry::Other];
    }
    let inner = |text: String| read_within(&text, wrappings - 1);
    if let Some(events) = items(outline.events) {
        let messages = events.into_iter().filter_map(|event| value::<LogEvent>(Some(event)));
        messages.flat_map(|event| inner(event.message)).collect()
    } else if let Some(rows) = value::<Vec<Vec<InsightsField>>>(outline.results) {
        let messages = rows.into_iter().flatten().filter(|field| field.field == "@message");
        messages.flat_map(|field| inner(field.value)).collect()
    } else if let Some(notices) = items(outline.notices) {
        notices.into_iter().map(|notice| record::read(notice.get(), None)).collect()
    } else if let Some(text) = value::<String>(outline.log).or_else(|| value(outline.message)) {
        inner(text)
    } else {
        vec![LogEntry::Other]
    }
}

fn items(raw: Raw<'_>) -> Option<Vec<&RawValue>> {
    serde_json::from_str(raw?.get()).ok()
}

fn value<T: DeserializeOwned>(raw: Raw<'_>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

//! What did past interruptions do? The pure part of `spotdrain report`: it turns log lines into a [`Summary`]. Time is an
//! argument.
//!
//! 1. [`History`] takes lines and documents, whose forms `read` knows.
//! 2. `interruption` merges all records of a task into one interruption, because its notice may arrive several times.
//! 3. [`summary`] counts: [`counts`] by day, hour, zone, service and size, [`sweeps`], [`trend`], [`holds`], [`replacements`],
//!    [`problems`].
//! 4. [`accounts`] counts by account and Region, where several were read.
//! 5. [`sentences`] says in words what the numbers mean.
//!
//! All days and hours are UTC.

pub mod accounts;
pub mod counts;
pub mod holds;
mod interruption;
pub mod percentiles;
pub mod problems;
pub mod query;
mod read;
pub mod replacements;
pub mod sentences;
pub mod summary;
pub mod sweeps;
pub mod trend;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use read::ecs_event::{PlacementFailure, TaskStart};
use read::hold_line::PastHold;
use read::line::LogEntry;
use read::record::PastNotice;

pub use accounts::{AccountName, AccountSummary};
pub use query::{BalancerKind, HistoryQuery};
pub use summary::{Summary, summarize};

/// What was read, line by line.
#[derive(Debug, Default)]
pub struct History {
    notices: Vec<PastNotice>,
    holds: Vec<PastHold>,
    placement_failures: Vec<PlacementFailure>,
    /// By task: ECS sends several events of a running task.
    starts: BTreeMap<String, TaskStart>,
    /// The messages that the function could not read, by their ids, and when that was.
    malformed: BTreeMap<String, Option<Timestamp>>,
    lines: LineCounts,
    /// The accounts that were read, if there are several.
    accounts: Vec<AccountSummary>,
}

/// How many lines were read, and how many of them were records.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct LineCounts {
    pub read: u64,
    /// Lines that are neither records nor events, such as the metrics of the function and the START and END of Lambda.
    pub other: u64,
    /// Records and events that are damaged or lack a field.
    pub unreadable: u64,
    /// Why the first of them could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_unreadable: Option<String>,
    /// Records of a newer schema, which were read as far as they are known.
    pub newer_schema: u64,
}

impl LineCounts {
    fn add(&mut self, other: Self) {
        self.read += other.read;
        self.other += other.other;
        self.unreadable += other.unreadable;
        self.newer_schema += other.newer_schema;
        self.first_unreadable = self.first_unreadable.take().or(other.first_unreadable);
    }
}

impl History {
    /// Adds one line of a log.
    pub fn add_line(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        self.lines.read += 1;
        for found in read::line::read(text) {
            self.add(found);
        }
    }

    /// Adds a JSON document of several lines: the output of `aws logs`, or of `spotdrain drain --json`.
    pub fn add_document(&mut self, text: &str) {
        let mut documents = serde_json::Deserializer::from_str(text).into_iter::<&serde_json::value::RawValue>();
        for document in documents.by_ref() {
            match document {
                Ok(document) => self.add_line(document.get()),
                Err(error) => return self.add(LogEntry::Unreadable(format!("not valid JSON: {error}"))),
            }
        }
    }

    fn add(&mut self, found: LogEntry) {
        match found {
            LogEntry::Notice(notice) => {
                self.lines.newer_schema += u64::from(notice.is_newer());
                self.notices.push(*notice);
            }
            LogEntry::Malformed(message, at) => _ = self.malformed.insert(message, at),
            LogEntry::Hold(hold) => self.holds.push(hold),
            LogEntry::PlacementFailure(failure) => self.placement_failures.push(failure),
            LogEntry::Start(start) => self.add_start(start),
            LogEntry::Other => self.lines.other += 1,
            LogEntry::Unreadable(why) => {
                self.lines.unreadable += 1;
                self.lines.first_unreadable.get_or_insert(why);
            }
        }
    }

    fn add_start(&mut self, start: TaskStart) {
        self.starts.entry(start.task.clone()).or_insert(start);
    }

    /// Returns how many lines were read.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines.read
    }

    /// Returns the target groups of the interrupted tasks that had a hold: their load balancers' types are not in any record.
    #[must_use]
    pub fn held_target_groups(&self) -> BTreeSet<&str> {
        let held: BTreeSet<&str> = self.holds.iter().map(|hold| hold.task.as_str()).collect();
        let notices = self.notices.iter().filter(|notice| held.contains(notice.task.as_str()));
        notices.flat_map(|notice| notice.registrations.iter().map(|row| row.target_group.as_str())).collect()
    }
}

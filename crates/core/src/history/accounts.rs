//! The accounts and Regions that a report covers, and what happened in each. Every one has a log of its own, which is read into a
//! [`History`] of its own and then joined.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::History;
use super::counts::Firsts;
use super::interruption::{PastInterruption, interruptions};
use super::query::HistoryQuery;
use super::read::record::PastOutcome;

/// A profile, and the Region in which its function's log was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountName {
    pub profile: String,
    /// Absent if the Region could not be found out.
    pub region: Option<String>,
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.profile)?;
        self.region.as_ref().map_or(Ok(()), |region| write!(f, " in {region}"))
    }
}

/// What happened in one account and Region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountSummary {
    #[serde(flatten)]
    pub name: AccountName,
    /// The accounts of the interrupted tasks, by their ids: one, unless the log is shared.
    pub account_ids: BTreeSet<String>,
    pub interruptions: u64,
    pub first: Firsts,
    /// Interruptions in which spotdrain deregistered a target.
    pub deregistered: u64,
    /// Interruptions that were never handled successfully.
    pub failed: u64,
    /// The lines that were read.
    pub lines: u64,
    /// Why its log could not be read; the other fields are then empty.
    pub problem: Option<String>,
}

impl AccountSummary {
    /// Counts what was read from an account's log.
    #[must_use]
    pub fn of(name: AccountName, history: &History, query: &HistoryQuery) -> Self {
        let (mut counted, _) = interruptions(&history.notices, query, query.from());
        counted.retain(|one| query.is_in_window(one.at));
        let number = |is: &dyn Fn(&&PastInterruption) -> bool| counted.iter().filter(is).count() as u64;
        Self {
            name,
            account_ids: counted.iter().filter_map(|one| account_id(&one.task)).collect(),
            interruptions: counted.len() as u64,
            first: Firsts::of(&counted),
            deregistered: number(&|one| one.has(PastOutcome::Deregistered)),
            failed: number(&|one| one.failures().next().is_some()),
            lines: history.lines(),
            problem: None,
        }
    }

    /// An account whose log could not be read.
    #[must_use]
    pub fn unread(name: AccountName, problem: String) -> Self {
        Self {
            name,
            account_ids: BTreeSet::new(),
            interruptions: 0,
            first: Firsts::default(),
            deregistered: 0,
            failed: 0,
            lines: 0,
            problem: Some(problem),
        }
    }
}

/// Returns the account in `arn:aws:ecs:REGION:ACCOUNT:task/...`.
fn account_id(task: &str) -> Option<String> {
    task.split(':').nth(4).filter(|id| !id.is_empty()).map(str::to_owned)
}

impl History {
    /// Adds what was read from an account's log, and what happened there.
    pub fn join(&mut self, other: Self, account: AccountSummary) {
        self.notices.extend(other.notices);
        self.holds.extend(other.holds);
        self.placement_failures.extend(other.placement_failures);
        self.malformed.extend(other.malformed);
        other.starts.into_values().for_each(|start| self.add_start(start));
        self.lines.add(other.lines);
        self.accounts.push(account);
    }
}

//! What failed, and which targets stayed registered.

use serde::Serialize;

use super::History;
use super::counts::{Count, count};
use super::interruption::PastInterruption;
use super::query::HistoryQuery;
use super::read::record::{PastNoTargetGroup, PastOutcome};

/// How many different failures a report lists.
const MOST: usize = 10;

/// Interruptions that did not end as they should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problems {
    /// Interruptions that were never handled successfully. Their messages end in the dead-letter queue.
    pub failed: u64,
    /// What failed, the most frequent first: the AWS call and its error.
    pub failures: Vec<Count>,
    /// Interruptions that failed at first, and succeeded on a retry.
    pub done_by_a_retry: u64,
    /// Interruptions whose target stayed registered, because it was the last healthy one of its group.
    pub kept_last_healthy: u64,
    /// Interruptions whose address already belonged to another task.
    pub stale: u64,
    /// Interruptions of tasks without a load balancer: usual for workers.
    pub without_load_balancer: u64,
    /// Interruptions of tasks whose service has a load balancer, and no target group was found.
    pub target_group_not_found: u64,
    /// Messages that the function could not read. They end in the dead-letter queue.
    pub unreadable_messages: u64,
}

pub(crate) fn problems(history: &History, interruptions: &[PastInterruption], query: &HistoryQuery) -> Problems {
    let number = |is: &dyn Fn(&&PastInterruption) -> bool| interruptions.iter().filter(is).count() as u64;
    let has_failed = |one: &&PastInterruption| one.failures().next().is_some();
    let failures = interruptions.iter().flat_map(PastInterruption::failures);
    let mut failures = count(failures.map(|failure| format!("{}: {}", failure.call, failure.problem).into()));
    failures.truncate(MOST);
    Problems {
        failed: number(&has_failed),
        failures,
        done_by_a_retry: number(&|one| one.was_retried && !has_failed(one)),
        kept_last_healthy: number(&|one| one.has(PastOutcome::KeptLastHealthy)),
        stale: number(&|one| one.has(PastOutcome::Stale)),
        without_load_balancer: number(&|one| one.no_target_group == Some(PastNoTargetGroup::NoLoadBalancer)),
        target_group_not_found: number(&|one| one.no_target_group == Some(PastNoTargetGroup::Unresolved)),
        unreadable_messages: unreadable_messages(history, query),
    }
}

/// Counts the unreadable messages of the window, and those whose time is unknown.
fn unreadable_messages(history: &History, query: &HistoryQuery) -> u64 {
    history.malformed.values().filter(|at| at.is_none_or(|at| query.is_in_window(at))).count() as u64
}

impl Problems {
    /// Whether somebody should look at something.
    #[must_use]
    pub fn need_attention(&self) -> bool {
        self.failed + self.target_group_not_found + self.unreadable_messages > 0
    }
}

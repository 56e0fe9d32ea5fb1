//! The function's record of a notice, of any version: `docs/schema`. A field that a version does not have is absent here.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::line::LogEntry;
use crate::model::task_status::StopCodeForm;
use crate::report::{FIRST_READ, First, RECORD_SCHEMA};

/// One record of a notice. A notice that arrived several times has several records.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PastNotice {
    #[serde(default = "version_1")]
    schema: u32,
    pub(crate) task: String,
    pub(crate) cluster: String,
    pub(crate) service: Option<String>,
    pub(crate) interrupted_at: Timestamp,
    pub(crate) registrations: Vec<PastRegistration>,
    #[serde(default)]
    pub(crate) event_source: Option<String>,
    #[serde(default)]
    pub(crate) capacity_provider: Option<String>,
    #[serde(default)]
    pub(crate) availability_zone: Option<String>,
    #[serde(default)]
    pub(crate) cpu: Option<u32>,
    #[serde(default)]
    pub(crate) memory: Option<u32>,
    #[serde(default)]
    pub(crate) architecture: Option<String>,
    #[serde(default)]
    pub(crate) ran_seconds: Option<u64>,
    #[serde(default)]
    pub(crate) stop_code_form: Option<StopCodeForm>,
    #[serde(default)]
    pub(crate) notice_age_ms: Option<i64>,
    #[serde(default)]
    first: Option<First>,
    #[serde(default)]
    elb_attachment: Option<String>,
    #[serde(default)]
    pub(crate) failure: Option<PastFailure>,
    #[serde(default)]
    pub(crate) no_target_group: Option<PastNoTargetGroup>,
    /// When the line was written.
    #[serde(skip)]
    written_at: Option<Timestamp>,
}

/// One registration and its outcome.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct PastRegistration {
    pub(crate) target_group: String,
    pub(crate) target: String,
    #[serde(default)]
    pub(crate) port: Option<u16>,
    pub(crate) outcome: PastOutcome,
    #[serde(default)]
    pub(crate) failure: Option<PastFailure>,
    #[serde(default)]
    pub(crate) notice_to_deregistered_ms: Option<i64>,
}

/// An outcome in a record. A newer version may have written one that is unknown here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, strum::IntoStaticStr)]
pub(crate) enum PastOutcome {
    Deregistered,
    WouldDeregister,
    AlreadyDraining,
    NotRegistered,
    LeftToHold,
    KeptLastHealthy,
    Stale,
    AlreadyGone,
    Failed,
    #[serde(other)]
    Other,
}

/// Why something failed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct PastFailure {
    pub(crate) call: String,
    pub(crate) problem: String,
}

/// Why there was no target group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum PastNoTargetGroup {
    NoLoadBalancer,
    #[serde(other)]
    Unresolved,
}

fn version_1() -> u32 {
    1
}

/// Reads a record. `written_at` is the time of its line.
pub(crate) fn read(json: &str, written_at: Option<Timestamp>) -> LogEntry {
    match serde_json::from_str::<PastNotice>(json) {
        Ok(notice) => LogEntry::Notice(Box::new(PastNotice { written_at, ..notice })),
        Err(error) => LogEntry::Unreadable(format!("record of a notice: {error}")),
    }
}

impl PastNotice {
    /// Whether the record has a newer schema than this program knows.
    pub(crate) fn is_newer(&self) -> bool {
        self.schema > RECORD_SCHEMA
    }

    /// Whether a simulator sent the notice.
    pub(crate) fn is_simulated(&self) -> bool {
        self.event_source.is_some()
    }

    /// Returns when the record was made: the time of its line, or else an estimate. It orders the records of a task.
    pub(crate) fn recorded_at(&self) -> Timestamp {
        let age = SignedDuration::from_millis(self.notice_age_ms.unwrap_or(0));
        self.written_at.unwrap_or_else(|| self.interrupted_at.saturating_add(age).unwrap_or(self.interrupted_at))
    }

    /// Returns who was first. The oldest records do not have the field, so it is derived by the same rule.
    pub(crate) fn first(&self) -> First {
        self.first.unwrap_or_else(|| self.derived_first())
    }

    fn derived_first(&self) -> First {
        let is_detached = matches!(self.elb_attachment.as_deref(), Some("DETACHING" | "DETACHED" | "DELETED"));
        let has = |wanted: &[PastOutcome]| self.registrations.iter().any(|row| wanted.contains(&row.outcome));
        if self.notice_age_ms.is_none_or(|age| SignedDuration::from_millis(age) > FIRST_READ) {
            First::Unknown
        } else if has(&[PastOutcome::AlreadyDraining]) || is_detached && has(&[PastOutcome::NotRegistered]) {
            First::Ecs
        } else if has(&[PastOutcome::Deregistered, PastOutcome::WouldDeregister]) {
            First::Spotdrain
        } else {
            First::Unknown
        }
    }
}

impl PastOutcome {
    /// The name, as in the record.
    pub(crate) fn as_str(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use strum::VariantNames as _;

    use super::*;
    use crate::model::outcome::Outcome;

    #[test]
    fn every_outcome_is_read() {
        for name in Outcome::VARIANTS {
            let read: PastOutcome = serde_json::from_value((*name).into()).unwrap();
            assert_eq!(read.as_str(), *name);
        }
        assert_eq!(serde_json::from_str::<PastOutcome>("\"Moved\"").unwrap(), PastOutcome::Other);
    }
}

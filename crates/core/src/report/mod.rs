//! The report on a batch: a record of each notice, and the verdict for the caller.

pub mod disposition;
pub mod message;
pub mod metrics;

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::arn::TargetGroupArn;
use crate::model::notice::Notice;
use crate::model::observed::{ServiceTag, TargetState};
use crate::model::outcome::{Failure, NoTargetGroup, Outcome};
use crate::model::task_change::TaskChange;
use crate::model::task_status::StopCodeForm;
use crate::plan::PlannedRegistration;
use crate::plan::target_groups::LocatedNotice;
use crate::read::classify::{IgnoredEvent, Malformed, ReceivedNotice};
use crate::settings::Mode;

/// The result of a batch as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Something was deregistered (or would be), and nothing failed.
    Done,
    /// Everything was ignored, skipped or kept.
    Nothing,
    /// Something failed, and a retry may succeed.
    Retry,
    /// Something failed that no retry can fix.
    Failed,
}

/// The report on a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub verdict: Verdict,
    pub notices: Vec<NoticeRecord>,
    pub ignored: Vec<IgnoredEvent>,
    pub malformed: Vec<Malformed>,
    /// The target groups that had no healthy target left after a deregistration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emptied: Vec<TargetGroupArn>,
}

/// Who deregistered the task's targets first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum First {
    /// A target was draining, or gone with its `elb` attachment, when it was first read.
    Ecs,
    /// A target was still in service when it was first read, and was deregistered (or would have been).
    Spotdrain,
    /// The first read came more than five seconds after the notice, or there was nothing to deregister.
    #[serde(other)]
    Unknown,
}

impl First {
    /// Returns the name of the metric that counts it.
    #[must_use]
    pub fn metric(self) -> &'static str {
        match self {
            Self::Ecs => "EcsFirst",
            Self::Spotdrain => "SpotdrainFirst",
            Self::Unknown => "FirstUnknown",
        }
    }

    fn of(age: Option<SignedDuration>, task: &TaskChange, rows: &[RegistrationRecord]) -> Self {
        let is_detached = matches!(task.elb_attachment.as_deref(), Some("DETACHING" | "DETACHED" | "DELETED"));
        let is_by_ecs = |row: &RegistrationRecord| match row.outcome {
            Outcome::AlreadyDraining => true,
            Outcome::NotRegistered => is_detached,
            _ => false,
        };
        let is_ours =
            |row: &RegistrationRecord| matches!(row.outcome, Outcome::Deregistered | Outcome::WouldDeregister);
        if age.is_none_or(|age| age > FIRST_READ) {
            Self::Unknown
        } else if rows.iter().any(is_by_ecs) {
            Self::Ecs
        } else if rows.iter().any(is_ours) {
            Self::Spotdrain
        } else {
            Self::Unknown
        }
    }
}

/// A read that is later than this after the notice does not show who was first.
pub(crate) const FIRST_READ: SignedDuration = SignedDuration::from_secs(5);

/// The version of the record's schema, `docs/schema/`. A new optional field does not change it. Version 1 had no field `schema`.
pub const RECORD_SCHEMA: u32 = 2;

/// The record of one notice. The stop code, the reason, the statuses and the version are as they were in the event, because
/// the form of today's notices is not documented exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a field of the JSON record")]
pub struct NoticeRecord {
    /// [`RECORD_SCHEMA`]
    pub schema: u32,
    /// SQS's id of the message; `None` for a direct event.
    pub message_id: Option<String>,
    #[serde(flatten)]
    pub notice: Notice,
    /// When the interruption began.
    pub interrupted_at: Timestamp,
    /// When the task is gone at the latest.
    pub deadline: Timestamp,
    /// The age of the notice when its first group was read, in milliseconds; absent if it is dated in the future.
    pub notice_age_ms: Option<i64>,
    /// Who deregistered its targets first.
    pub first: First,
    /// Whether the event has a stop code, and a published one.
    pub stop_code_form: StopCodeForm,
    /// For how many seconds the task had run when the interruption began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ran_seconds: Option<u64>,
    pub mode: Mode,
    /// The value of the service's tag `spotdrain`, if it is unknown; it counts as `observe`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown_tag: Option<String>,
    /// The service is tagged `hold`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// None of its groups got a turn: its message returns.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub postponed: bool,
    /// ECS said that the task is not stopping; that answer may be older than the event.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub contradicted: bool,
    /// A last healthy target was kept, and its message returns after this time: another target may have become healthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub look_again_seconds: Option<u64>,
    /// Why its target groups or its address could not be found.
    pub failure: Option<Failure>,
    /// Why it has no target group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_target_group: Option<NoTargetGroup>,
    /// The service's tags could not be read: the last ones that were read apply, if any.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tags_unknown: bool,
    pub registrations: Vec<RegistrationRecord>,
}

/// The record of one registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RegistrationRecord {
    pub target_group: TargetGroupArn,
    pub target: IpAddr,
    /// The registered port; if it could not be read, the one that was tried.
    pub port: Option<u16>,
    /// The state that was read.
    pub state: Option<TargetState>,
    /// The port of the health check, for held tasks only. If it is the registered port, the check does not ask the hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_port: Option<u16>,
    /// Its name as `outcome`, and the `failure` if it failed.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// When the outcome was known.
    pub outcome_at: Timestamp,
    /// From the beginning of the interruption to the deregistration, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice_to_deregistered_ms: Option<i64>,
}

fn verdict(notices: &[NoticeRecord], malformed: &[Malformed]) -> Verdict {
    let mut failures = notices.iter().flat_map(NoticeRecord::failures).peekable();
    if failures.peek().is_some() {
        return if failures.any(|failure| failure.retryable) { Verdict::Retry } else { Verdict::Failed };
    }
    if !malformed.is_empty() {
        return Verdict::Failed;
    }
    let mut registrations = notices.iter().flat_map(|notice| &notice.registrations);
    let is_done = registrations.any(|row| matches!(row.outcome, Outcome::Deregistered | Outcome::WouldDeregister));
    if is_done { Verdict::Done } else { Verdict::Nothing }
}

fn milliseconds(duration: SignedDuration) -> Option<i64> {
    i64::try_from(duration.as_millis()).ok()
}

impl RegistrationRecord {
    /// Creates the record of a planned registration. `at`: when the outcome was known.
    #[must_use]
    pub fn new(row: &PlannedRegistration, outcome: Outcome, at: Timestamp, notice: &Notice) -> Self {
        let took = (outcome == Outcome::Deregistered).then(|| at.duration_since(notice.interrupted_at()));
        Self {
            target_group: row.registration.target_group.clone(),
            target: row.registration.target.address,
            port: row.registration.target.port,
            state: row.state.clone(),
            check_port: row.check_port,
            outcome,
            outcome_at: at,
            notice_to_deregistered_ms: took.and_then(milliseconds),
        }
    }
}

impl NoticeRecord {
    /// Creates the record of a notice. `age`: its age when its first group was read.
    #[must_use]
    pub fn new(located: LocatedNotice, age: Option<SignedDuration>, registrations: Vec<RegistrationRecord>) -> Self {
        let LocatedNotice { received: ReceivedNotice { message_id, notice }, candidates, mode, unknown_tag } = located;
        Self {
            schema: RECORD_SCHEMA,
            message_id,
            interrupted_at: notice.interrupted_at(),
            deadline: notice.deadline(),
            notice_age_ms: age.and_then(milliseconds),
            first: First::of(age, &notice.task, &registrations),
            stop_code_form: StopCodeForm::of(notice.task.stop_code.as_ref()),
            ran_seconds: notice.task.platform.ran_seconds(notice.interrupted_at()),
            mode,
            unknown_tag,
            held: candidates.tag == Some(ServiceTag::Hold),
            postponed: false,
            contradicted: false,
            look_again_seconds: None,
            failure: candidates.failure,
            no_target_group: candidates.none,
            tags_unknown: candidates.tags_unknown,
            notice,
            registrations,
        }
    }

    /// Returns whether its message must return to the queue.
    #[must_use]
    pub fn returns(&self) -> bool {
        self.has_failed() || self.look_again_seconds.is_some()
    }

    /// Returns its own failure and those of its registrations.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.failure.iter().chain(self.registrations.iter().filter_map(|row| row.outcome.failure()))
    }

    fn has_failed(&self) -> bool {
        self.failures().next().is_some()
    }
}

impl Report {
    /// Creates a report with its verdict.
    #[must_use]
    pub fn new(notices: Vec<NoticeRecord>, ignored: Vec<IgnoredEvent>, malformed: Vec<Malformed>) -> Self {
        Self { verdict: verdict(&notices, &malformed), notices, ignored, malformed, emptied: Vec::new() }
    }

    /// Creates a report on a target group without a healthy target.
    #[must_use]
    pub fn of_emptied(group: TargetGroupArn) -> Self {
        Self { emptied: vec![group], ..Self::new(Vec::new(), Vec::new(), Vec::new()) }
    }

    /// Joins the reports of the parts of a batch.
    #[must_use]
    pub fn join(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut joined = Self::new(Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            joined.notices.extend(part.notices);
            joined.ignored.extend(part.ignored);
            joined.malformed.extend(part.malformed);
            joined.emptied.extend(part.emptied);
        }
        Self { verdict: verdict(&joined.notices, &joined.malformed), ..joined }
    }

    /// Returns the ids of the messages that must return: they could not be read, their notice failed, or a target is examined
    /// again.
    #[must_use]
    pub fn failed_messages(&self) -> Vec<&str> {
        let malformed = self.malformed.iter().filter_map(|message| message.message_id.as_deref());
        let failed = self.notices.iter().filter(|notice| notice.returns());
        let mut ids: Vec<_> = malformed.chain(failed.filter_map(|notice| notice.message_id.as_deref())).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Returns the notices that were handled to the end.
    pub fn handled(&self) -> impl Iterator<Item = &NoticeRecord> {
        self.notices.iter().filter(|notice| !notice.returns())
    }

    /// Returns the first failure and the number of the others in one line; `None` without a failure.
    #[must_use]
    pub fn failure_summary(&self) -> Option<String> {
        let malformed = self.malformed.iter().map(|message| message.error.to_string());
        let failures = self.notices.iter().flat_map(NoticeRecord::failures);
        let mut all = malformed.chain(failures.map(|failure| format!("{}: {}", failure.call, failure.problem)));
        let first = all.next()?;
        let more = all.count();
        Some(if more == 0 { first } else { format!("{first} (and {more} more)") })
    }
}

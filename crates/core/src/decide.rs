//! What is to be done about one registration: the design's table *Deciding*.
//!
//! The order matters. A target that is draining needs nothing, whoever asks. Then whose address it is: nothing outweighs
//! that. Then whether its hold does better than we can, and only then whether the group can spare it.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use crate::finding::TaskFinding;
use crate::hold;
use crate::notice::Notice;
use crate::outcome::{Failure, Outcome};
use crate::plan::OwnedTarget;
use crate::target::{RegisteredTarget, TargetState};

/// How long an answer of ECS is acted on: an address is not another task's before the first's interface is deleted.
pub const ANSWER_HOLDS: SignedDuration = SignedDuration::from_secs(10);

/// How long a notice that is fresh when it is planned may be acted on at least.
const FRESH_HOLDS: SignedDuration = SignedDuration::from_secs(5);

/// Whether the addresses of a notice are still its task's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// The notice is fresh: no other task can have the address yet.
    Fresh,
    /// ECS says that the task has these addresses.
    Confirmed(Vec<IpAddr>),
    /// ECS says that the task is down.
    Lost,
    /// ECS could not be asked.
    Unknown(Failure),
}

impl Ownership {
    /// `needed`: the notice is old, or its task is past RUNNING.
    pub(crate) fn of(needed: bool, finding: Option<&TaskFinding>) -> Self {
        match (needed, finding) {
            (_, Some(TaskFinding::Found(addresses))) => Self::Confirmed(addresses.clone()),
            (_, Some(TaskFinding::Missing)) => Self::Lost,
            (true, Some(TaskFinding::Unknown(failure))) => Self::Unknown(failure.clone()),
            (true, None) => Self::Unknown(Failure::not_asked("DescribeTasks")),
            (false, _) => Self::Fresh,
        }
    }

    /// Why the address may not be acted on; `None` if it may.
    pub(crate) fn objection(&self, address: IpAddr) -> Option<Outcome> {
        match self {
            Self::Fresh => None,
            Self::Confirmed(addresses) => (!addresses.contains(&address)).then_some(Outcome::Stale),
            Self::Lost => Some(Outcome::Stale),
            Self::Unknown(failure) => Some(Outcome::Failed(failure.clone())),
        }
    }

    /// How long it may be acted on without asking again. An answer of ECS holds for [`ANSWER_HOLDS`]; a fresh notice
    /// stays fresh to the end of its time, and a little longer where that has nearly come.
    pub(crate) fn trusted_until(
        &self,
        notice: &Notice,
        (now, asked_at): (Timestamp, Timestamp),
        fresh: SignedDuration,
    ) -> Timestamp {
        let after = |time: Timestamp, duration| time.saturating_add(duration).unwrap_or(Timestamp::MAX);
        match self {
            Self::Fresh => after(notice.interrupted_at(), fresh).max(after(now, FRESH_HOLDS)),
            Self::Confirmed(_) | Self::Lost | Self::Unknown(_) => after(asked_at, ANSWER_HOLDS),
        }
    }

    /// Whether the address goes away with its task. Where ECS could not be asked it does: what is not known to stay must
    /// not be what a group rests on.
    pub(crate) fn goes(&self, address: IpAddr) -> bool {
        self.objection(address) != Some(Outcome::Stale)
    }

    /// Whether ECS says outright that the address is another's: its task is up, and has others.
    pub(crate) fn is_anothers(&self, address: IpAddr) -> bool {
        matches!(self, Self::Confirmed(addresses) if !addresses.contains(&address))
    }
}

/// Decides again on a target whose turn came late: `None` if ECS says that it is still its task's.
#[must_use]
pub fn decide_again(target: &OwnedTarget, finding: Option<&TaskFinding>) -> Option<Outcome> {
    Ownership::of(true, finding).objection(target.target.address)
}

/// What a target's decision depends on beside the target.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing<'a> {
    /// Whose the address is.
    pub(crate) ownership: &'a Ownership,
    /// The service is tagged `hold`.
    pub(crate) held: bool,
    /// The group has another healthy target that stays, or need not keep one.
    pub(crate) spare: bool,
}

/// Decides on a registration that was read; `None` means: deregister it.
pub(crate) fn decide(target: &RegisteredTarget, standing: Standing<'_>) -> Option<Outcome> {
    if target.state == TargetState::Draining {
        return Some(Outcome::AlreadyDraining);
    }
    if let Some(objection) = standing.ownership.objection(target.address) {
        return Some(objection);
    }
    if standing.held && hold::turns_away(target) {
        return Some(Outcome::LeftToHold);
    }
    (target.state == TargetState::Healthy && !standing.spare).then_some(Outcome::KeptLastHealthy)
}

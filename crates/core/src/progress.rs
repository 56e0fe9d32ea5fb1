//! What the calls of one invocation have made of a group's targets, and which targets the next call names.
//!
//! A turn has one DeregisterTargets. One bad target makes AWS refuse the whole call (`InvalidTarget`; `ValidationError` for an
//! address of the other family), so the targets are split in two until the bad one is alone, the larger parts first.
//!
//! If the group could not be read, success proves nothing: AWS also answers it for a target that is not there, or that is
//! registered under another port. Then only a read shows what became of the target.
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html>

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;

use crate::candidates::LocatedNotice;
use crate::finding::Target;
use crate::limits::MAX_TARGETS_PER_CALL;
use crate::outcome::{Failure, Outcome};
use crate::plan::{NoticePlan, OwnedTarget, PlannedRegistration};
use crate::report::RegistrationRecord;
use crate::settings::Mode;

/// AWS's answer to a DeregisterTargets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallAnswer {
    /// Success.
    Accepted,
    /// One of the targets is not valid for this group.
    Refused(Failure),
    /// The group does not exist any more.
    GroupGone,
    /// Any other failure.
    Failed(Failure),
}

/// What became of targets that were named without a read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Unconfirmed {
    Accepted,
    Refused(Failure),
}

/// What is settled of a notice's registrations in one group.
pub type Settled = BTreeMap<Target, RegistrationRecord>;

/// A notice of a turn: its plan, and what earlier turns have settled.
#[derive(Debug, Clone, Copy)]
pub struct Planned<'a> {
    /// The notice.
    pub notice: &'a LocatedNotice,
    /// Its plan.
    pub plan: &'a NoticePlan,
    /// What is settled.
    pub settled: &'a Settled,
}

/// The progress in one group.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    unconfirmed: BTreeMap<IpAddr, Unconfirmed>,
    /// The parts of refused calls. Each holds a bad target, or its other half does.
    parts: Vec<BTreeSet<Target>>,
}

impl Progress {
    /// The targets that a plan leaves to be deregistered: each once, the earliest deadline first, at most
    /// [`MAX_TARGETS_PER_CALL`], and of a group that was not read those of one address family.
    #[must_use]
    pub fn targets(&self, notices: &[Planned<'_>]) -> Vec<OwnedTarget> {
        let mut due: BTreeMap<Target, (Timestamp, OwnedTarget)> = BTreeMap::new();
        for Planned { notice, plan, settled } in notices.iter().filter(|of| of.notice.mode == Mode::Enforce) {
            let deadline = notice.notice().deadline();
            for row in plan.registrations.iter().filter(|row| self.is_due(row, settled)) {
                let (earliest, _) =
                    due.entry(row.registration.target).or_insert_with(|| (deadline, owned(row, notice)));
                *earliest = deadline.min(*earliest);
            }
        }
        let mut due: Vec<_> = due.into_values().collect();
        due.sort_by_key(|(deadline, owned)| (*deadline, owned.target));
        self.part_of(&due.into_iter().map(|(_, owned)| owned).collect::<Vec<_>>())
    }

    /// Whether a registration waits for a call.
    fn is_due(&self, row: &PlannedRegistration, settled: &Settled) -> bool {
        let Target { address, .. } = row.registration.target;
        let is_confirming = row.as_read.is_none() && self.unconfirmed.contains_key(&address);
        row.settled.is_none() && !settled.contains_key(&row.registration.target) && !is_confirming
    }

    /// Those of the targets that one call names.
    fn part_of(&self, due: &[OwnedTarget]) -> Vec<OwnedTarget> {
        let in_part = |part: &BTreeSet<Target>| due.iter().filter(|owned| part.contains(&owned.target)).count();
        let in_none = |owned: &OwnedTarget| !self.parts.iter().any(|part| part.contains(&owned.target));
        let largest = self.parts.iter().max_by_key(|part| in_part(part));
        let is_new = due.iter().filter(|owned| in_none(owned)).count() >= largest.map_or(0, in_part);
        let Some(is_ipv6) = due.first().map(|owned| owned.target.address.is_ipv6()) else { return Vec::new() };
        let is_named = |owned: &OwnedTarget| {
            let in_part =
                if is_new { in_none(owned) } else { largest.is_some_and(|part| part.contains(&owned.target)) };
            in_part && (owned.as_read.is_some() || owned.target.address.is_ipv6() == is_ipv6)
        };
        due.iter().filter(|owned| is_named(owned)).take(MAX_TARGETS_PER_CALL).cloned().collect()
    }

    /// Notes the answer to a call, and returns the outcome of its targets if it settles them.
    pub fn note(&mut self, targets: &[OwnedTarget], answer: CallAnswer) -> Option<Outcome> {
        let is_read = targets.iter().all(|owned| owned.as_read.is_some());
        match answer {
            CallAnswer::Accepted if is_read => Some(Outcome::Deregistered),
            CallAnswer::Accepted => self.leave_unconfirmed(targets, &Unconfirmed::Accepted),
            CallAnswer::Refused(_) if targets.len() > 1 => self.split(targets),
            CallAnswer::Refused(failure) if is_read => Some(Outcome::Failed(failure)),
            CallAnswer::Refused(failure) => self.leave_unconfirmed(targets, &Unconfirmed::Refused(failure)),
            CallAnswer::GroupGone => Some(Outcome::AlreadyGone),
            CallAnswer::Failed(failure) => (!failure.retryable).then_some(Outcome::Failed(failure)),
        }
    }

    fn leave_unconfirmed(&mut self, targets: &[OwnedTarget], how: &Unconfirmed) -> Option<Outcome> {
        self.unconfirmed.extend(targets.iter().map(|owned| (owned.target.address, how.clone())));
        None
    }

    fn split(&mut self, targets: &[OwnedTarget]) -> Option<Outcome> {
        let targets: Vec<_> = targets.iter().map(|owned| owned.target).collect();
        for part in &mut self.parts {
            part.retain(|target| !targets.contains(target));
        }
        self.parts.retain(|part| !part.is_empty());
        let (one, other) = targets.split_at(targets.len() / 2);
        self.parts.extend([one, other].map(|half| half.iter().copied().collect()));
        None
    }

    /// The outcome of a planned registration; `None` if it is still to be deregistered.
    #[must_use]
    pub fn outcome(&self, row: &PlannedRegistration) -> Option<Outcome> {
        let is_ours = self.unconfirmed.get(&row.registration.target.address) == Some(&Unconfirmed::Accepted);
        match row.settled.clone()? {
            Outcome::AlreadyDraining if is_ours => Some(Outcome::Deregistered),
            outcome => Some(outcome),
        }
    }

    /// Notes that the group was read, so that nothing is unconfirmed any more.
    pub fn confirm(&mut self) {
        self.unconfirmed.clear();
    }

    /// Whether targets were named without a read, and only a read shows what became of them.
    #[must_use]
    pub fn is_unconfirmed(&self, addresses: &[IpAddr]) -> bool {
        addresses.iter().any(|address| self.unconfirmed.contains_key(address))
    }

    /// Why a registration that was named without a read fails when there is no time to read its group. `failure`: why the group
    /// could not be read.
    #[must_use]
    pub fn unconfirmed(&self, address: IpAddr, failure: &Failure) -> Option<Failure> {
        Some(match self.unconfirmed.get(&address)? {
            Unconfirmed::Refused(refusal) => refusal.clone(),
            Unconfirmed::Accepted => {
                Failure { problem: format!("accepted, but not confirmed: {}", failure.problem), ..failure.clone() }
            }
        })
    }
}

fn owned(row: &PlannedRegistration, notice: &LocatedNotice) -> OwnedTarget {
    let (target, as_read) = (row.registration.target, row.as_read.clone());
    OwnedTarget { target, as_read, task: notice.notice().task.arn.clone() }
}

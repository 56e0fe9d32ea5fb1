//! The outcomes of the calls of one invocation in one group, and the targets of the next call.
//!
//! A turn makes one DeregisterTargets. One bad target makes AWS refuse the whole call (`InvalidTarget`; `ValidationError` for an
//! address of the other family), so the targets are split in two until the bad one is alone, the larger parts first.
//!
//! If the group could not be read, a success proves nothing: AWS also returns it for a target that is not in the group or that is
//! registered with another port. Then the group is read again to confirm the outcome.
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html>

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;

use crate::model::limits::MAX_TARGETS_PER_CALL;
use crate::model::observed::Target;
use crate::model::outcome::{Failure, Outcome};
use crate::plan::target_groups::LocatedNotice;
use crate::plan::{NoticePlan, OwnedTarget, PlannedRegistration};
use crate::report::RegistrationRecord;
use crate::settings::Mode;

/// AWS's answer to a DeregisterTargets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeregisterAnswer {
    Accepted,
    /// One of the targets is not valid for this group.
    Refused(Failure),
    /// The group no longer exists.
    GroupGone,
    /// The connection broke, or no answer came in time: the call may have taken effect.
    Unanswered(Failure),
    /// Any other failure.
    Failed(Failure),
}

/// AWS's answer about a target of a group that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Unconfirmed {
    Accepted,
    Refused(Failure),
}

/// The registrations of a notice in one group whose outcome is final.
pub type SettledRegistrations = BTreeMap<Target, RegistrationRecord>;

/// A notice of a turn with its plan, and what earlier turns have settled.
#[derive(Debug, Clone, Copy)]
pub struct Planned<'a> {
    pub notice: &'a LocatedNotice,
    pub plan: &'a NoticePlan,
    pub settled: &'a SettledRegistrations,
}

/// The progress of an invocation in one group.
#[derive(Debug, Clone, Default)]
pub struct GroupProgress {
    unconfirmed: BTreeMap<Target, Unconfirmed>,
    /// The addresses in calls without an answer: if they drain at the next read, the call counts as successful.
    unanswered: BTreeSet<IpAddr>,
    parts: Vec<Part>,
    pairs: usize,
}

/// One half of the targets of a refused call: a bad target is in it or in the other half of the pair.
#[derive(Debug, Clone)]
struct Part {
    targets: BTreeSet<Target>,
    pair: usize,
}

impl GroupProgress {
    /// Returns the targets of the next call: each once, the earliest deadline first, at most [`MAX_TARGETS_PER_CALL`]; if the
    /// group was not read, only those of one address family.
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

    /// Returns whether a registration waits for a call.
    fn is_due(&self, row: &PlannedRegistration, settled: &SettledRegistrations) -> bool {
        let is_confirming = row.as_read.is_none() && self.is_unconfirmed(&[row.registration.target.address]);
        row.settled.is_none() && !settled.contains_key(&row.registration.target) && !is_confirming
    }

    /// Returns the targets of one call: those of the largest part, or those that are in no part.
    fn part_of(&self, due: &[OwnedTarget]) -> Vec<OwnedTarget> {
        let Some(is_ipv6) = due.first().map(|owned| owned.target.address.is_ipv6()) else { return Vec::new() };
        let part_of = |owned: &OwnedTarget| self.parts.iter().position(|part| part.targets.contains(&owned.target));
        let mut sizes: BTreeMap<Option<usize>, usize> = BTreeMap::new();
        for owned in due {
            *sizes.entry(part_of(owned)).or_default() += 1;
        }
        let largest = sizes.into_iter().max_by_key(|(_, size)| *size).and_then(|(part, _)| part);
        let is_named = |owned: &&OwnedTarget| {
            part_of(owned) == largest && (owned.as_read.is_some() || owned.target.address.is_ipv6() == is_ipv6)
        };
        due.iter().filter(is_named).take(MAX_TARGETS_PER_CALL).cloned().collect()
    }

    /// Notes the answer to a call, and returns the outcome of its targets if it settles them.
    pub fn note(&mut self, targets: &[OwnedTarget], answer: DeregisterAnswer) -> Option<Outcome> {
        let is_read = targets.iter().all(|owned| owned.as_read.is_some());
        if answer == DeregisterAnswer::Accepted {
            self.split_other_half(targets);
        }
        match answer {
            DeregisterAnswer::Accepted if is_read => Some(Outcome::Deregistered),
            DeregisterAnswer::Accepted => self.leave_unconfirmed(targets, &Unconfirmed::Accepted),
            DeregisterAnswer::Refused(_) if targets.len() > 1 => {
                self.split(&targets.iter().map(|owned| owned.target).collect::<Vec<_>>());
                None
            }
            DeregisterAnswer::Refused(failure) if is_read => Some(Outcome::Failed(failure)),
            DeregisterAnswer::Refused(failure) => self.leave_unconfirmed(targets, &Unconfirmed::Refused(failure)),
            DeregisterAnswer::GroupGone => Some(Outcome::AlreadyGone),
            DeregisterAnswer::Unanswered(_) => {
                self.unanswered.extend(targets.iter().map(|owned| owned.target.address));
                None
            }
            DeregisterAnswer::Failed(failure) => (!failure.retryable).then_some(Outcome::Failed(failure)),
        }
    }

    fn leave_unconfirmed(&mut self, targets: &[OwnedTarget], how: &Unconfirmed) -> Option<Outcome> {
        self.unconfirmed.extend(targets.iter().map(|owned| (owned.target, how.clone())));
        None
    }

    /// Splits the targets of a refused call in two.
    fn split(&mut self, targets: &[Target]) {
        for part in &mut self.parts {
            part.targets.retain(|target| !targets.contains(target));
        }
        self.parts.retain(|part| !part.targets.is_empty());
        self.pairs += 1;
        let (one, other) = targets.split_at(targets.len() / 2);
        let part = |half: &[Target]| Part { targets: half.iter().copied().collect(), pair: self.pairs };
        self.parts.extend([part(one), part(other)]);
    }

    /// One half of a refused call was accepted, so the bad target is in the other half.
    fn split_other_half(&mut self, accepted: &[OwnedTarget]) {
        let is_accepted = |part: &Part| accepted.iter().any(|owned| part.targets.contains(&owned.target));
        let Some(pair) = self.parts.iter().find(|part| is_accepted(part)).map(|part| part.pair) else { return };
        let other = self.parts.iter().find(|part| part.pair == pair && !is_accepted(part) && part.targets.len() > 1);
        if let Some(other) = other {
            self.split(&other.targets.iter().copied().collect::<Vec<_>>());
        }
    }

    /// Applies a read of the group: a target that drains after a call of ours was deregistered by it.
    pub fn confirm(&mut self, plans: &mut [NoticePlan]) {
        for row in plans.iter_mut().flat_map(|plan| &mut plan.registrations) {
            let address = row.registration.target.address;
            let is_ours =
                self.unanswered.contains(&address) || self.of(address).any(|(_, how)| *how == Unconfirmed::Accepted);
            if row.settled == Some(Outcome::AlreadyDraining) && is_ours {
                row.settled = Some(Outcome::Deregistered);
            }
        }
        self.unconfirmed.clear();
        self.unanswered.clear();
    }

    fn of(&self, address: IpAddr) -> impl Iterator<Item = (&Target, &Unconfirmed)> {
        self.unconfirmed.iter().filter(move |(target, _)| target.address == address)
    }

    /// Returns whether one of the addresses was deregistered without a read, so that a read must confirm it.
    #[must_use]
    pub fn is_unconfirmed(&self, addresses: &[IpAddr]) -> bool {
        addresses.iter().any(|address| self.of(*address).next().is_some())
    }

    /// Returns the failure of a registration that is still open at the deadline. `failure`: the last one of its group.
    #[must_use]
    pub fn failure(&self, target: Target, failure: Failure) -> Failure {
        match self.unconfirmed.get(&target) {
            Some(Unconfirmed::Refused(refusal)) => refusal.clone(),
            Some(Unconfirmed::Accepted) => {
                Failure { problem: format!("accepted, but not confirmed: {}", failure.problem), ..failure }
            }
            None => failure,
        }
    }
}

fn owned(row: &PlannedRegistration, notice: &LocatedNotice) -> OwnedTarget {
    let (target, as_read) = (row.registration.target, row.as_read.clone());
    OwnedTarget { target, as_read, task: notice.notice().task.arn.clone() }
}

//! The open notices of an invocation, the target groups that they wait for, and which group is next.
//!
//! Notices in time come first, by their deadline; then notices past their deadline. A group whose last turn failed goes behind
//! those that were not tried. A group that needs no turn is only looked at: to confirm a write, to search it for a task, or to
//! look again at a target that was kept.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use spotdrain_core::model::arn::TargetGroupArn;
use spotdrain_core::model::notice::Notice;
use spotdrain_core::model::outcome::{Failure, Outcome};
use spotdrain_core::plan::progress::{Progress, Settled};
use spotdrain_core::plan::target_groups::LocatedNotice;
use spotdrain_core::plan::{NoticePlan, PlannedRegistration};
use spotdrain_core::report::RegistrationRecord;

/// Numbers the notices of an invocation.
pub(crate) type NoticeId = usize;

/// Deadlines in the same period of this many seconds count as equal. The queue deals the notices of a group to both execution
/// environments, and what one of them could not serve is dealt again. If both take the groups in the same order, each group is
/// written to twice in a storm, and otherwise once more whenever the rest is dealt again.
const SAME_TIME: i64 = 10;

/// Why a group is looked at without a turn, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LookKind {
    /// Its targets were named unread, and only a read shows what became of them.
    Confirm,
    /// Only the configuration names it.
    Search,
    /// A last healthy target was kept there.
    SecondLook,
}

/// What a notice waits for in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wants {
    Turn,
    Look(LookKind),
}

/// A notice that has no outcome yet for some of its groups.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) located: LocatedNotice,
    /// When the first of its groups was planned.
    pub(crate) planned_at: Option<Timestamp>,
    /// The groups that it waits for.
    pub(crate) waits: BTreeMap<TargetGroupArn, Wait>,
    /// The registrations of the other groups.
    pub(crate) records: Vec<RegistrationRecord>,
    pub(crate) is_contradicted: bool,
}

impl Open {
    /// Notes what the plan of a group says of the notice as a whole.
    pub(crate) fn note(&mut self, plan: &NoticePlan, now: Timestamp) {
        self.planned_at.get_or_insert(now);
        self.is_contradicted |= plan.is_contradicted;
        if plan.failure.is_some() {
            self.located.candidates.failure.clone_from(&plan.failure);
        }
    }
}

/// What the turns of a group have made of a notice.
#[derive(Debug, Default)]
pub(crate) struct Wait {
    pub(crate) settled: Settled,
    /// The registrations that the last turn left open.
    pub(crate) open: Vec<PlannedRegistration>,
}

impl Wait {
    /// Takes over a plan: the registrations that have an outcome are settled, and the others stay open.
    pub(crate) fn settle(
        &mut self,
        plan: &NoticePlan,
        was_read: bool,
        outcome: impl Fn(&PlannedRegistration) -> Option<Outcome>,
        (notice, now): (&Notice, Timestamp),
    ) {
        // A plan that could not read the group does not know all ports. What an earlier turn read and left open stays open.
        let is_planned = |row: &PlannedRegistration| {
            was_read || plan.registrations.iter().any(|new| new.registration == row.registration)
        };
        self.open.retain(|row| !is_planned(row));
        for row in &plan.registrations {
            let target = row.registration.target;
            match outcome(row) {
                _ if self.settled.contains_key(&target) => {}
                // The targets that earlier turns settled have left the group.
                Some(Outcome::NotRegistered) if !self.settled.is_empty() => {}
                Some(outcome) => _ = self.settled.insert(target, RegistrationRecord::new(row, outcome, now, notice)),
                None => self.open.push(row.clone()),
            }
        }
    }
}

/// A target group that notices wait for.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// The notices that wait for a turn, the earliest deadline first.
    turns: BTreeSet<(Timestamp, NoticeId)>,
    /// The notices that wait for a look.
    looks: BTreeSet<(LookKind, Timestamp, NoticeId)>,
    pub(crate) is_busy: bool,
    pub(crate) progress: Progress,
    /// The number of failures since the last success, and the last of them.
    failures: u32,
    failure: Option<Failure>,
    /// It is not tried before.
    not_before: Option<Timestamp>,
}

impl Group {
    fn is_ready(&self, now: Timestamp) -> bool {
        !self.is_busy && self.not_before.is_none_or(|at| at <= now)
    }

    /// Every notice that waits for it.
    pub(crate) fn waiting(&self) -> Vec<NoticeId> {
        let looks = self.looks.iter().map(|(_, _, id)| *id);
        self.turns.iter().map(|(_, id)| *id).chain(looks).collect()
    }

    /// Notes a turn or a look that did what it should.
    pub(crate) fn succeeded(&mut self) {
        (self.failures, self.failure, self.not_before) = (0, None, None);
    }

    /// Notes a failure, and returns the number of failures in a row.
    pub(crate) fn failed(&mut self, failure: Failure) -> u32 {
        self.failures += 1;
        self.failure = Some(failure);
        self.failures
    }

    pub(crate) fn rest_until(&mut self, at: Timestamp) {
        self.not_before = Some(at);
    }

    /// Why its last turn failed.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// The order of turns: in time or not, tried or not, then the earliest deadline. Groups of the same time are taken in the order
    /// of their ARNs.
    fn rank(&self, now: Timestamp) -> Option<(bool, bool, i64)> {
        let (earliest, _) = self.turns.first()?;
        let in_time = self.turns.range((now, NoticeId::MIN)..).next();
        let deadline = in_time.map_or(*earliest, |(deadline, _)| *deadline);
        Some((in_time.is_none(), self.failures > 0, deadline.as_second().div_euclid(SAME_TIME)))
    }
}

/// All open notices and their groups.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) notices: BTreeMap<NoticeId, Open>,
    pub(crate) groups: BTreeMap<TargetGroupArn, Group>,
    next: NoticeId,
}

impl Work {
    /// Opens a notice. It has no groups yet.
    pub(crate) fn open(&mut self, located: LocatedNotice) -> NoticeId {
        self.next += 1;
        let open =
            Open { located, planned_at: None, waits: BTreeMap::new(), records: Vec::new(), is_contradicted: false };
        self.notices.insert(self.next, open);
        self.next
    }

    /// Lets a notice wait for a group.
    pub(crate) fn wait(&mut self, id: NoticeId, group: &TargetGroupArn, wants: Wants) {
        let Some(open) = self.notices.get_mut(&id) else { return };
        open.waits.entry(group.clone()).or_default();
        let deadline = open.located.notice().deadline();
        let group = self.groups.entry(group.clone()).or_default();
        group.turns.remove(&(deadline, id));
        group.looks.retain(|(_, _, other)| *other != id);
        match wants {
            Wants::Turn => _ = group.turns.insert((deadline, id)),
            Wants::Look(kind) => _ = group.looks.insert((kind, deadline, id)),
        }
    }

    /// Ends the wait of a notice for a group.
    pub(crate) fn leave(&mut self, id: NoticeId, group: &TargetGroupArn) {
        let Some(open) = self.notices.get_mut(&id) else { return };
        open.waits.remove(group);
        let deadline = open.located.notice().deadline();
        if let Some(group) = self.groups.get_mut(group) {
            group.turns.remove(&(deadline, id));
            group.looks.retain(|(_, _, other)| *other != id);
        }
    }

    /// Whether a group waits for a turn that it could use now.
    pub(crate) fn a_turn_waits(&self, now: Timestamp) -> bool {
        self.groups.values().any(|group| group.is_ready(now) && !group.turns.is_empty())
    }

    /// The group that takes the next turn.
    pub(crate) fn next_turn(&self, now: Timestamp) -> Option<TargetGroupArn> {
        let ready = self.groups.iter().filter(|(_, group)| group.is_ready(now));
        let ranked = ready.filter_map(|(arn, group)| Some((group.rank(now)?, arn)));
        ranked.min().map(|(_, arn)| arn.clone())
    }

    /// The group that is looked at next without a turn.
    pub(crate) fn next_look(&self, now: Timestamp) -> Option<TargetGroupArn> {
        let ready = self.groups.iter().filter(|(_, group)| group.is_ready(now) && group.turns.is_empty());
        let first = ready.filter_map(|(arn, group)| Some((group.looks.first()?, arn)));
        first.min().map(|(_, arn)| arn.clone())
    }

    /// When the next group that rests after a failure is ready.
    pub(crate) fn next_ready(&self, now: Timestamp) -> Option<Timestamp> {
        let waits = |group: &&Group| !(group.is_busy || group.turns.is_empty() && group.looks.is_empty());
        self.groups.values().filter(waits).filter_map(|group| group.not_before).filter(|at| *at > now).min()
    }
}

//! The open notices of an invocation, the target groups that they wait for, and the order of the groups.
//!
//! Notices in time come first, by their deadline, then notices past their deadline. A group whose last two turns failed
//! follows those whose tasks were interrupted before the second failure. A group may need no turn but only a look: to confirm a write, to search it for a task, or to
//! examine a kept target again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use spotdrain_core::model::arn::TargetGroupArn;
use spotdrain_core::model::limits::NOTICE;
use spotdrain_core::model::notice::Notice;
use spotdrain_core::model::outcome::{Failure, Outcome};
use spotdrain_core::plan::progress::{GroupProgress, SettledRegistrations};
use spotdrain_core::plan::target_groups::LocatedNotice;
use spotdrain_core::plan::{NoticePlan, PlannedRegistration};
use spotdrain_core::report::RegistrationRecord;

/// The number of a notice within the invocation.
pub(crate) type NoticeId = usize;

/// If more groups wait than the invocation can serve, deadlines in the same period of this many seconds count as equal, and
/// equal groups take turns in the order of their ARNs. The queue distributes the notices of each group over both execution
/// environments, and distributes again what an invocation could not serve. Because both environments take the groups in the same
/// order, they finish the same groups, and no group is written to again in the next invocation. The period is short because at
/// the end of every invocation more groups may wait than it can still serve, and their oldest notices should come first.
const SAME_TIME: i64 = 2;

/// Why a group is read without a turn, the most urgent reason first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LookKind {
    /// To confirm the outcome of a write to a group that could not be read before.
    Confirm,
    /// To search a group for the task that only the configuration names.
    Search,
    /// To examine again a target that was kept as the last healthy one.
    SecondLook,
}

/// What a notice waits for in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wants {
    Turn,
    Look(LookKind),
}

/// A notice that still waits for groups.
#[derive(Debug)]
pub(crate) struct OpenNotice {
    pub(crate) located: LocatedNotice,
    /// When the first of its groups was planned.
    pub(crate) planned_at: Option<Timestamp>,
    /// The groups that it waits for.
    pub(crate) waits: BTreeMap<TargetGroupArn, Wait>,
    /// The registrations of the other groups.
    pub(crate) records: Vec<RegistrationRecord>,
    pub(crate) is_contradicted: bool,
}

impl OpenNotice {
    /// Notes what the plan of a group says about the notice as a whole.
    pub(crate) fn note(&mut self, plan: &NoticePlan, now: Timestamp) {
        self.planned_at.get_or_insert(now);
        self.is_contradicted |= plan.is_contradicted;
        if plan.failure.is_some() {
            self.located.candidates.failure.clone_from(&plan.failure);
        }
    }
}

/// The registrations of a notice in one group.
#[derive(Debug, Default)]
pub(crate) struct Wait {
    pub(crate) settled: SettledRegistrations,
    /// Those that the last turn left open.
    pub(crate) open: Vec<PlannedRegistration>,
}

impl Wait {
    /// Applies a plan: registrations with an outcome are settled, and the others stay open.
    pub(crate) fn settle(
        &mut self,
        plan: &NoticePlan,
        was_read: bool,
        outcome: impl Fn(&PlannedRegistration) -> Option<Outcome>,
        (notice, now): (&Notice, Timestamp),
    ) {
        // The plan of an unread group does not know all ports, so registrations that an earlier turn read and left open stay
        // open.
        let is_planned = |row: &PlannedRegistration| {
            was_read || plan.registrations.iter().any(|new| new.registration == row.registration)
        };
        self.open.retain(|row| !is_planned(row));
        for row in &plan.registrations {
            let target = row.registration.target;
            match outcome(row) {
                _ if self.settled.contains_key(&target) => {}
                // The task's targets were deregistered by earlier turns and have left the group.
                Some(Outcome::NotRegistered) if !self.settled.is_empty() => {}
                Some(outcome) => _ = self.settled.insert(target, RegistrationRecord::new(row, outcome, now, notice)),
                None => self.open.push(row.clone()),
            }
        }
    }
}

/// A target group that notices wait for.
#[derive(Debug, Default)]
pub(crate) struct GroupQueue {
    /// The notices that wait for a turn, the earliest deadline first.
    turns: BTreeSet<(Timestamp, NoticeId)>,
    /// The notices that wait for a look.
    looks: BTreeSet<(LookKind, Timestamp, NoticeId)>,
    /// A turn or a look is under way.
    pub(crate) is_busy: bool,
    pub(crate) progress: GroupProgress,
    /// The number of failures since the last success, and the last of them with its time.
    failures: u32,
    failure: Option<(Failure, Timestamp)>,
    /// The group is not tried before this time, after a failure or while its notices are gathered.
    not_before: Option<Timestamp>,
}

impl GroupQueue {
    fn is_ready(&self, now: Timestamp) -> bool {
        !self.is_busy && self.not_before.is_none_or(|at| at <= now)
    }

    /// Returns every notice that waits for the group.
    pub(crate) fn waiting(&self) -> Vec<NoticeId> {
        let looks = self.looks.iter().map(|(_, _, id)| *id);
        self.turns.iter().map(|(_, id)| *id).chain(looks).collect()
    }

    /// Notes a turn or a look that succeeded.
    pub(crate) fn succeeded(&mut self) {
        (self.failures, self.failure, self.not_before) = (0, None, None);
    }

    /// Notes a failure, and returns the number of failures in a row.
    pub(crate) fn failed(&mut self, failure: Failure, now: Timestamp) -> u32 {
        self.failures += 1;
        self.failure = Some((failure, now));
        self.failures
    }

    pub(crate) fn rest_until(&mut self, at: Timestamp) {
        self.not_before = Some(at);
    }

    /// Returns why the last turn or look failed.
    pub(crate) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref().map(|(failure, _)| failure)
    }

    /// Returns the rank of the group among those that wait for a turn: notices in time first, then the earliest deadline. After
    /// two failures in a row the group counts as if its tasks had been interrupted when the last one failed. It then follows the
    /// groups whose tasks were interrupted before, but not those whose tasks are interrupted later: in a long storm they would
    /// never let it pass. A single failure is usually throttling, for which the group is not to blame. `is_overloaded`: see [`SAME_TIME`].
    fn rank(&self, now: Timestamp, is_overloaded: bool) -> Option<(bool, i64)> {
        let (earliest, _) = self.turns.first()?;
        let in_time = self.turns.range((now, NoticeId::MIN)..).next();
        let deadline = in_time.map_or(*earliest, |(deadline, _)| *deadline);
        let failed_at = self.failure.as_ref().filter(|_| self.failures > 1).map(|(_, at)| *at);
        let deadline = failed_at.and_then(|at| at.saturating_add(NOTICE).ok()).map_or(deadline, |at| at.max(deadline));
        let period = if is_overloaded { SAME_TIME * 1000 } else { 1 };
        Some((in_time.is_none(), deadline.as_millisecond().div_euclid(period)))
    }
}

/// All open notices and their groups.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) notices: BTreeMap<NoticeId, OpenNotice>,
    pub(crate) groups: BTreeMap<TargetGroupArn, GroupQueue>,
    next: NoticeId,
}

impl Work {
    /// Adds a notice, which waits for no group yet.
    pub(crate) fn open(&mut self, located: LocatedNotice) -> NoticeId {
        self.next += 1;
        let open = OpenNotice {
            located,
            planned_at: None,
            waits: BTreeMap::new(),
            records: Vec::new(),
            is_contradicted: false,
        };
        self.notices.insert(self.next, open);
        self.next
    }

    /// Makes a notice wait for a group.
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

    /// Delays the next turn of a group if only one notice waits for it, so that the turn serves more of them.
    pub(crate) fn gather(&mut self, group: &TargetGroupArn, until: Timestamp) {
        if let Some(group) = self.groups.get_mut(group).filter(|group| group.turns.len() == 1) {
            group.not_before = group.not_before.max(Some(until));
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

    /// Returns whether a group could use a turn now.
    pub(crate) fn a_turn_waits(&self, now: Timestamp) -> bool {
        self.groups.values().any(|group| group.is_ready(now) && !group.turns.is_empty())
    }

    /// Returns whether a group waits for a turn, also one that is not ready yet.
    pub(crate) fn has_turns(&self) -> bool {
        self.groups.values().any(|group| !group.is_busy && !group.turns.is_empty())
    }

    /// Returns the group that takes the next turn, if the invocation can grant this many.
    pub(crate) fn next_turn(&self, now: Timestamp, turns: usize) -> Option<TargetGroupArn> {
        let is_overloaded = self.groups.values().filter(|group| !group.turns.is_empty()).count() > turns;
        let ready = self.groups.iter().filter(|(_, group)| group.is_ready(now));
        let ranked = ready.filter_map(|(arn, group)| Some((group.rank(now, is_overloaded)?, arn)));
        ranked.min().map(|(_, arn)| arn.clone())
    }

    /// Returns the group that is read next without a turn.
    pub(crate) fn next_look(&self, now: Timestamp) -> Option<TargetGroupArn> {
        let ready = self.groups.iter().filter(|(_, group)| group.is_ready(now) && group.turns.is_empty());
        let first = ready.filter_map(|(arn, group)| Some((group.looks.first()?, arn)));
        first.min().map(|(_, arn)| arn.clone())
    }

    /// Returns when the next of the groups that are not ready yet can be tried.
    pub(crate) fn next_ready(&self, now: Timestamp) -> Option<Timestamp> {
        let waits = |group: &&GroupQueue| !(group.is_busy || group.turns.is_empty() && group.looks.is_empty());
        self.groups.values().filter(waits).filter_map(|group| group.not_before).filter(|at| *at > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str) -> TargetGroupArn {
        let arn = format!("arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/{name}/0123456789abcdef");
        TargetGroupArn::parse(&arn).unwrap()
    }

    #[test]
    fn a_group_gathers_notices_after_its_first_one() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let mut work = Work::default();
        let turns = |notices: usize| (0..notices).map(|id| (at(120), id)).collect();
        for (name, notices) in [("first", 1), ("later", 2)] {
            work.groups.insert(group(name), GroupQueue { turns: turns(notices), ..GroupQueue::default() });
            work.gather(&group(name), at(1));
        }
        assert_eq!(work.next_turn(at(0), 2), Some(group("later")), "its first notice arrived before");
        work.groups.remove(&group("later"));
        assert_eq!((work.next_turn(at(0), 2), work.has_turns(), work.next_ready(at(0))), (None, true, Some(at(1))));
        assert_eq!(work.next_turn(at(1), 2), Some(group("first")));
    }

    #[test]
    fn a_group_that_failed_twice_follows_those_interrupted_before_but_not_those_interrupted_later() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let notice_of =
            |seconds: i64, id| GroupQueue { turns: BTreeSet::from([(at(seconds + 120), id)]), ..GroupQueue::default() };
        let (mut failed, waited, later) = (notice_of(1, 1), notice_of(4, 2), notice_of(6, 3));
        let rank = |group: &GroupQueue, now| group.rank(at(now), false).unwrap();
        let failure = Failure { call: "DeregisterTargets", problem: "Throttling".into(), retryable: true };
        failed.failed(failure.clone(), at(5));
        assert!(rank(&failed, 7) < rank(&waited, 7), "after a single failure the deadline decides");
        failed.failed(failure, at(5));
        assert!(rank(&waited, 7) < rank(&failed, 7) && rank(&failed, 7) < rank(&later, 7));
        assert!(rank(&later, 122) < rank(&failed, 122), "its notice is past its deadline");
        failed.succeeded();
        assert!(rank(&failed, 7) < rank(&waited, 7));
    }

    #[test]
    fn the_earliest_deadline_decides_and_in_an_overload_the_arn_if_deadlines_are_close() {
        let at = |milliseconds| Timestamp::from_millisecond(milliseconds).unwrap();
        let mut work = Work::default();
        for (id, (name, deadline)) in [("a", 121_900), ("b", 120_100), ("c", 119_900)].into_iter().enumerate() {
            let turns = BTreeSet::from([(at(deadline), id)]);
            work.groups.insert(group(name), GroupQueue { turns, ..GroupQueue::default() });
        }
        let next = |work: &Work, turns| work.next_turn(at(0), turns).unwrap();
        assert_eq!((next(&work, 3), next(&work, 2)), (group("c"), group("c")), "more than a moment earlier");
        work.groups.remove(&group("c"));
        assert_eq!((next(&work, 2), next(&work, 1)), (group("b"), group("a")));
    }
}

//! Turns and looks: granted, read, planned, written and settled.

use std::collections::BTreeSet;

use jiff::Timestamp;
use spotdrain_core::arn::TargetGroupArn;
use spotdrain_core::finding::GroupFinding;
use spotdrain_core::last_healthy::StoppingTasks;
use spotdrain_core::notice::Notice;
use spotdrain_core::outcome::{Failure, Outcome};
use spotdrain_core::pace::{Budget, Kind};
use spotdrain_core::plan::{GroupPlan, Look, NoticePlan, OwnedTarget, PlannedRegistration, Situation, plan};
use spotdrain_core::progress::{CallAnswer, Planned};
use spotdrain_core::report::{RegistrationRecord, Report};
use spotdrain_core::settings::Mode;
use spotdrain_core::settlement::ECS_CATCHES_UP;

use super::{Event, Run};
use crate::cloud::{CallErrorKind, Cloud};
use crate::deadline::later;
use crate::invocation::Invocation;
use crate::look::{Scope, is_emptied, look, stopping_tasks};
use crate::retry::back_off;
use crate::shares;
use crate::work::{Group, LookKind, NoticeId, Wants};

/// A group that is looked at.
pub(super) struct Turn {
    group: TargetGroupArn,
    /// It has the token of a write.
    may_write: bool,
}

/// A turn whose group was planned.
pub(super) struct Turned {
    group: TargetGroupArn,
    notices: Vec<(NoticeId, NoticePlan)>,
    targets: Vec<OwnedTarget>,
    /// Why the group could not be read.
    unread: Option<Failure>,
    /// ECS was asked which tasks are stopping, because few healthy targets would stay.
    is_low: bool,
}

impl<C: Cloud> Run<'_, C> {
    /// Grants the turns that there are tokens for, and returns when to try again.
    pub(super) fn grant_turns(&mut self) -> Option<Timestamp> {
        while self.has_time() && self.work.a_turn_waits(self.now()) {
            let now = self.now();
            let engine = self.invocation.engine;
            let wait = engine.budget(|budget, elapsed| budget.until_turn(elapsed));
            let gathering = engine.arrivals.borrow().gather_until(self.invocation.started_at);
            let gathering = gathering.max(self.receiving.first_answer_by());
            let granted_at = gathering.unwrap_or(now).max(later(now, wait));
            if granted_at > now {
                return Some(granted_at);
            }
            let group = self.work.next_turn(now)?;
            engine.budget(Budget::take_turn);
            self.look_at(Turn { group, may_write: true });
        }
        self.work.next_ready(self.now())
    }

    /// Looks at groups that need no turn, with tokens that no waiting turn needs, and returns when to try again.
    pub(super) fn grant_looks(&mut self) -> Option<Timestamp> {
        while self.has_time() {
            let now = self.now();
            let engine = self.invocation.engine;
            let group = self.work.next_look(now)?;
            let a_turn_waits = self.work.a_turn_waits(now);
            let wait = engine.budget(|budget, elapsed| budget.until_spare_read(elapsed, a_turn_waits));
            if !wait.is_zero() {
                return Some(later(now, wait));
            }
            engine.budget(|budget, elapsed| budget.take(Kind::Read, elapsed));
            self.look_at(Turn { group, may_write: false });
        }
        None
    }

    fn look_at(&mut self, turn: Turn) {
        let (invocation, now) = (self.invocation, self.now());
        let Some(group) = self.work.groups.get_mut(&turn.group) else { return };
        group.is_busy = true;
        // A notice that is fresh now may be old once the group was read.
        let (fresh, planned_at) = (invocation.engine.settings.fresh, later(now, shares::OBSERVING));
        let waiting = group.waiting().into_iter().filter_map(|id| Some(self.work.notices.get(&id)?.located.notice()));
        let may_need = |notice: &&Notice| [now, planned_at].iter().any(|at| notice.needs_ownership(*at, fresh));
        let notices = waiting.filter(may_need).cloned().collect();
        self.spawn(async move {
            let look = look(invocation, &turn.group, notices).await;
            Event::Looked(turn, look)
        });
    }

    /// Plans a group that was looked at, and writes what the plan asks for.
    pub(super) fn looked(&mut self, turn: Turn, look: Look) {
        let ids = self.planned_together(&turn.group, &look);
        let mut plan = self.plan(&turn.group, &ids, &look);
        if plan.asks_ecs {
            return self.ask_ecs(turn, ids, look);
        }
        if let (GroupFinding::Unknown(failure), false) = (&look.group, turn.may_write) {
            return self.look_failed(&turn.group, &ids, failure.clone());
        }
        let unread = match &look.group {
            GroupFinding::Unknown(failure) => Some(failure.clone()),
            GroupFinding::Found(_) | GroupFinding::Missing => None,
        };
        if let (None, Some(group)) = (&unread, self.work.groups.get_mut(&turn.group)) {
            group.progress.confirm(&mut plan.notices);
        }
        let is_low = look.stopping != StoppingTasks::NotAsked;
        let notices = ids.into_iter().zip(plan.notices).collect();
        let mut turned = Turned { group: turn.group, notices, targets: Vec::new(), unread, is_low };
        turned.targets = self.targets(&turned);
        self.write_or_settle(turned, turn.may_write);
    }

    /// The notices that wait for a group and whose tasks were asked about, where that is needed.
    fn planned_together(&self, group: &TargetGroupArn, look: &Look) -> Vec<NoticeId> {
        let (now, fresh) = (self.now(), self.invocation.engine.settings.fresh);
        let is_known = |id: &NoticeId| {
            let Some(open) = self.work.notices.get(id) else { return false };
            let (notice, task) = (open.located.notice(), &open.located.notice().task.arn);
            !notice.needs_ownership(now, fresh) || look.tasks.contains_key(task) || look.stopping.get(task).is_some()
        };
        self.work.groups.get(group).map(Group::waiting).unwrap_or_default().into_iter().filter(is_known).collect()
    }

    fn plan(&self, group: &TargetGroupArn, ids: &[NoticeId], look: &Look) -> GroupPlan {
        let engine = self.invocation.engine;
        let notices: Vec<_> = ids.iter().filter_map(|id| Some(&self.work.notices.get(id)?.located)).collect();
        let memory = &engine.memory.borrow();
        plan(&notices, &Situation { group, look, memory, settings: &engine.settings, now: self.now() })
    }

    /// Asks ECS which tasks of the notices' services are stopping.
    fn ask_ecs(&mut self, turn: Turn, ids: Vec<NoticeId>, look: Look) {
        let invocation = self.invocation;
        let scope = |id| -> Option<Scope> {
            let task = &self.work.notices.get(&id)?.located.notice().task;
            Some((task.cluster.clone(), task.service.clone()))
        };
        let scopes: BTreeSet<_> = ids.into_iter().filter_map(scope).collect();
        self.spawn(async move {
            let stopping = stopping_tasks(invocation, scopes).await;
            Event::Looked(turn, Look { stopping, ..look })
        });
    }

    /// Tries a look again later. If the group is the only one that is left for a notice, the notice takes a turn.
    fn look_failed(&mut self, arn: &TargetGroupArn, ids: &[NoticeId], failure: Failure) {
        self.group_failed(arn, failure);
        let Some(group) = self.work.groups.get_mut(arn) else { return };
        group.is_busy = false;
        let is_only = |id: &&NoticeId| {
            let Some(open) = self.work.notices.get(id) else { return false };
            open.waits.len() == 1 && !group.progress.is_unconfirmed(&open.located.notice().task.addresses)
        };
        for id in ids.iter().filter(is_only).copied().collect::<Vec<_>>() {
            self.work.wait(id, arn, Wants::Turn);
        }
    }

    /// Notes that a turn or a look failed, and lets the group rest.
    fn group_failed(&mut self, group: &TargetGroupArn, failure: Failure) {
        let (now, jitter) = (self.now(), self.invocation.cloud().jitter());
        if let Some(group) = self.work.groups.get_mut(group) {
            let failures = group.failed(failure);
            group.rest_until(later(now, back_off(failures, jitter)));
        }
    }

    /// The targets of the turn's call.
    fn targets(&self, turned: &Turned) -> Vec<OwnedTarget> {
        let Some(group) = self.work.groups.get(&turned.group).filter(|_| !self.invocation.is_dry) else {
            return Vec::new();
        };
        let planned = turned.notices.iter().filter_map(|(id, plan)| {
            let open = self.work.notices.get(id)?;
            Some(Planned { notice: &open.located, plan, settled: &open.waits.get(&turned.group)?.settled })
        });
        group.progress.targets(&planned.collect::<Vec<_>>())
    }

    fn write_or_settle(&mut self, turned: Turned, may_write: bool) {
        let (invocation, engine) = (self.invocation, self.invocation.engine);
        if turned.targets.is_empty() {
            if may_write {
                engine.budget(Budget::give_back_write);
            }
            match turned.unread.clone() {
                Some(failure) => self.group_failed(&turned.group, failure),
                None => self.succeeded(&turned.group),
            }
            self.settle(&turned, None);
        } else if may_write || engine.budget(Budget::try_write) {
            self.spawn(async move {
                let answer = deregister(invocation, &turned.group, &turned.targets).await;
                Event::Written(turned, answer)
            });
        } else {
            self.settle(&turned, None);
        }
    }

    fn succeeded(&mut self, group: &TargetGroupArn) {
        if let Some(group) = self.work.groups.get_mut(group) {
            group.succeeded();
        }
    }

    /// Notes the answer to a turn's write.
    pub(super) fn written(&mut self, turned: &Turned, answer: CallAnswer) {
        match &answer {
            CallAnswer::Failed(failure) | CallAnswer::Unanswered(failure) => {
                self.group_failed(&turned.group, failure.clone());
            }
            _ => self.succeeded(&turned.group),
        }
        let Some(group) = self.work.groups.get_mut(&turned.group) else { return };
        let outcome = group.progress.note(&turned.targets, answer);
        if turned.is_low && outcome == Some(Outcome::Deregistered) {
            self.low.insert(turned.group.clone());
        }
        self.settle(turned, outcome.as_ref());
    }

    /// Reads the groups again of which few healthy targets were to stay, as far as there are tokens: nobody waits for the answers.
    pub(super) fn start_read_backs(&mut self) {
        let (invocation, engine) = (self.invocation, self.invocation.engine);
        let may_read = |budget: &mut Budget, elapsed| {
            let is_there = budget.until_spare_read(elapsed, false).is_zero();
            is_there.then(|| budget.take(Kind::Read, elapsed)).is_some()
        };
        while self.has_time() && !self.low.is_empty() && engine.budget(may_read) {
            let Some(group) = self.low.pop_first() else { return };
            self.spawn(async move {
                let is_emptied = is_emptied(invocation, &group).await;
                Event::ReadBack(group, is_emptied)
            });
        }
    }

    pub(super) fn read_back(&mut self, group: TargetGroupArn, is_emptied: bool) {
        if is_emptied {
            self.report(Report::of_emptied(group));
        }
    }

    fn set_busy(&mut self, group: &TargetGroupArn, is_busy: bool) {
        if let Some(group) = self.work.groups.get_mut(group) {
            group.is_busy = is_busy;
        }
    }

    /// Settles the registrations of a turn. `outcome`: that of the targets that were written.
    fn settle(&mut self, turned: &Turned, outcome: Option<&Outcome>) {
        for (id, plan) in &turned.notices {
            self.settle_notice(*id, plan, turned, outcome);
        }
        self.set_busy(&turned.group, false);
    }

    /// Settles the registrations of one notice, which waits on if some of them stay open.
    fn settle_notice(&mut self, id: NoticeId, plan: &NoticePlan, turned: &Turned, written: Option<&Outcome>) {
        if self.asks_again(plan) {
            return self.wait_for_ecs(id, &turned.group);
        }
        let now = self.now();
        let (Some(open), Some(group)) = (self.work.notices.get_mut(&id), self.work.groups.get(&turned.group)) else {
            return;
        };
        open.note(plan, now);
        let is_dry = self.invocation.is_dry || open.located.mode == Mode::Observe;
        let notice = open.located.notice();
        let Some(wait) = open.waits.get_mut(&turned.group) else { return };
        // A plan that could not read the group does not know all ports. What an earlier turn read and left open stays open.
        let is_planned = |row: &PlannedRegistration| {
            turned.unread.is_none() || plan.registrations.iter().any(|new| new.registration == row.registration)
        };
        wait.open.retain(|row| !is_planned(row));
        for row in &plan.registrations {
            let target = row.registration.target;
            let by_call = || written.filter(|_| turned.targets.iter().any(|owned| owned.target == target)).cloned();
            let would = || (is_dry && row.settled.is_none()).then_some(Outcome::WouldDeregister);
            match row.settled.clone().or_else(by_call).or_else(would) {
                _ if wait.settled.contains_key(&target) => {}
                // The targets that earlier turns settled have left the group.
                Some(Outcome::NotRegistered) if !wait.settled.is_empty() => {}
                Some(outcome) => _ = wait.settled.insert(target, RegistrationRecord::new(row, outcome, now, notice)),
                None => wait.open.push(row.clone()),
            }
        }
        let is_unconfirmed =
            |row: &PlannedRegistration| group.progress.is_unconfirmed(&[row.registration.target.address]);
        if wait.open.is_empty() {
            self.leave(id, &turned.group);
        } else if wait.open.iter().all(is_unconfirmed) {
            self.work.wait(id, &turned.group, Wants::Look(LookKind::Confirm));
        } else {
            self.work.wait(id, &turned.group, Wants::Turn);
        }
    }

    /// Lets a group rest until ECS has caught up with its own event.
    fn wait_for_ecs(&mut self, id: NoticeId, arn: &TargetGroupArn) {
        let at = later(self.now(), ECS_CATCHES_UP);
        if let Some(group) = self.work.groups.get_mut(arn) {
            group.rest_until(at);
        }
        self.work.wait(id, arn, Wants::Turn);
    }

    /// Whether ECS is asked again within the invocation about a task that it says is not stopping. A message in a queue returns
    /// instead.
    fn asks_again(&self, plan: &NoticePlan) -> bool {
        let left = self.invocation.deadline.left(self.now());
        plan.is_contradicted && self.invocation.queue.is_none() && left > ECS_CATCHES_UP + shares::A_TURN
    }

    /// Takes over what is settled of a notice in a group.
    fn leave(&mut self, id: NoticeId, group: &TargetGroupArn) {
        let Some(open) = self.work.notices.get_mut(&id) else { return };
        let settled = open.waits.get(group).into_iter().flat_map(|wait| wait.settled.values().cloned());
        open.records.extend(settled.collect::<Vec<_>>());
        self.work.leave(id, group);
        self.end_if_done(id);
    }
}

/// Makes the one call that changes anything.
async fn deregister<C: Cloud>(
    invocation: &Invocation<'_, C>,
    group: &TargetGroupArn,
    targets: &[OwnedTarget],
) -> CallAnswer {
    let cloud = invocation.cloud();
    let answer = invocation.write_request().send_now(async || cloud.deregister_targets(group, targets).await).await;
    match answer {
        Ok(()) => CallAnswer::Accepted,
        Err(error) => match error.kind {
            CallErrorKind::Invalid => CallAnswer::Refused(error.failure),
            CallErrorKind::NotFound => CallAnswer::GroupGone,
            CallErrorKind::BrokenConnection => CallAnswer::Unanswered(error.failure),
            _ => CallAnswer::Failed(error.failure),
        },
    }
}

//! Turns and looks: granted, read, planned, written and settled.

use std::collections::BTreeSet;

use jiff::Timestamp;
use spotdrain_core::arn::TargetGroupArn;
use spotdrain_core::finding::GroupFinding;
use spotdrain_core::last_healthy::StoppingTasks;
use spotdrain_core::notice::Notice;
use spotdrain_core::outcome::{Failure, Outcome};
use spotdrain_core::pace::Kind;
use spotdrain_core::plan::{GroupPlan, Look, NoticePlan, OwnedTarget, Situation, plan};
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
use crate::work::{LookKind, NoticeId, Wants};

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
    is_read: bool,
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
            let granted_at = self.receiving.gathers_until(now).unwrap_or(now).max(later(now, wait));
            if granted_at > now {
                return Some(granted_at);
            }
            let group = self.work.next_turn(now)?;
            engine.budget(|budget, elapsed| budget.take_turn(elapsed));
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
        let plan = self.plan(&turn.group, &ids, &look);
        if plan.asks_ecs {
            return self.ask_ecs(turn, ids, look);
        }
        if let (GroupFinding::Unknown(failure), false) = (&look.group, turn.may_write) {
            return self.look_failed(&turn.group, &ids, failure.clone());
        }
        let (is_read, is_low) =
            (!matches!(look.group, GroupFinding::Unknown(_)), look.stopping != StoppingTasks::NotAsked);
        let notices = ids.into_iter().zip(plan.notices).collect();
        let mut turned = Turned { group: turn.group, notices, targets: Vec::new(), is_read, is_low };
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
        self.work
            .groups
            .get(group)
            .map(|group| group.waiting())
            .unwrap_or_default()
            .into_iter()
            .filter(is_known)
            .collect()
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
            Some(Planned { notice: &open.located, plan, settled: open.waits.get(&turned.group)? })
        });
        group.progress.targets(&planned.collect::<Vec<_>>())
    }

    fn write_or_settle(&mut self, turned: Turned, may_write: bool) {
        let (invocation, engine) = (self.invocation, self.invocation.engine);
        if turned.targets.is_empty() {
            if may_write {
                engine.budget(|budget, elapsed| budget.give_back_write(elapsed));
            }
            self.succeeded(&turned.group);
            self.settle(turned, None);
        } else if may_write || engine.budget(|budget, elapsed| budget.try_write(elapsed)) {
            self.spawn(async move {
                let answer = deregister(invocation, &turned.group, &turned.targets).await;
                Event::Written(turned, answer)
            });
        } else {
            self.settle(turned, None);
        }
    }

    fn succeeded(&mut self, group: &TargetGroupArn) {
        if let Some(group) = self.work.groups.get_mut(group) {
            group.succeeded();
        }
    }

    /// Notes the answer to a turn's write.
    pub(super) fn written(&mut self, turned: Turned, answer: CallAnswer) {
        match &answer {
            CallAnswer::Failed(failure) => self.group_failed(&turned.group, failure.clone()),
            _ => self.succeeded(&turned.group),
        }
        let Some(group) = self.work.groups.get_mut(&turned.group) else { return };
        let outcome = group.progress.note(&turned.targets, answer);
        let read_back = (turned.is_low && outcome == Some(Outcome::Deregistered)).then(|| turned.group.clone());
        self.settle(turned, outcome);
        if let Some(group) = read_back {
            self.start_read_back(group);
        }
    }

    /// Reads a group again of which few healthy targets were to stay. Until then it gets no other turn.
    fn start_read_back(&mut self, group: TargetGroupArn) {
        let invocation = self.invocation;
        self.set_busy(&group, true);
        self.spawn(async move {
            let is_emptied = is_emptied(invocation, &group).await;
            Event::ReadBack(group, is_emptied)
        });
    }

    pub(super) fn read_back(&mut self, group: TargetGroupArn, is_emptied: bool) {
        self.set_busy(&group, false);
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
    fn settle(&mut self, turned: Turned, outcome: Option<Outcome>) {
        for (id, plan) in &turned.notices {
            self.settle_notice(*id, plan, &turned, outcome.as_ref());
        }
        if let Some(group) = self.work.groups.get_mut(&turned.group) {
            group.is_busy = false;
            if turned.is_read {
                group.progress.confirm();
            }
        }
    }

    fn settle_notice(&mut self, id: NoticeId, plan: &NoticePlan, turned: &Turned, written: Option<&Outcome>) {
        let now = self.now();
        if self.asks_again(plan) {
            if let Some(group) = self.work.groups.get_mut(&turned.group) {
                group.rest_until(later(now, ECS_CATCHES_UP));
            }
            return self.work.wait(id, &turned.group, Wants::Turn);
        }
        let (Some(open), Some(group)) = (self.work.notices.get_mut(&id), self.work.groups.get(&turned.group)) else {
            return;
        };
        let is_dry = self.invocation.is_dry || open.located.mode == Mode::Observe;
        open.age.get_or_insert(open.located.notice().age(now));
        open.is_contradicted |= plan.is_contradicted;
        if plan.failure.is_some() {
            open.located.candidates.failure.clone_from(&plan.failure);
        }
        let Some(settled) = open.waits.get_mut(&turned.group) else { return };
        let mut waits = None;
        for row in &plan.registrations {
            let target = row.registration.target;
            let by_call = || written.filter(|_| turned.targets.iter().any(|owned| owned.target == target)).cloned();
            let would = || (is_dry && row.settled.is_none()).then_some(Outcome::WouldDeregister);
            match group.progress.outcome(row).or_else(by_call).or_else(would) {
                _ if settled.contains_key(&target) => {}
                Some(Outcome::NotRegistered) if !settled.is_empty() => {}
                Some(outcome) => {
                    let record = RegistrationRecord::new(row, outcome, now, open.located.notice());
                    settled.insert(target, record);
                }
                None => {
                    let is_unconfirmed = !turned.is_read && group.progress.is_unconfirmed(&[target.address]);
                    waits = Some(if is_unconfirmed { Wants::Look(LookKind::Confirm) } else { Wants::Turn });
                }
            }
        }
        match waits {
            Some(wants) => self.work.wait(id, &turned.group, wants),
            None => self.leave(id, &turned.group),
        }
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
        let settled = open.waits.get(group).into_iter().flat_map(|settled| settled.values().cloned());
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
            _ => CallAnswer::Failed(error.failure),
        },
    }
}

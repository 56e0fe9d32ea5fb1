//! Grants turns and looks, reads and plans their groups, and deregisters the targets.

use std::collections::BTreeSet;

use jiff::Timestamp;
use spotdrain_core::model::arn::TargetGroupArn;
use spotdrain_core::model::notice::Notice;
use spotdrain_core::model::observed::GroupObservation;
use spotdrain_core::model::outcome::Failure;
use spotdrain_core::plan::last_healthy::StoppingTasks;
use spotdrain_core::plan::progress::{DeregisterAnswer, Planned};
use spotdrain_core::plan::rate_limit::{Budget, CallKind};
use spotdrain_core::plan::{GroupPlan, Look, NoticePlan, OwnedTarget, PlanInput, plan};

use super::{Completion, Run};
use crate::cloud::{CallErrorKind, Cloud};
use crate::deadline::later;
use crate::invocation::Invocation;
use crate::look::{Scope, look, stopping_tasks};
use crate::retry::back_off;
use crate::shares;
use crate::work::{GroupQueue, NoticeId, Wants};

/// A group that is being read.
pub(super) struct Turn {
    group: TargetGroupArn,
    /// Whether a turn was granted. If not, this is a look, and the group is written to only if a write token is free.
    may_write: bool,
}

/// A turn or look whose group was planned.
pub(super) struct PlannedTurn {
    pub(super) group: TargetGroupArn,
    pub(super) notices: Vec<(NoticeId, NoticePlan)>,
    pub(super) targets: Vec<OwnedTarget>,
    /// Why the group could not be read.
    pub(super) unread: Option<Failure>,
    /// Whether ECS was asked which tasks are stopping, because few healthy targets would remain.
    pub(super) is_low: bool,
}

impl<C: Cloud> Run<'_, C> {
    /// Grants as many turns as there are tokens, and returns when to try again.
    pub(super) fn grant_turns(&mut self) -> Option<Timestamp> {
        while self.has_time() && self.work.a_turn_waits(self.now()) {
            let now = self.now();
            let engine = self.invocation.engine;
            let wait = engine.budget(|budget, elapsed| budget.until_turn(elapsed));
            let gathering = engine.arrivals.borrow().all_wait_until(self.invocation.started_at);
            let gathering = gathering.max(self.receiving.first_answer_by());
            let granted_at = gathering.unwrap_or(now).max(later(now, wait));
            if granted_at > now {
                return Some(granted_at);
            }
            let left = self.left(now);
            let turns = engine.budget(|budget, elapsed| budget.turns_within(elapsed, left));
            let group = self.work.next_turn(now, turns)?;
            engine.budget(Budget::take_turn);
            self.look_at(Turn { group, may_write: true });
        }
        self.work.next_ready(self.now())
    }

    /// Reads the groups that need no turn, as long as there are tokens that no waiting turn needs. Returns when to try again.
    pub(super) fn grant_looks(&mut self) -> Option<Timestamp> {
        while self.has_time() {
            let now = self.now();
            let engine = self.invocation.engine;
            let group = self.work.next_look(now)?;
            let has_turns = self.work.has_turns();
            let wait = engine.budget(|budget, elapsed| budget.until_spare_read(elapsed, has_turns));
            if !wait.is_zero() {
                return Some(later(now, wait));
            }
            engine.budget(|budget, elapsed| budget.take(CallKind::Read, elapsed));
            self.look_at(Turn { group, may_write: false });
        }
        None
    }

    fn look_at(&mut self, turn: Turn) {
        let (invocation, now) = (self.invocation, self.now());
        let Some(group) = self.work.groups.get_mut(&turn.group) else { return };
        group.is_busy = true;
        // A notice that is fresh now may be old by the time the group has been read.
        let (fresh, planned_at) = (invocation.engine.settings.fresh, later(now, shares::OBSERVING));
        let waiting = group.waiting().into_iter().filter_map(|id| Some(self.work.notices.get(&id)?.located.notice()));
        let may_need = |notice: &&Notice| [now, planned_at].iter().any(|at| notice.needs_ownership(*at, fresh));
        let notices = waiting.filter(may_need).cloned().collect();
        self.spawn(async move {
            let look = look(invocation, &turn.group, notices).await;
            Completion::Looked(turn, look)
        });
    }

    /// Plans a group that was read, and carries out the plan.
    pub(super) fn looked(&mut self, turn: Turn, look: Look) {
        self.read_back(&turn.group, &look.group);
        let ids = self.planned_together(&turn.group, &look);
        let mut plan = self.plan(&turn.group, &ids, &look);
        if plan.asks_ecs {
            return self.ask_ecs(turn, ids, look);
        }
        if let (GroupObservation::Unknown(failure), false) = (&look.group, turn.may_write) {
            return self.look_failed(&turn.group, &ids, failure.clone());
        }
        let unread = match &look.group {
            GroupObservation::Unknown(failure) => Some(failure.clone()),
            GroupObservation::Found(_) | GroupObservation::Missing => None,
        };
        if let (None, Some(group)) = (&unread, self.work.groups.get_mut(&turn.group)) {
            group.progress.confirm(&mut plan.notices);
        }
        let is_low = look.stopping != StoppingTasks::NotAsked;
        let notices = ids.into_iter().zip(plan.notices).collect();
        let mut planned = PlannedTurn { group: turn.group, notices, targets: Vec::new(), unread, is_low };
        planned.targets = self.targets(&planned);
        self.write_or_settle(planned, turn.may_write);
    }

    /// Returns the notices that wait for a group, except those whose task's address ECS must confirm, if ECS was not asked.
    fn planned_together(&self, group: &TargetGroupArn, look: &Look) -> Vec<NoticeId> {
        let (now, fresh) = (self.now(), self.invocation.engine.settings.fresh);
        let is_known = |id: &NoticeId| {
            let Some(open) = self.work.notices.get(id) else { return false };
            let (notice, task) = (open.located.notice(), &open.located.notice().task.arn);
            !notice.needs_ownership(now, fresh) || look.tasks.contains_key(task) || look.stopping.get(task).is_some()
        };
        self.work.groups.get(group).map(GroupQueue::waiting).unwrap_or_default().into_iter().filter(is_known).collect()
    }

    fn plan(&self, group: &TargetGroupArn, ids: &[NoticeId], look: &Look) -> GroupPlan {
        let engine = self.invocation.engine;
        let notices: Vec<_> = ids.iter().filter_map(|id| Some(&self.work.notices.get(id)?.located)).collect();
        let memory = &engine.memory.borrow();
        plan(&notices, &PlanInput { group, look, memory, settings: &engine.settings, now: self.now() })
    }

    /// Asks ECS which tasks of the notices' services are stopping, and plans again.
    fn ask_ecs(&mut self, turn: Turn, ids: Vec<NoticeId>, look: Look) {
        let invocation = self.invocation;
        let scope = |id| -> Option<Scope> {
            let task = &self.work.notices.get(&id)?.located.notice().task;
            Some((task.cluster.clone(), task.service.clone()))
        };
        let scopes: BTreeSet<_> = ids.into_iter().filter_map(scope).collect();
        self.spawn(async move {
            let stopping = stopping_tasks(invocation, scopes).await;
            Completion::Looked(turn, Look { stopping, ..look })
        });
    }

    /// Retries a look later. If this group was found by searching a load balancer and is the only group that a notice still waits
    /// for, the notice now waits for a turn.
    fn look_failed(&mut self, arn: &TargetGroupArn, ids: &[NoticeId], failure: Failure) {
        self.group_failed(arn, failure);
        let Some(group) = self.work.groups.get_mut(arn) else { return };
        group.is_busy = false;
        let is_only = |id: &&NoticeId| {
            let Some(open) = self.work.notices.get(id) else { return false };
            let is_searched = open.located.candidates.groups.get(arn).is_some_and(|group| group.is_searched);
            let is_unconfirmed = group.progress.is_unconfirmed(&open.located.notice().task.addresses);
            is_searched && open.waits.len() == 1 && !is_unconfirmed
        };
        for id in ids.iter().filter(is_only).copied().collect::<Vec<_>>() {
            self.work.wait(id, arn, Wants::Turn);
        }
    }

    /// Notes that a turn or a look failed, and delays the group's next one.
    pub(super) fn group_failed(&mut self, group: &TargetGroupArn, failure: Failure) {
        let (now, jitter) = (self.now(), self.invocation.cloud().jitter());
        if let Some(group) = self.work.groups.get_mut(group) {
            let failures = group.failed(failure, now);
            group.rest_until(later(now, back_off(failures, jitter)));
        }
    }

    /// Returns the targets to deregister in the turn.
    fn targets(&self, planned: &PlannedTurn) -> Vec<OwnedTarget> {
        let Some(group) = self.work.groups.get(&planned.group).filter(|_| !self.invocation.is_dry) else {
            return Vec::new();
        };
        let planned = planned.notices.iter().filter_map(|(id, plan)| {
            let open = self.work.notices.get(id)?;
            Some(Planned { notice: &open.located, plan, settled: &open.waits.get(&planned.group)?.settled })
        });
        group.progress.targets(&planned.collect::<Vec<_>>())
    }

    fn write_or_settle(&mut self, planned: PlannedTurn, may_write: bool) {
        let (invocation, engine) = (self.invocation, self.invocation.engine);
        if planned.targets.is_empty() {
            if may_write {
                engine.budget(|budget, _| budget.release_write());
            }
            match planned.unread.clone() {
                Some(failure) => self.group_failed(&planned.group, failure),
                None => self.succeeded(&planned.group),
            }
            self.settle(&planned, None);
        } else if engine.budget(|budget, elapsed| budget.try_write(elapsed, may_write)) {
            // The call must start now, because the plan relies on what is known about the tasks at this moment.
            self.spawn_now(async move {
                let answer = deregister(invocation, &planned.group, &planned.targets).await;
                Completion::Written(planned, answer)
            });
        } else {
            self.settle(&planned, None);
        }
    }

    pub(super) fn succeeded(&mut self, group: &TargetGroupArn) {
        if let Some(group) = self.work.groups.get_mut(group) {
            group.succeeded();
        }
    }
}

/// Makes the call that deregisters targets, the only one that changes a target group.
async fn deregister<C: Cloud>(
    invocation: &Invocation<'_, C>,
    group: &TargetGroupArn,
    targets: &[OwnedTarget],
) -> DeregisterAnswer {
    let cloud = invocation.cloud();
    let answer = invocation.write_request().send_now(async || cloud.deregister_targets(group, targets).await).await;
    match answer {
        Ok(()) => DeregisterAnswer::Accepted,
        Err(error) => match error.kind {
            CallErrorKind::Invalid => DeregisterAnswer::Refused(error.failure),
            CallErrorKind::NotFound => DeregisterAnswer::GroupGone,
            CallErrorKind::BrokenConnection => DeregisterAnswer::Unanswered(error.failure),
            _ => DeregisterAnswer::Failed(error.failure),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use spotdrain_core::model::arn::TargetGroupArn;
    use spotdrain_core::model::outcome::Outcome;
    use spotdrain_core::report::Report;
    use spotdrain_core::settings::Settings;

    use crate::deadline::Deadline;
    use crate::engine::Engine;
    use crate::test_cloud::{GROUP, TestCloud};

    const SAMPLE: &str = include_str!("../../../../events/spot-interruption.json");

    /// An engine whose only group has only the interrupted task's target, which is draining.
    fn engine() -> Engine<TestCloud> {
        Engine::new(TestCloud::at("2026-11-01T12:00:00Z".parse().unwrap(), "10.0.2.21"), Settings::default())
    }

    fn handle(engine: &Engine<TestCloud>) -> Report {
        let deadline = Deadline::after(engine.cloud.now.get(), Duration::from_secs(20));
        engine.handle(SAMPLE.as_bytes(), deadline).now_or_never().unwrap().unwrap().report
    }

    #[test]
    fn a_turn_without_a_write_gives_its_token_back() {
        let engine = engine();
        let writes = || engine.budget(|budget, elapsed| budget.turns_within(elapsed, Duration::ZERO));
        let before = writes();
        let outcomes: Vec<_> = handle(&engine).notices[0].registrations.iter().map(|row| row.outcome.clone()).collect();
        assert_eq!(outcomes, [Outcome::AlreadyDraining]);
        assert_eq!(writes(), before);
    }

    #[test]
    fn a_turn_reads_its_group_back_after_an_earlier_write_and_only_then() {
        assert_eq!(handle(&engine()).emptied, []);
        let (engine, group) = (engine(), TargetGroupArn::parse(GROUP).unwrap());
        engine.low.borrow_mut().insert(group.clone());
        assert_eq!(handle(&engine).emptied, [group]);
        assert!(engine.low.borrow().is_empty());
    }
}

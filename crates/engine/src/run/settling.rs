//! The end of a turn: the answer to its write, the outcome of each registration, and what each notice still waits for.

use spotdrain_core::model::arn::TargetGroupArn;
use spotdrain_core::model::observed::{GroupObservation, TargetState};
use spotdrain_core::model::outcome::Outcome;
use spotdrain_core::plan::progress::DeregisterAnswer;
use spotdrain_core::plan::rate_limit::{Budget, CallKind};
use spotdrain_core::plan::{NoticePlan, PlannedRegistration};
use spotdrain_core::report::Report;
use spotdrain_core::report::disposition::ECS_CATCHES_UP;
use spotdrain_core::settings::Mode;

use super::turns::PlannedTurn;
use super::{Completion, Run};
use crate::cloud::Cloud;
use crate::deadline::later;
use crate::look::read_group;
use crate::shares;
use crate::work::{LookKind, NoticeId, Wants};

impl<C: Cloud> Run<'_, C> {
    /// Notes the answer to a turn's write.
    pub(super) fn written(&mut self, planned: &PlannedTurn, answer: DeregisterAnswer) {
        match &answer {
            DeregisterAnswer::Failed(failure) | DeregisterAnswer::Unanswered(failure) => {
                self.group_failed(&planned.group, failure.clone());
            }
            _ => self.succeeded(&planned.group),
        }
        let Some(group) = self.work.groups.get_mut(&planned.group) else { return };
        let outcome = group.progress.note(&planned.targets, answer);
        if planned.is_low && outcome == Some(Outcome::Deregistered) {
            self.invocation.engine.low.borrow_mut().insert(planned.group.clone());
        }
        self.settle(planned, outcome.as_ref());
    }

    /// Reads again the groups in which few healthy targets remained, as far as there are tokens that the next turn does not need.
    /// The others are read by their next turn, or at the end of a later invocation.
    pub(super) fn start_read_backs(&mut self) {
        let (invocation, engine) = (self.invocation, self.invocation.engine);
        let may_read = |budget: &mut Budget, elapsed| {
            let has_token = budget.until_spare_read(elapsed, true).is_zero();
            has_token.then(|| budget.take(CallKind::Read, elapsed)).is_some()
        };
        let low = engine.low.borrow().clone();
        for group in low {
            if !(self.has_time() && engine.budget(may_read)) {
                return;
            }
            self.spawn(async move {
                let read = read_group(invocation, &group).await;
                Completion::ReadBack(group, read)
            });
        }
    }

    /// Reports a group that has no healthy target left when it is read for the first time after such a deregistration.
    pub(super) fn read_back(&mut self, group: &TargetGroupArn, read: &GroupObservation) {
        let was_read = !matches!(read, GroupObservation::Unknown(_));
        let is_first = was_read && self.invocation.engine.low.borrow_mut().remove(group);
        if let (true, GroupObservation::Found(targets)) = (is_first, read)
            && !targets.iter().any(|target| target.state == TargetState::Healthy)
        {
            self.report(Report::of_emptied(group.clone()));
        }
    }

    fn set_busy(&mut self, group: &TargetGroupArn, is_busy: bool) {
        if let Some(group) = self.work.groups.get_mut(group) {
            group.is_busy = is_busy;
        }
    }

    /// Settles the registrations of a turn. `outcome`: that of the targets of the call.
    pub(super) fn settle(&mut self, planned: &PlannedTurn, outcome: Option<&Outcome>) {
        for (id, plan) in &planned.notices {
            self.settle_notice(*id, plan, planned, outcome);
        }
        self.set_busy(&planned.group, false);
    }

    /// Settles the registrations of one notice. The notice continues to wait if some of them stay open.
    fn settle_notice(&mut self, id: NoticeId, plan: &NoticePlan, planned: &PlannedTurn, written: Option<&Outcome>) {
        if self.asks_again(plan) {
            return self.wait_for_ecs(id, &planned.group);
        }
        let now = self.now();
        let Some(open) = self.work.notices.get_mut(&id) else { return };
        open.note(plan, now);
        let is_dry = self.invocation.is_dry || open.located.mode == Mode::Observe;
        let outcome = |row: &PlannedRegistration| {
            let is_named = planned.targets.iter().any(|owned| owned.target == row.registration.target);
            let by_call = written.filter(|_| is_named).cloned();
            row.settled.clone().or(by_call).or(is_dry.then_some(Outcome::WouldDeregister))
        };
        let notice = open.located.received.notice.clone();
        let Some(wait) = open.waits.get_mut(&planned.group) else { return };
        wait.settle(plan, planned.unread.is_none(), outcome, (&notice, now));
        match self.wants(id, &planned.group) {
            Some(wants) => self.work.wait(id, &planned.group, wants),
            None => self.leave(id, &planned.group),
        }
    }

    /// Returns what a notice still waits for in a group; `None` if all its registrations there are settled.
    fn wants(&self, id: NoticeId, arn: &TargetGroupArn) -> Option<Wants> {
        let (open, group) = (self.work.notices.get(&id)?, self.work.groups.get(arn)?);
        let rows = open.waits.get(arn).map(|wait| &wait.open).filter(|rows| !rows.is_empty())?;
        let is_unconfirmed =
            |row: &PlannedRegistration| group.progress.is_unconfirmed(&[row.registration.target.address]);
        Some(if rows.iter().all(is_unconfirmed) { Wants::Look(LookKind::Confirm) } else { Wants::Turn })
    }

    /// Delays a group until ECS's reads should have caught up with its events.
    fn wait_for_ecs(&mut self, id: NoticeId, arn: &TargetGroupArn) {
        let at = later(self.now(), ECS_CATCHES_UP);
        if let Some(group) = self.work.groups.get_mut(arn) {
            group.rest_until(at);
        }
        self.work.wait(id, arn, Wants::Turn);
    }

    /// Returns whether ECS is asked again, within this invocation, about a task that it says is not stopping. A message of a
    /// queue returns instead.
    fn asks_again(&self, plan: &NoticePlan) -> bool {
        let left = self.invocation.deadline.left(self.now());
        plan.is_contradicted && self.invocation.queue.is_none() && left > ECS_CATCHES_UP + shares::A_TURN
    }

    /// Ends the wait of a notice for a group, and keeps its settled registrations.
    fn leave(&mut self, id: NoticeId, group: &TargetGroupArn) {
        let Some(open) = self.work.notices.get_mut(&id) else { return };
        let settled = open.waits.get(group).into_iter().flat_map(|wait| wait.settled.values().cloned());
        open.records.extend(settled.collect::<Vec<_>>());
        self.work.leave(id, group);
        self.end_if_done(id);
    }
}

//! Finds the target groups of new notices, and makes the notices wait for them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use spotdrain_core::model::observed::{ServiceKey, ServiceObservation};
use spotdrain_core::model::outcome::Outcome;
use spotdrain_core::plan::target_groups::{Candidate, Configured, LocatedNotice, service_key};
use spotdrain_core::read::classify::ReceivedNotice;

use super::{Completion, Run};
use crate::cloud::Cloud;
use crate::locate::{Located, locate, refresh};
use crate::shares;
use crate::work::{LookKind, NoticeId, Wants};

impl<C: Cloud> Run<'_, C> {
    /// Locates the new notices, except those whose service is just being described.
    pub(super) fn start_locating(&mut self) {
        let (invocation, settings) = (self.invocation, &self.invocation.engine.settings);
        let is_searching = !settings.load_balancers.is_empty() && self.configured.is_none();
        if !self.has_time() || is_searching && !self.locating.is_empty() {
            return;
        }
        let key = |received: &ReceivedNotice| service_key(&received.notice, settings);
        let is_new = |received: &mut ReceivedNotice| key(received).is_none_or(|key| !self.locating.contains(&key));
        let notices: Vec<_> = self.unlocated.extract_if(.., is_new).collect();
        if !notices.is_empty() {
            let keys: BTreeSet<_> = notices.iter().filter_map(key).collect();
            self.locating.extend(keys.iter().cloned());
            self.spawn(async move {
                let (configured, located) = locate(invocation, notices).await;
                Completion::Located(keys, configured, located)
            });
        }
    }

    pub(super) fn located(&mut self, keys: &BTreeSet<ServiceKey>, configured: Configured, located: Vec<Located>) {
        self.locating.retain(|key| !keys.contains(key));
        self.configured = Some(configured);
        for located in located {
            match located {
                Ok(located) => self.open(located),
                Err(ignored) => self.ignored.push(*ignored),
            }
        }
    }

    fn open(&mut self, located: LocatedNotice) {
        let candidates = located.candidates.groups.clone();
        let was_kept = self.invocation.engine.memory.borrow().was_kept(&located.notice().task.arn);
        let group_waits_until = self.group_waits_until(&located);
        let id = self.work.open(located);
        for (group, Candidate { is_searched, .. }) in candidates {
            let wants = match (is_searched, was_kept) {
                (true, _) => Wants::Look(LookKind::Search),
                (false, true) => Wants::Look(LookKind::SecondLook),
                (false, false) => Wants::Turn,
            };
            self.work.wait(id, &group, wants);
            if let (Wants::Turn, Some(until)) = (wants, group_waits_until) {
                self.work.gather(&group, until);
            }
        }
        self.end_if_done(id);
    }

    /// Returns until when the turn of a group waits if this is its first notice. A notice that was received before starts no wait,
    /// and no wait lasts until it is too late for the turn.
    fn group_waits_until(&self, located: &LocatedNotice) -> Option<Timestamp> {
        let engine = self.invocation.engine;
        let receipts = self.invocation.receipts.borrow();
        receipts.get(located.received.message_id.as_ref()?).filter(|receipt| receipt.receives == 1)?;
        let is_short = engine.budget(|budget, elapsed| budget.is_short(elapsed));
        let is_in_time = |at: &Timestamp| self.left(*at) >= shares::A_TURN && *at < located.notice().deadline();
        engine.arrivals.borrow().group_waits_until(self.now(), is_short).filter(is_in_time)
    }

    /// Ends a notice that waits for no group. If its task was in no group, its service is described again first.
    pub(super) fn end_if_done(&mut self, id: NoticeId) {
        let Some(open) = self.work.notices.get(&id).filter(|open| open.waits.is_empty()) else { return };
        let is_absent =
            open.records.iter().all(|row| matches!(row.outcome, Outcome::NotRegistered | Outcome::AlreadyGone));
        let may_be_elsewhere =
            is_absent && open.located.candidates.failure.is_none() && !open.located.notice().needs_address();
        match service_key(open.located.notice(), &self.invocation.engine.settings).filter(|_| may_be_elsewhere) {
            Some(key) => self.locate_again(id, key),
            None => self.end(id),
        }
    }

    fn locate_again(&mut self, id: NoticeId, key: ServiceKey) {
        let invocation = self.invocation;
        if let Some(answer) = self.refreshed.get(&key).cloned() {
            return self.reopen(id, answer.as_ref());
        }
        let is_first = !self.refreshing.contains_key(&key);
        self.refreshing.entry(key.clone()).or_default().push(id);
        if is_first {
            self.spawn(async move {
                let answer = refresh(invocation, &key).await;
                Completion::Refreshed(key, answer)
            });
        }
    }

    pub(super) fn refreshed(&mut self, key: ServiceKey, answer: Option<ServiceObservation>) {
        for id in self.refreshing.remove(&key).unwrap_or_default() {
            self.reopen(id, answer.as_ref());
        }
        self.refreshed.insert(key, answer);
    }

    /// Makes a notice wait for the groups that only the new answer has.
    fn reopen(&mut self, id: NoticeId, answer: Option<&ServiceObservation>) {
        let (Some(open), Some(configured)) = (self.work.notices.get_mut(&id), &self.configured) else { return };
        let (settings, now) = (&self.invocation.engine.settings, self.invocation.now());
        let known: BTreeSet<_> = open.located.candidates.groups.keys().cloned().collect();
        if answer.is_none() {
            return self.end(id);
        }
        match LocatedNotice::new(open.located.received.clone(), settings, answer, configured, now) {
            Ok(located) => {
                let new: Vec<_> =
                    located.candidates.groups.keys().filter(|group| !known.contains(group)).cloned().collect();
                open.located = located;
                for group in &new {
                    self.work.wait(id, group, Wants::Turn);
                }
                if new.is_empty() {
                    self.end(id);
                }
            }
            Err(ignored) => {
                self.work.notices.remove(&id);
                self.ignored.push(*ignored);
            }
        }
    }
}

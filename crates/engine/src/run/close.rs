//! The end of a notice: all its registrations are settled, or the time is over.

use spotdrain_core::model::outcome::{Failure, Outcome};
use spotdrain_core::plan::PlannedRegistration;
use spotdrain_core::plan::target_groups::{Configured, LocatedNotice};
use spotdrain_core::read::classify::ReceivedNotice;
use spotdrain_core::report::disposition::look_again;
use spotdrain_core::report::{NoticeRecord, RegistrationRecord};
use spotdrain_core::settings::Mode;

use super::Run;
use crate::cloud::Cloud;
use crate::work::{NoticeId, OpenNotice};

/// The failure of a notice whose groups got no turn.
fn no_turn() -> Failure {
    let problem = "not started: the rate limit left no turn for it before the deadline".to_owned();
    Failure { call: "DeregisterTargets", problem, retryable: true }
}

impl<C: Cloud> Run<'_, C> {
    /// Ends a notice that waits for no group.
    pub(super) fn end(&mut self, id: NoticeId) {
        let Some(open) = self.work.notices.remove(&id) else { return };
        let record = self.record(open);
        let mut memory = self.invocation.engine.memory.borrow_mut();
        let task = &record.notice.task;
        if record.look_again_seconds.is_some() {
            memory.keep(&task.arn);
        } else if !record.returns() {
            memory.remember(&task.arn, task.version);
        }
        self.ended.push(record);
    }

    fn record(&self, open: OpenNotice) -> NoticeRecord {
        let OpenNotice { located, planned_at, records, is_contradicted, .. } = open;
        let age = located.notice().age(planned_at.unwrap_or_else(|| self.now()));
        let mut record = NoticeRecord::new(located, age, records);
        record.contradicted = is_contradicted;
        record.look_again_seconds = self.look_again(&record);
        record
    }

    /// Returns after how many seconds a kept target is examined again. For a direct event and in `observe` it is final.
    fn look_again(&self, record: &NoticeRecord) -> Option<u64> {
        let is_kept = record.registrations.iter().any(|row| row.outcome == Outcome::KeptLastHealthy);
        let may_return = self.invocation.queue.is_some() && record.mode == Mode::Enforce;
        let receipts = self.invocation.receipts.borrow();
        let receipt = receipts.get(record.message_id.as_ref()?).filter(|_| is_kept && may_return)?;
        let was_kept = self.invocation.engine.memory.borrow().was_kept(&record.notice.task.arn);
        look_again(&record.notice, receipt, was_kept, self.now())
    }

    /// Ends all notices that are still open when the time is over, and returns whether some of them got no turn.
    pub(super) fn close_all(&mut self) -> bool {
        for received in std::mem::take(&mut self.unlocated) {
            self.close_unlocated(received);
        }
        while let Some((_, open)) = self.work.notices.pop_first() {
            let record = self.close(open);
            self.ended.push(record);
        }
        self.ended.iter().any(|record| record.postponed)
    }

    fn close_unlocated(&mut self, received: ReceivedNotice) {
        let settings = &self.invocation.engine.settings;
        match LocatedNotice::new(received, settings, None, &Configured::default(), self.now()) {
            Ok(located) => {
                let age = located.notice().age(self.now());
                let record = NoticeRecord::new(located, age, Vec::new());
                self.ended.push(NoticeRecord { failure: Some(no_turn()), postponed: true, ..record });
            }
            Err(ignored) => self.ignored.push(*ignored),
        }
    }

    /// Creates the record of a notice that still waits for groups.
    fn close(&self, mut open: OpenNotice) -> NoticeRecord {
        let mut failure = None;
        for (arn, wait) in std::mem::take(&mut open.waits) {
            let Some(group) = self.work.groups.get(&arn) else { continue };
            let last = group.failure().cloned();
            if wait.open.is_empty() {
                failure = failure.or_else(|| last.clone());
            }
            let last = last.unwrap_or_else(no_turn);
            let fail = |row: &PlannedRegistration| {
                let outcome = Outcome::Failed(group.progress.failure(row.registration.target, last.clone()));
                RegistrationRecord::new(row, outcome, self.now(), open.located.notice())
            };
            open.records.extend(wait.settled.into_values().chain(wait.open.iter().map(fail)));
        }
        let postponed = open.planned_at.is_none() && failure.is_none();
        let is_failed = open.records.iter().any(|row| row.outcome.failure().is_some());
        let record = self.record(open);
        let failure = record.failure.clone().or(failure).or_else(|| (!is_failed).then(no_turn));
        NoticeRecord { failure, postponed, look_again_seconds: None, ..record }
    }
}

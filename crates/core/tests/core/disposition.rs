//! What the queue hears of each message, and when a kept target is looked at again.

use std::time::Duration;

use crate::scenario::{Scenario, throttled};
use jiff::SignedDuration;
use spotdrain_core::model::outcome::Outcome;
use spotdrain_core::read::batch::{Receipt, Receipts};
use spotdrain_core::report::disposition::{Disposition, dispositions, look_again};
use spotdrain_core::report::{NoticeRecord, Report};

fn receipts(receives: u32) -> Receipts {
    let receipt = Receipt { handle: "handle".to_owned(), receives, is_own: true };
    [("message-one".to_owned(), receipt)].into()
}

/// The report on one notice with this outcome.
fn report(outcome: &Outcome) -> Report {
    let scenario = Scenario::new().notice("one", &["10.0.2.21"]).service(&[("web", None)]);
    scenario.group("web", &[("10.0.2.21", 5044, "unhealthy")]).plan().report(|_| outcome.clone())
}

/// What happens to the message of a notice whose record was changed, at a receive.
fn settled(outcome: &Outcome, receives: u32, change: impl FnOnce(&mut NoticeRecord)) -> Option<Disposition> {
    let mut report = report(outcome);
    change(&mut report.notices[0]);
    dispositions(&report, &receipts(receives)).first().map(|(_, settlement)| *settlement)
}

fn after(seconds: u64) -> Option<Disposition> {
    Some(Disposition::Return(Duration::from_secs(seconds)))
}

#[test]
fn a_message_whose_groups_got_no_turn_returns_at_once_four_times_and_then_after_ten_seconds() {
    let no_turn = |receives| {
        settled(&Outcome::Failed(throttled("DeregisterTargets")), receives, |record| record.postponed = true)
    };
    assert_eq!([1, 4, 5, 12].map(no_turn), [after(0), after(0), after(10), after(10)]);
}

#[test]
fn a_message_is_deleted_when_it_is_done_and_returns_when_another_try_may_help() {
    let failed = |retryable| {
        let mut failure = throttled("DeregisterTargets");
        failure.retryable = retryable;
        Outcome::Failed(failure)
    };
    assert_eq!(settled(&Outcome::Deregistered, 2, |_| ()), Some(Disposition::Delete));
    assert_eq!(settled(&failed(true), 2, |_| ()), after(4));
    assert_eq!(settled(&failed(false), 2, |_| ()), None, "the visibility timeout is soon enough");
    let contradicted = settled(&failed(true), 2, |record| record.contradicted = true);
    assert_eq!(contradicted, after(5), "ECS has caught up with its own event by then");
}

#[test]
fn a_kept_target_returns_after_fifteen_seconds_and_then_every_twenty() {
    let record = report(&Outcome::KeptLastHealthy).notices.remove(0);
    let at = |seconds| record.interrupted_at + SignedDuration::from_secs(seconds);
    let again = |receives, was_kept, seconds| {
        let receipt = receipts(receives).remove("message-one").unwrap();
        look_again(&record.notice, &receipt, was_kept, at(seconds))
    };
    assert_eq!((again(1, false, 1), again(2, true, 16), again(9, true, 110)), (Some(15), Some(20), Some(20)));
    assert_eq!((again(10, true, 60), again(2, true, 111)), (None, None), "the last receive, and the end of the notice");
    let kept = settled(&Outcome::KeptLastHealthy, 1, |record| record.look_again_seconds = Some(15));
    assert_eq!(kept, after(15));
    assert_eq!(settled(&Outcome::KeptLastHealthy, 10, |_| ()), Some(Disposition::Delete));
}

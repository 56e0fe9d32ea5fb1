//! What does the queue hear of each message when its part of the batch is handled?
//!
//! Lambda's poller deletes the messages that it delivered itself, but for those that the answer names. What the function
//! received itself it must delete itself, and only when the outcome is certain. What failed comes back sooner than by the
//! visibility timeout, which is a quarter of a notice's two minutes.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::model::limits::MAX_RECEIVES;
use crate::model::notice::Notice;
use crate::read::batch::{Receipt, Receipts};
use crate::report::{NoticeRecord, Report};

/// How long a message that failed stays hidden after its first receive; twice as long after each further one.
const FIRST_REST: Duration = Duration::from_secs(2);

/// And at most: with a `maxReceiveCount` of 12 it is tried as long as its notice lasts.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// A message whose groups got no turn returns at once after its first receives. In a storm each receive takes an invocation's
/// full time.
const AT_ONCE: u32 = 4;

/// And later after this time, so that it does not use up its receives when something else holds it up.
const NO_TURN: Duration = LONGEST_REST;

/// ECS may describe a task as running for some seconds after it sent the event.
pub const ECS_CATCHES_UP: Duration = Duration::from_secs(5);

/// The first second look at a kept target comes after this many seconds, the later ones after [`LATER_LOOKS`].
const FIRST_LOOK: u64 = 15;

/// See [`FIRST_LOOK`].
const LATER_LOOKS: u64 = 20;

/// The receive at which a kept target is final: two receives are left for what may fail.
const LAST_LOOK: u32 = MAX_RECEIVES - 2;

/// With less than this left of the notice, a kept target is final.
const TOO_LATE_TO_LOOK: SignedDuration = SignedDuration::from_secs(10);

/// Returns after how many seconds a kept target is looked at again; `None` if it is final. `was_kept`: it was kept before.
#[must_use]
pub fn look_again(notice: &Notice, receipt: &Receipt, was_kept: bool, now: Timestamp) -> Option<u64> {
    let is_final = receipt.receives >= LAST_LOOK || notice.deadline().duration_since(now) < TOO_LATE_TO_LOOK;
    (!is_final).then_some(if was_kept { LATER_LOOKS } else { FIRST_LOOK })
}

/// What is to become of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// It is done.
    Delete,
    /// It shall come again after this time.
    Return(Duration),
    /// It comes again when its visibility timeout is over.
    Leave,
}

/// What is to become of each message that a report decides on, where something is to be done for it. Of several events with
/// one message id nothing is known: SQS has one body a message.
#[must_use]
pub fn dispositions(report: &Report, receipts: &Receipts) -> Vec<(Receipt, Disposition)> {
    let ignored = report.ignored.iter().map(|event| (event.message_id.as_deref(), Disposition::Delete));
    let notices = report.notices.iter().map(|notice| (notice.message_id.as_deref(), of_notice(notice, receipts)));
    let settled = ignored.chain(notices).filter_map(|(id, disposition)| Some((receipts.get(id?)?, disposition)));
    settled
        .filter(|(_, disposition)| *disposition != Disposition::Leave)
        .map(|(receipt, disposition)| (receipt.clone(), disposition))
        .collect()
}

fn of_notice(notice: &NoticeRecord, receipts: &Receipts) -> Disposition {
    let receives = notice.message_id.as_ref().and_then(|id| receipts.get(id)).map_or(1, |receipt| receipt.receives);
    if notice.postponed {
        Disposition::Return(if receives <= AT_ONCE { Duration::ZERO } else { NO_TURN })
    } else if let (Some(seconds), None) = (notice.look_again_seconds, notice.failures().next()) {
        Disposition::Return(Duration::from_secs(seconds))
    } else if notice.contradicted {
        Disposition::Return(ECS_CATCHES_UP)
    } else if notice.failures().next().is_none() {
        Disposition::Delete
    } else if notice.failures().all(|failure| failure.retryable) {
        Disposition::Return(rest(receives))
    } else {
        Disposition::Leave
    }
}

/// A fault of AWS may last: a message that came back at once each time would be a dead letter before the fault is over.
fn rest(receives: u32) -> Duration {
    FIRST_REST.saturating_mul(1 << receives.saturating_sub(1).min(10)).min(LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rests_longer_each_time_and_is_tried_as_long_as_a_notice_lasts() {
        let rests: Vec<_> = (1..=5).map(|receives| rest(receives).as_secs()).collect();
        assert_eq!(rests, [2, 4, 8, 10, 10]);
        assert!((1..12).map(rest).sum::<Duration>() > Duration::from_secs(90));
        assert_eq!(rest(u32::MAX), LONGEST_REST);
    }
}

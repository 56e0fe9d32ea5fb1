//! What happens to a message: it is deleted, or it returns to the queue after a time.
//!
//! Lambda's poller deletes the messages that it delivered, except those that the answer names. The function must delete
//! the messages that it received itself, and only when the outcome is known. It returns a failed message before the visibility
//! timeout ends, because that timeout is a quarter of a notice's two minutes.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::model::limits::MAX_RECEIVES;
use crate::model::notice::Notice;
use crate::read::batch::{Receipt, Receipts};
use crate::report::{NoticeRecord, Report};

/// How long a failed message stays hidden after its first receive. The time doubles with each further receive.
const FIRST_REST: Duration = Duration::from_secs(2);

/// The longest time that a failed message stays hidden. With a `maxReceiveCount` of 12 it is tried for as long as its notice
/// lasts.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// A message whose groups got no turn returns at once after this many receives: in a storm each receive takes the full time
/// of an invocation.
const AT_ONCE: u32 = 4;

/// After more than [`AT_ONCE`] receives such a message stays hidden for this long. Otherwise it would use up its receives while
/// something other than a storm delays it.
const NO_TURN: Duration = LONGEST_REST;

/// DescribeTasks may return a task as running for some seconds after ECS sent the event.
pub const ECS_CATCHES_UP: Duration = Duration::from_secs(5);

/// The time until a kept target is examined again for the first time, in seconds.
const FIRST_LOOK: u64 = 15;

/// The time until each later examination, in seconds.
const LATER_LOOKS: u64 = 20;

/// The receive at which a kept target is final: two receives are left for failures.
const LAST_LOOK: u32 = MAX_RECEIVES - 2;

/// With less than this left of the notice, a kept target is final.
const TOO_LATE_TO_LOOK: SignedDuration = SignedDuration::from_secs(10);

/// Returns after how many seconds a kept target is examined again; `None` if it is final. `was_kept`: it was kept before.
#[must_use]
pub fn look_again(notice: &Notice, receipt: &Receipt, was_kept: bool, now: Timestamp) -> Option<u64> {
    let is_final = receipt.receives >= LAST_LOOK || notice.deadline().duration_since(now) < TOO_LATE_TO_LOOK;
    (!is_final).then_some(if was_kept { LATER_LOOKS } else { FIRST_LOOK })
}

/// What happens to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    Delete,
    /// It becomes visible again after this time.
    Return(Duration),
    /// It becomes visible again when its visibility timeout ends.
    Leave,
}

/// Returns the messages to delete or to return, with their receipts.
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

/// A fault of AWS may last: a message that returned at once each time would be a dead letter before the fault ends.
fn rest(receives: u32) -> Duration {
    FIRST_REST.saturating_mul(1 << receives.saturating_sub(1).min(10)).min(LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_message_is_hidden_longer_each_time_and_tried_while_its_notice_lasts() {
        let rests: Vec<_> = (1..=5).map(|receives| rest(receives).as_secs()).collect();
        assert_eq!(rests, [2, 4, 8, 10, 10]);
        assert!((1..12).map(rest).sum::<Duration>() > Duration::from_secs(90));
        assert_eq!(rest(u32::MAX), LONGEST_REST);
    }
}

//! Writes the records of a report, then deletes or returns its messages.
//!
//! A failure here loses nothing: a message that could not be deleted or returned becomes visible again after its visibility
//! timeout, and handling it twice does no harm.
//! Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html>

use std::time::Duration;

use futures_util::future::join;
use futures_util::stream::{self, StreamExt};
use spotdrain_core::model::arn::QueueArn;
use spotdrain_core::model::limits::MAX_MESSAGES_PER_CALL;
use spotdrain_core::read::batch::Receipt;
use spotdrain_core::report::Report;
use spotdrain_core::report::disposition::{Disposition, dispositions};
use tracing::warn;

use crate::cloud::Cloud;
use crate::invocation::Invocation;
use crate::retry::FailedCall;
use crate::shares;

/// Number of calls in flight at the same time.
const CALLS: usize = 20;

/// Writes the records of a report, and returns what happens to its messages.
pub(crate) fn record<C: Cloud>(invocation: &Invocation<'_, C>, report: &Report) -> Vec<(Receipt, Disposition)> {
    if !invocation.is_dry {
        invocation.cloud().record(report);
    }
    dispositions(report, &invocation.receipts.borrow())
}

/// Deletes and returns messages.
pub(crate) async fn acknowledge<C: Cloud>(invocation: &Invocation<'_, C>, dispositions: Vec<(Receipt, Disposition)>) {
    let Some(queue) = &invocation.queue else { return };
    // Without the setting the URL is only derived, so Lambda deletes the messages that it delivered.
    let has_url = invocation.engine.settings.queue_url.is_some();
    let (mut done, mut back) = (Vec::new(), Vec::new());
    for (receipt, disposition) in dispositions {
        match disposition {
            Disposition::Delete if !receipt.is_own && !has_url => {}
            Disposition::Delete => done.push(receipt),
            Disposition::Return(hidden) => back.push((receipt, hidden)),
            Disposition::Leave => {}
        }
    }
    let deletions = done.chunks(MAX_MESSAGES_PER_CALL).map(|chunk| delete(invocation, queue, chunk));
    let returns = back.chunks(MAX_MESSAGES_PER_CALL).map(|chunk| hide(invocation, queue, chunk));
    join(all_of(deletions), all_of(returns)).await;
}

async fn delete<C: Cloud>(invocation: &Invocation<'_, C>, queue: &QueueArn, receipts: &[Receipt]) {
    let request = invocation.queue_request("DeleteMessageBatch");
    let answer = request.send(async || invocation.cloud().delete(queue, receipts).await).await;
    warn_of_failures(queue, "deleted", answer);
}

/// Hides messages until the invocation's deadline, in whole seconds.
pub(crate) async fn extend<C: Cloud>(invocation: &Invocation<'_, C>, receipts: Vec<Receipt>) {
    let Some(queue) = &invocation.queue else { return };
    let left = invocation.deadline.left(invocation.now()) + shares::ANSWER;
    let hidden: Vec<_> = receipts.into_iter().map(|receipt| (receipt, Duration::from_secs(left.as_secs()))).collect();
    all_of(hidden.chunks(MAX_MESSAGES_PER_CALL).map(|chunk| hide(invocation, queue, chunk))).await;
}

async fn hide<C: Cloud>(invocation: &Invocation<'_, C>, queue: &QueueArn, receipts: &[(Receipt, Duration)]) {
    let request = invocation.queue_request("ChangeMessageVisibilityBatch");
    let answer = request.send(async || invocation.cloud().change_visibility(queue, receipts).await).await;
    warn_of_failures(queue, "hidden or returned", answer);
}

fn warn_of_failures(queue: &QueueArn, what: &str, answer: Result<Vec<String>, FailedCall>) {
    let problem = match answer {
        Ok(failed) if failed.is_empty() => return,
        Ok(failed) => failed.join(", "),
        Err(error) => error.failure.problem,
    };
    let queue = queue.as_str();
    warn!(queue, problem, "messages could not be {what}: they become visible again after their visibility timeout");
}

async fn all_of(calls: impl Iterator<Item = impl Future<Output = ()>>) {
    stream::iter(calls).buffer_unordered(CALLS).collect::<()>().await;
}

//! The queue that the notices come from: what the function receives itself, deletes and gives back.
//!
//! What fails here loses nothing: a message that could not be deleted or given back comes again when its visibility timeout
//! is over, and handling it twice does no harm.
//! Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html>

use std::cell::OnceCell;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::operation::receive_message::ReceiveMessageOutput;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message as SqsMessage,
    MessageSystemAttributeName,
};
use futures_util::stream::{self, StreamExt};
use spotdrain_core::arn::QueueArn;
use spotdrain_core::batch::{Batch, Message, Receipt, Receipts, received};
use spotdrain_core::report::Report;
use spotdrain_core::settlement::{Settlement, settle};
use tokio::sync::watch;
use tracing::warn;

use crate::aws::Aws;
use crate::call::{CallError, call, chain};
use crate::clock::Deadline;
use crate::turn::Turns;

/// AWS's limit of one receive, and of one batch of deletions.
pub(crate) const MOST_A_CALL: usize = 10;

/// How long a receive waits for a message. A receive that waits at all asks all of SQS's servers, not a sample of them.
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html>
const POLL_SECONDS: i32 = 1;

/// How long a receive may take. It is not tried again: what it handed out in vain is hidden for a while.
const RECEIVE: Duration = Duration::from_secs(4);

/// How many calls are under way at the same time.
const SIDE_BY_SIDE: usize = 20;

/// Where a batch is settled with its queue, if it has one.
#[derive(Debug)]
pub(crate) struct Desk<'a> {
    pub(crate) queue: Option<&'a Queue>,
    /// Hears that no poll of this invocation is under way any more.
    pub(crate) polls_over: Option<watch::Receiver<bool>>,
    pub(crate) receipts: Receipts,
    pub(crate) deadline: Deadline,
}

impl Desk<'_> {
    /// The same for what was not begun. It is to come to another sandbox, and not to a poll that is still under way here.
    pub(crate) async fn settled_after_the_polls(&self, report: Report) -> Report {
        if let Some(mut polls_over) = self.polls_over.clone() {
            // An error says that the polls are gone, which is as good.
            polls_over.wait_for(|is_over| *is_over).await.ok();
        }
        self.settled(report).await
    }

    /// The report, after the queue has heard of it.
    pub(crate) async fn settled(&self, report: Report) -> Report {
        if let Some(queue) = self.queue {
            queue.settle(&report, &self.receipts, self.deadline).await;
        }
        report
    }
}

/// The queue of one invocation.
#[derive(Debug)]
pub(crate) struct Queue {
    aws: Aws,
    client: OnceCell<Client>,
    url: String,
}

impl Queue {
    /// The queue that a batch came from, where it is told.
    pub(crate) fn of(batch: &Batch, aws: &Aws) -> Option<Self> {
        let url = batch.queue.as_ref().map(QueueArn::url)?;
        Some(Self { aws: aws.clone(), client: OnceCell::new(), url })
    }

    /// Most invocations have nothing to say to their queue.
    fn client(&self) -> &Client {
        self.client.get_or_init(|| self.aws.sqs())
    }

    /// Waits up to a second for messages; `None` when none can be had.
    pub(crate) async fn receive(&self, sources: &[String], deadline: Deadline) -> Option<Vec<Message>> {
        let request = self.client().receive_message().queue_url(&self.url).max_number_of_messages(10);
        let request = request.message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
        let answer = request.wait_time_seconds(POLL_SECONDS).send();
        match tokio::time::timeout(RECEIVE.min(deadline.left()), answer).await {
            Ok(Ok(answer)) => Some(read(answer, sources)),
            Ok(Err(error)) => {
                let problem = chain(&error);
                warn!(queue = self.url, problem, "no more can be received: only what Lambda delivered is handled");
                None
            }
            Err(_) => {
                warn!(queue = self.url, "a receive was not answered in time");
                None
            }
        }
    }

    /// Deletes what is done and gives back what is not, as far as a report decides on it.
    async fn settle(&self, report: &Report, receipts: &Receipts, deadline: Deadline) {
        let (mut done, mut back) = (Vec::new(), Vec::new());
        for (receipt, settlement) in settle(report, receipts) {
            match settlement {
                Settlement::Delete => done.push(receipt),
                Settlement::Return(rest) => back.push((receipt, rest)),
                Settlement::Leave => {}
            }
        }
        let deletions = done.chunks(MOST_A_CALL).map(|chunk| self.delete(chunk, deadline));
        let returns = back.chunks(MOST_A_CALL).map(|chunk| self.give_back(chunk, deadline));
        tokio::join!(side_by_side(deletions), side_by_side(returns));
    }

    async fn delete(&self, receipts: &[Receipt], deadline: Deadline) {
        let entry = |(id, receipt): (usize, &Receipt)| {
            DeleteMessageBatchRequestEntry::builder().id(id.to_string()).receipt_handle(&receipt.handle).build()
        };
        let entries: Vec<_> = receipts.iter().enumerate().filter_map(|one| entry(one).ok()).collect();
        let request = self.client().delete_message_batch().queue_url(&self.url).set_entries(Some(entries));
        let answer = call("DeleteMessageBatch", Turns::free(deadline), || request.clone().send()).await;
        self.tell(
            "deleted",
            answer.map(|answer| answer.failed().iter().map(|entry| entry.code().to_owned()).collect()),
        );
    }

    async fn give_back(&self, receipts: &[(Receipt, Duration)], deadline: Deadline) {
        let entry = |(id, (receipt, rest)): (usize, &(Receipt, Duration))| {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id.to_string());
            entry.receipt_handle(&receipt.handle).visibility_timeout(whole_seconds(*rest)).build()
        };
        let entries: Vec<_> = receipts.iter().enumerate().filter_map(|one| entry(one).ok()).collect();
        let request = self.client().change_message_visibility_batch().queue_url(&self.url).set_entries(Some(entries));
        let answer = call("ChangeMessageVisibilityBatch", Turns::free(deadline), || request.clone().send()).await;
        self.tell(
            "given back",
            answer.map(|answer| answer.failed().iter().map(|entry| entry.code().to_owned()).collect()),
        );
    }

    fn tell(&self, what: &str, answer: Result<Vec<String>, CallError>) {
        let problem = match answer {
            Ok(failed) if failed.is_empty() => return,
            Ok(failed) => failed.join(", "),
            Err(error) => error.failure.problem,
        };
        warn!(
            queue = self.url,
            problem, "messages could not be {what}: they come again after their visibility timeout"
        );
    }
}

async fn side_by_side(calls: impl Iterator<Item = impl Future<Output = ()>>) {
    stream::iter(calls).buffer_unordered(SIDE_BY_SIDE).collect::<()>().await;
}

fn whole_seconds(rest: Duration) -> i32 {
    i32::try_from(rest.as_secs()).unwrap_or(0)
}

/// A message without an id, a body or a handle cannot be handled nor deleted: SQS sends none.
fn read(answer: ReceiveMessageOutput, sources: &[String]) -> Vec<Message> {
    answer.messages.unwrap_or_default().into_iter().filter_map(|message| read_one(message, sources)).collect()
}

fn read_one(message: SqsMessage, sources: &[String]) -> Option<Message> {
    let counted = MessageSystemAttributeName::ApproximateReceiveCount;
    let receives = message.attributes().and_then(|attributes| attributes.get(&counted)?.parse().ok()).unwrap_or(1);
    let receipt = Receipt { handle: message.receipt_handle?, receives, is_own: true };
    Some(received(message.message_id?, receipt, &message.body?, sources))
}

//! Lambda's event source mapping for a queue: makes batches, and settles them by the function's answer.
//!
//! It behaves as a mapping without a batching window and with `ReportBatchItemFailures` (Lambda developer guide, *Using Lambda
//! with Amazon SQS* and services-sqs-errorhandling): a batch has the visible messages up to the batch size; successful messages
//! are deleted; failed messages stay hidden until "your queue's visibility timeout runs out". The number of concurrent batches,
//! and how it grows, is up to the caller.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::Duration;

use serde::Serialize;

use crate::api::sqs::long_poll::ReceiveAttempt;
use crate::api::sqs::shapes::{self, md5_hex};
use crate::call::error::WorldError;
use crate::event_source::batch_answer::{self, BatchError};
use crate::location::{self, REGION};
use crate::model::sqs::queues::{self, ReceivedMessages};
use crate::model::world::World;

/// A larger batch needs a batching window (Lambda API, `CreateEventSourceMapping`, `BatchSize`).
const MAX_BATCH_SIZE: usize = 10;

/// Polls one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poller {
    queue: String,
    batch_size: usize,
}

/// The messages of one invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolledBatch {
    queue: String,
    epoch: Duration,
    received: Vec<ReceivedMessages>,
}

/// The result of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolledInvocation<'a> {
    /// The function's answer.
    Answered(&'a [u8]),
    /// The function returned an error, timed out or crashed.
    Failed,
}

/// The result of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettledBatch {
    /// The ids of the deleted messages.
    pub deleted: Vec<String>,
    /// The ids of the messages that become visible again.
    pub kept: Vec<String>,
    /// Why the whole batch failed, if it did.
    pub failure: Option<BatchError>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SqsEvent<'a> {
    records: Vec<SqsRecord<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SqsRecord<'a> {
    message_id: &'a str,
    receipt_handle: &'a str,
    body: &'a str,
    attributes: BTreeMap<&'static str, String>,
    message_attributes: BTreeMap<&'static str, String>,
    md5_of_body: String,
    event_source: &'static str,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: String,
    aws_region: &'static str,
}

impl Poller {
    /// Polls the queue with this name, ARN or URL, with a batch size of 10.
    #[must_use]
    pub fn new(queue: &str) -> Self {
        Self { queue: queues::name_in(queue).to_owned(), batch_size: MAX_BATCH_SIZE }
    }

    /// Sets the batch size, from 1 to 10.
    #[must_use]
    pub fn batch_size(self, messages: usize) -> Self {
        Self { batch_size: messages.clamp(1, MAX_BATCH_SIZE), ..self }
    }

    /// Returns the next batch, or `None` if no message is visible.
    pub fn poll(&self, world: &mut World, now: Duration) -> Result<Option<PolledBatch>, WorldError> {
        let received = world.receive(&self.queue, self.batch_size, now)?;
        let some = !received.is_empty();
        Ok(some.then(|| PolledBatch { queue: self.queue.clone(), epoch: world.since_1970(), received }))
    }

    /// Returns the next batch, or the latest time at which to try again.
    pub(crate) fn try_poll(&self, world: &mut World, now: Duration) -> ReceiveAttempt<Result<PolledBatch, WorldError>> {
        let next = world.queues.get(&self.queue).and_then(|stock| stock.next_visible(now));
        match self.poll(world, now).transpose() {
            Some(batch) => ControlFlow::Break(batch),
            None => ControlFlow::Continue(next.unwrap_or(Duration::MAX)),
        }
    }
}

impl PolledBatch {
    /// The messages, with the receipt handles of this receive.
    #[must_use]
    pub fn messages(&self) -> &[ReceivedMessages] {
        &self.received
    }

    /// The event for the function.
    pub fn event(&self) -> serde_json::Result<String> {
        let records = self.received.iter().map(|received| self.record(received)).collect();
        serde_json::to_string(&SqsEvent { records })
    }

    /// Deletes the successful messages; the failed ones stay hidden for their visibility timeout.
    #[must_use]
    pub fn settle(&self, world: &mut World, invocation: PolledInvocation<'_>) -> SettledBatch {
        let ids = self.received.iter().map(|received| received.message.id.as_str()).collect::<BTreeSet<_>>();
        let failed = match invocation {
            PolledInvocation::Answered(answer) => batch_answer::failed(answer, &ids),
            PolledInvocation::Failed => Err(BatchError::Function),
        };
        let is_kept = |id: &String| failed.as_ref().map_or(true, |failed| failed.contains(id));
        let (kept, deleted): (Vec<_>, Vec<_>) = self.received.iter().partition(|one| is_kept(&one.message.id));
        for received in &deleted {
            // Cannot fail: the handle is from this queue, and queues are never removed.
            world.delete(&self.queue, &received.receipt_handle).ok();
        }
        SettledBatch { deleted: ids_of(&deleted), kept: ids_of(&kept), failure: failed.err() }
    }

    fn record<'a>(&self, received: &'a ReceivedMessages) -> SqsRecord<'a> {
        let ReceivedMessages { message, receipt_handle } = received;
        SqsRecord {
            message_id: &message.id,
            receipt_handle,
            body: &message.body,
            attributes: shapes::attributes(received, self.epoch),
            message_attributes: BTreeMap::new(),
            md5_of_body: md5_hex(&message.body),
            event_source: "aws:sqs",
            event_source_arn: location::queue_arn(&self.queue),
            aws_region: REGION,
        }
    }
}

fn ids_of(received: &[&ReceivedMessages]) -> Vec<String> {
    received.iter().map(|one| one.message.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::sqs::message::MessageCounts;
    use crate::model::sqs::queue::Queue;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// A queue `notices` with this many messages, and `dead` after two receives.
    fn with(messages: u32) -> World {
        let mut world = World::new();
        world.set_epoch(at(1_700_000_000));
        world.add_queue(Queue::new("notices").dead_letter_queue("dead", 2));
        world.add_queue(Queue::new("dead"));
        for number in 1..=messages {
            world.send("notices", &format!("message {number}"), at(0)).unwrap();
        }
        world
    }

    fn batch(world: &mut World, now: u64) -> PolledBatch {
        Poller::new("notices").poll(world, at(now)).unwrap().expect("there are messages")
    }

    fn settled(world: &mut World, batch: &PolledBatch, answer: &Value) -> SettledBatch {
        batch.settle(world, PolledInvocation::Answered(answer.to_string().as_bytes()))
    }

    #[test]
    fn a_batch_has_the_visible_messages_up_to_its_size() {
        let mut world = with(12);
        assert_eq!(batch(&mut world, 0).messages().len(), 10);
        assert_eq!(batch(&mut world, 0).messages().len(), 2);
        assert_eq!(Poller::new("notices").poll(&mut world, at(0)), Ok(None));
        let small = Poller::new("notices").batch_size(3).poll(&mut world, at(30)).unwrap().unwrap();
        assert_eq!(small.messages().len(), 3);
        assert!(Poller::new("nobody").poll(&mut world, at(0)).is_err());
    }

    #[test]
    fn the_event_has_lambdas_format() {
        let mut world = with(1);
        let event: Value = serde_json::from_str(&batch(&mut world, 5).event().unwrap()).unwrap();
        let expected = json!({"Records": [{
            "messageId": "00000000-0000-4000-9000-000000000001",
            "receiptHandle": "AQEBnotices/1/1",
            "body": "message 1",
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": "1700000000000",
                "SenderId": "AIDALOCALAWSSENDER00",
                "ApproximateFirstReceiveTimestamp": "1700000005000",
            },
            "messageAttributes": {},
            "md5OfBody": md5_hex("message 1"),
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:notices",
            "awsRegion": "eu-central-1",
        }]});
        assert_eq!(event, expected);
    }

    #[test]
    fn successful_messages_are_deleted_and_failed_ones_reappear() {
        let mut world = with(3);
        let first = batch(&mut world, 0);
        let ids: Vec<_> = first.messages().iter().map(|one| one.message.id.clone()).collect();
        let settled_batch = settled(&mut world, &first, &json!({"batchItemFailures": [{"itemIdentifier": ids[1]}]}));
        assert_eq!(
            (settled_batch.deleted.as_slice(), settled_batch.failure),
            (&[ids[0].clone(), ids[2].clone()][..], None)
        );
        assert_eq!(settled_batch.kept, [ids[1].clone()]);
        assert_eq!(world.message_counts("notices", at(29)), MessageCounts { in_flight: 1, ..MessageCounts::default() });
        assert_eq!(batch(&mut world, 30).messages()[0].message.id, ids[1]);
    }

    #[test]
    fn an_answer_without_failures_deletes_all() {
        for answer in [json!(null), json!({}), json!({"batchItemFailures": []})] {
            let mut world = with(2);
            let batch = batch(&mut world, 0);
            assert_eq!(settled(&mut world, &batch, &answer).deleted.len(), 2, "{answer}");
            assert!(world.messages("notices", at(0)).is_empty());
        }
    }

    #[test]
    fn a_failed_function_or_invalid_answer_keeps_all() {
        let unknown = br#"{"batchItemFailures":[{"itemIdentifier":"another"}]}"#;
        for invocation in
            [PolledInvocation::Failed, PolledInvocation::Answered(b"?"), PolledInvocation::Answered(unknown)]
        {
            let mut world = with(2);
            let settled_batch = batch(&mut world, 0).settle(&mut world, invocation);
            assert_eq!((settled_batch.deleted.len(), settled_batch.kept.len()), (0, 2), "{invocation:?}");
            assert!(settled_batch.failure.is_some());
            assert_eq!(world.message_counts("notices", at(0)).in_flight, 2);
        }
    }

    #[test]
    fn a_message_that_fails_too_often_is_in_the_dead_letter_queue() {
        let mut world = with(1);
        for now in [0, 30] {
            let _ = batch(&mut world, now).settle(&mut world, PolledInvocation::Failed);
        }
        assert_eq!(Poller::new("notices").poll(&mut world, at(60)), Ok(None));
        assert_eq!(world.messages("dead", at(60)).len(), 1);
    }

    #[test]
    fn a_late_answer_deletes_only_messages_that_nobody_else_received() {
        let mut world = with(2);
        let late = batch(&mut world, 0);
        let again = Poller::new("notices").batch_size(1).poll(&mut world, at(30)).unwrap().unwrap();
        let _ = settled(&mut world, &late, &json!({}));
        let left = world.messages("notices", at(30));
        assert_eq!(left.iter().map(|message| &message.id).collect::<Vec<_>>(), [&again.messages()[0].message.id]);
    }
}

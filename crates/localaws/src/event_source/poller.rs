//! How does Lambda's event source mapping bring the messages of a queue to a function, and what does it do with the answer?
//!
//! As for a mapping without a batching window and with `ReportBatchItemFailures` (Lambda developer guide, *Using Lambda with
//! Amazon SQS* and services-sqs-errorhandling): a batch is what there is, up to the batch size; messages that succeeded are
//! deleted; those that failed stay hidden and reappear when "your queue's visibility timeout runs out", not at once. How many
//! batches Lambda asks for at a time, and how that grows, is the caller's to play.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::Duration;

use serde::Serialize;

use crate::api::sqs::long_poll::Look;
use crate::api::sqs::shapes::{self, md5_hex};
use crate::call::error::WorldError;
use crate::event_source::batch_answer::{self, BatchError};
use crate::location::{self, REGION};
use crate::model::sqs::queues::{self, Received};
use crate::model::world::World;

/// More than this needs a batching window (Lambda API, `CreateEventSourceMapping`, `BatchSize`).
const LARGEST_BATCH: usize = 10;

/// The poller of one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poller {
    queue: String,
    batch_size: usize,
}

/// The messages of one invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    queue: String,
    epoch: Duration,
    received: Vec<Received>,
}

/// How an invocation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invocation<'a> {
    /// The function answered with these bytes.
    Answered(&'a [u8]),
    /// The function reported an error, ran out of time or crashed.
    Failed,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The ids of the messages that were deleted.
    pub deleted: Vec<String>,
    /// The ids of the messages that will come back.
    pub kept: Vec<String>,
    /// Why the whole batch failed, if it did.
    pub failure: Option<BatchError>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Event<'a> {
    records: Vec<Record<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
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
    /// A poller of a queue, by its name, its ARN or its URL, for batches of up to ten.
    #[must_use]
    pub fn new(queue: &str) -> Self {
        Self { queue: queues::name_in(queue).to_owned(), batch_size: LARGEST_BATCH }
    }

    /// For batches of up to this size, from 1 to 10.
    #[must_use]
    pub fn batch_size(self, messages: usize) -> Self {
        Self { batch_size: messages.clamp(1, LARGEST_BATCH), ..self }
    }

    /// The next batch, or none if no message can be received.
    pub fn poll(&self, world: &mut World, now: Duration) -> Result<Option<Batch>, WorldError> {
        let received = world.receive(&self.queue, self.batch_size, now)?;
        let some = !received.is_empty();
        Ok(some.then(|| Batch { queue: self.queue.clone(), epoch: world.since_1970(), received }))
    }

    /// The next batch, or when to look again at the latest.
    pub(crate) fn look(&self, world: &mut World, now: Duration) -> Look<Result<Batch, WorldError>> {
        let next = world.queues.get(&self.queue).and_then(|stock| stock.next_visible(now));
        match self.poll(world, now).transpose() {
            Some(batch) => ControlFlow::Break(batch),
            None => ControlFlow::Continue(next.unwrap_or(Duration::MAX)),
        }
    }
}

impl Batch {
    /// The messages, with the receipt handles of this receive.
    #[must_use]
    pub fn messages(&self) -> &[Received] {
        &self.received
    }

    /// The event that the function is invoked with.
    pub fn event(&self) -> serde_json::Result<String> {
        let records = self.received.iter().map(|received| self.record(received)).collect();
        serde_json::to_string(&Event { records })
    }

    /// Deletes what succeeded; what failed stays for its visibility timeout.
    #[must_use]
    pub fn settle(&self, world: &mut World, invocation: Invocation<'_>) -> Settled {
        let ids = self.received.iter().map(|received| received.message.id.as_str()).collect::<BTreeSet<_>>();
        let failed = match invocation {
            Invocation::Answered(answer) => batch_answer::failed(answer, &ids),
            Invocation::Failed => Err(BatchError::Function),
        };
        let is_kept = |id: &String| failed.as_ref().map_or(true, |failed| failed.contains(id));
        let (kept, deleted): (Vec<_>, Vec<_>) = self.received.iter().partition(|one| is_kept(&one.message.id));
        for received in &deleted {
            // The handle is this queue's, and a queue does not go away.
            world.delete(&self.queue, &received.receipt_handle).ok();
        }
        Settled { deleted: ids_of(&deleted), kept: ids_of(&kept), failure: failed.err() }
    }

    fn record<'a>(&self, received: &'a Received) -> Record<'a> {
        let Received { message, receipt_handle } = received;
        Record {
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

fn ids_of(received: &[&Received]) -> Vec<String> {
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

    /// Queue `notices` with so many messages, two receives before `dead`.
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

    fn batch(world: &mut World, now: u64) -> Batch {
        Poller::new("notices").poll(world, at(now)).unwrap().expect("there are messages")
    }

    fn settled(world: &mut World, batch: &Batch, answer: &Value) -> Settled {
        batch.settle(world, Invocation::Answered(answer.to_string().as_bytes()))
    }

    #[test]
    fn a_batch_is_what_there_is_up_to_its_size() {
        let mut world = with(12);
        assert_eq!(batch(&mut world, 0).messages().len(), 10);
        assert_eq!(batch(&mut world, 0).messages().len(), 2);
        assert_eq!(Poller::new("notices").poll(&mut world, at(0)), Ok(None));
        let small = Poller::new("notices").batch_size(3).poll(&mut world, at(30)).unwrap().unwrap();
        assert_eq!(small.messages().len(), 3);
        assert!(Poller::new("nobody").poll(&mut world, at(0)).is_err());
    }

    #[test]
    fn the_event_is_as_lambda_makes_it() {
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
    fn what_succeeded_is_deleted_and_what_failed_comes_back_after_its_timeout() {
        let mut world = with(3);
        let first = batch(&mut world, 0);
        let ids: Vec<_> = first.messages().iter().map(|one| one.message.id.clone()).collect();
        let told = settled(&mut world, &first, &json!({"batchItemFailures": [{"itemIdentifier": ids[1]}]}));
        assert_eq!((told.deleted.as_slice(), told.failure), (&[ids[0].clone(), ids[2].clone()][..], None));
        assert_eq!(told.kept, [ids[1].clone()]);
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
    fn a_failure_of_the_function_or_of_its_answer_keeps_all() {
        let unknown = br#"{"batchItemFailures":[{"itemIdentifier":"another"}]}"#;
        for invocation in [Invocation::Failed, Invocation::Answered(b"?"), Invocation::Answered(unknown)] {
            let mut world = with(2);
            let told = batch(&mut world, 0).settle(&mut world, invocation);
            assert_eq!((told.deleted.len(), told.kept.len()), (0, 2), "{invocation:?}");
            assert!(told.failure.is_some());
            assert_eq!(world.message_counts("notices", at(0)).in_flight, 2);
        }
    }

    #[test]
    fn what_fails_too_often_is_in_the_dead_letter_queue() {
        let mut world = with(1);
        for now in [0, 30] {
            let _ = batch(&mut world, now).settle(&mut world, Invocation::Failed);
        }
        assert_eq!(Poller::new("notices").poll(&mut world, at(60)), Ok(None));
        assert_eq!(world.messages("dead", at(60)).len(), 1);
    }

    #[test]
    fn an_answer_that_comes_after_the_timeout_deletes_only_what_nobody_else_got() {
        let mut world = with(2);
        let late = batch(&mut world, 0);
        let again = Poller::new("notices").batch_size(1).poll(&mut world, at(30)).unwrap().unwrap();
        let _ = settled(&mut world, &late, &json!({}));
        let left = world.messages("notices", at(30));
        assert_eq!(left.iter().map(|message| &message.id).collect::<Vec<_>>(), [&again.messages()[0].message.id]);
    }
}

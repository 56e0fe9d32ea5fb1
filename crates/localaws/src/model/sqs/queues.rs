//! All queues with their messages, including the moves to dead-letter queues.
//!
//! A message moves when its receive count would exceed `maxReceiveCount` (developer guide, *Using dead-letter queues in Amazon
//! SQS*): the receive that would exceed it moves all such visible messages instead of returning them. If the dead-letter
//! queue does not exist, messages stay and are received again; AWS does not document this case.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::sqs::message::{Message, MessageCounts};
use crate::model::sqs::messages::{Messages, Unchanged};
use crate::model::sqs::queue::{Queue, Redrive};
use crate::model::sqs::receipt::Receipt;
use crate::model::sqs::waker::Waker;

/// A received message with its receipt handle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMessages {
    /// The message after this receive.
    pub message: Message,
    pub receipt_handle: String,
}

/// The parameters of a receive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) max: usize,
    /// The visibility timeout; by default the queue's.
    pub(crate) hidden: Option<Duration>,
    /// Whether only some of the messages may be seen.
    pub(crate) short_poll: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Queues {
    all: BTreeMap<String, Stock>,
    sent: u64,
    pub(crate) waker: Waker,
    pub(crate) uneven: Option<Uneven>,
}

/// A queue with its messages.
#[derive(Debug, Clone)]
pub(crate) struct Stock {
    pub(crate) queue: Queue,
    pub(crate) created_at: Duration,
    pub(crate) changed_at: Duration,
    messages: Messages,
}

/// Uneven receives, as in SQS: the latency varies, and so does the number of messages.
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>
#[derive(Debug, Clone)]
pub(crate) struct Uneven {
    min: Duration,
    most: Duration,
    drawn: u64,
}

impl Uneven {
    pub(crate) fn new(min: Duration, most: Duration) -> Self {
        Self { min, most, drawn: 0 }
    }

    /// The next number, from 0 to 999, of a fixed sequence. The constants of the generator are those of Knuth's MMIX.
    fn draw(&mut self) -> u32 {
        self.drawn = self.drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.drawn >> 33) % 1000).unwrap_or_default()
    }

    /// The number of messages that the next receive sees, from one to ten.
    fn size(&mut self) -> usize {
        1 + self.draw() as usize % 10
    }

    /// The latency of the next receive.
    pub(crate) fn latency(&mut self) -> Duration {
        let part = f64::from(self.draw()) / 999.0;
        self.min + self.most.saturating_sub(self.min).mul_f64(part)
    }
}

impl Queues {
    /// Adds a queue, or changes the settings of an existing one.
    pub(crate) fn set(&mut self, queue: Queue, now: Duration) {
        let new = || Stock { queue: queue.clone(), created_at: now, changed_at: now, messages: Messages::default() };
        let stock = self.all.entry(queue.name.clone()).or_insert_with(new);
        stock.queue = queue;
        stock.changed_at = now;
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Stock> {
        self.all.get(name)
    }

    /// Sends a message; `None` if the queue does not exist.
    pub(crate) fn send(&mut self, name: &str, body: &str, delay: Option<Duration>, now: Duration) -> Option<Message> {
        let stock = self.all.get_mut(name)?;
        self.sent = self.sent.wrapping_add(1);
        let message = Message::new(self.sent, body, delay.unwrap_or(stock.queue.delay), now);
        stock.messages.put(self.sent, message.clone());
        self.waker.wake();
        Some(message)
    }

    /// Receives visible messages, oldest first.
    pub(crate) fn receive(&mut self, name: &str, wanted: Wanted, now: Duration) -> Vec<ReceivedMessages> {
        self.redrive(name, now);
        let Some(stock) = self.all.get_mut(name) else {
            return Vec::new();
        };
        let hidden = wanted.hidden.unwrap_or(stock.queue.visibility_timeout);
        let sees = stock.queue.short_poll_sees.filter(|_| wanted.short_poll).unwrap_or(usize::MAX);
        let sees = self.uneven.as_mut().map_or(sees, |uneven| sees.min(uneven.size()));
        let numbers = stock.messages.visible(sees.min(wanted.max), now).into_iter();
        let received = numbers.filter_map(|number| {
            let message = stock.messages.receive(number, hidden, now)?;
            let receipt = Receipt { queue: name.to_owned(), message: number, receive: message.receive_count };
            Some(ReceivedMessages { message, receipt_handle: receipt.to_string() })
        });
        received.collect()
    }

    pub(crate) fn delete(&mut self, receipt: &Receipt) {
        if let Some(stock) = self.all.get_mut(&receipt.queue) {
            stock.messages.delete(receipt);
        }
    }

    pub(crate) fn change_visibility(
        &mut self,
        receipt: &Receipt,
        hidden: Duration,
        now: Duration,
    ) -> Result<(), Unchanged> {
        let stock = self.all.get_mut(&receipt.queue).ok_or(Unchanged::Gone)?;
        stock.messages.change_visibility(receipt, hidden, now)?;
        self.waker.wake();
        Ok(())
    }

    pub(crate) fn purge(&mut self, name: &str) {
        if let Some(stock) = self.all.get_mut(name) {
            stock.messages.clear();
        }
    }

    /// Moves messages that were received too often to the dead-letter queue.
    fn redrive(&mut self, name: &str, now: Duration) {
        let Some(stock) = self.all.get_mut(name) else {
            return;
        };
        stock.messages.remove_expired(stock.queue.retention, now);
        let source = stock.queue.arn();
        let Some(Redrive { dead_letter_target, max_receive_count }) = stock.queue.redrive.clone() else {
            return;
        };
        let exhausted = stock.messages.delivered(max_receive_count, now);
        let target = name_in(&dead_letter_target).to_owned();
        for number in exhausted.into_iter().filter(|_| self.all.contains_key(&target)).collect::<Vec<_>>() {
            self.move_to(number, name, &target, &source, now);
        }
    }

    fn move_to(&mut self, number: u64, name: &str, target: &str, source: &str, now: Duration) {
        let message = self.all.get_mut(name).and_then(|stock| stock.messages.take(number));
        if let (Some(message), Some(target)) = (message, self.all.get_mut(target)) {
            target.messages.put(number, message.moved_from(source.to_owned(), now));
            self.waker.wake();
        }
    }
}

impl Stock {
    /// The messages, oldest first.
    pub(crate) fn messages(&self, now: Duration) -> Vec<Message> {
        self.messages.kept(self.queue.retention, now).cloned().collect()
    }

    pub(crate) fn counts(&self, now: Duration) -> MessageCounts {
        self.messages.counts(self.queue.retention, now)
    }

    /// Returns whether at least `limit` messages are in flight.
    pub(crate) fn has_in_flight(&self, limit: usize, now: Duration) -> bool {
        self.messages.len() >= limit && self.counts(now).in_flight >= limit
    }

    /// When the next hidden message becomes visible.
    pub(crate) fn next_visible(&self, now: Duration) -> Option<Duration> {
        self.messages.next_visible(now)
    }
}

/// Returns the name in a queue's name, ARN or URL.
pub(crate) fn name_in(queue: &str) -> &str {
    queue.rsplit([':', '/']).next().unwrap_or(queue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sqs::message::MessageState;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// A queue `notices`, and `dead` after two receives.
    fn queues() -> Queues {
        let mut queues = Queues::default();
        queues.set(Queue::new("notices").dead_letter_queue("dead", 2), at(0));
        queues.set(Queue::new("dead"), at(0));
        queues
    }

    fn received(queues: &mut Queues, name: &str, now: Duration) -> Vec<ReceivedMessages> {
        queues.receive(name, Wanted { max: 10, hidden: None, short_poll: true }, now)
    }

    #[test]
    fn the_receive_beyond_the_limit_moves_the_message() {
        let mut queues = queues();
        let sent = queues.send("notices", "{}", None, at(5)).unwrap();
        for (now, receive_count) in [(10, 1), (40, 2)] {
            assert_eq!(received(&mut queues, "notices", at(now))[0].message.receive_count, receive_count);
        }
        assert!(queues.get("dead").unwrap().messages(at(99)).is_empty(), "the timeout alone moves nothing");
        assert!(received(&mut queues, "notices", at(100)).is_empty());
        assert!(queues.get("notices").unwrap().messages(at(100)).is_empty());
        let [dead] = &queues.get("dead").unwrap().messages(at(100))[..] else { panic!("one message") };
        assert_eq!((&dead.id, dead.sent_at, dead.state(at(100))), (&sent.id, at(5), MessageState::Visible));
        assert_eq!(dead.dead_letter_source.as_deref(), Some("arn:aws:sqs:eu-central-1:123456789012:notices"));
        assert_eq!(received(&mut queues, "dead", at(101))[0].message.receive_count, 3, "over all queues");
    }

    #[test]
    fn without_the_dead_letter_queue_the_message_stays() {
        let mut queues = Queues::default();
        queues.set(Queue::new("notices").dead_letter_queue("nobody", 1), at(0));
        queues.send("notices", "{}", None, at(0));
        for now in [0, 30, 60] {
            assert_eq!(received(&mut queues, "notices", at(now)).len(), 1);
        }
    }

    #[test]
    fn every_receive_has_its_own_handle() {
        let mut queues = queues();
        queues.send("notices", "{}", None, at(0));
        let handles = [0, 30].map(|now| received(&mut queues, "notices", at(now)).remove(0).receipt_handle);
        assert_ne!(handles[0], handles[1]);
    }

    #[test]
    fn a_short_poll_can_see_fewer_messages() {
        let mut queues = Queues::default();
        queues.set(Queue::new("notices").short_poll_sees(1), at(0));
        queues.send("notices", "a", None, at(0));
        queues.send("notices", "b", None, at(0));
        assert_eq!(received(&mut queues, "notices", at(0)).len(), 1);
        queues.send("notices", "c", None, at(0));
        let long = Wanted { max: 10, hidden: None, short_poll: false };
        assert_eq!(queues.receive("notices", long, at(0)).len(), 2);
    }

    #[test]
    fn a_queue_is_named_by_name_arn_or_url() {
        for queue in ["notices", "arn:aws:sqs:eu-central-1:123456789012:notices", "http://a:1/123456789012/notices"] {
            assert_eq!(name_in(queue), "notices");
        }
    }
}

//! All queues, and what one does to another: when does a message go to a dead-letter queue?
//!
//! When its receive count exceeds `maxReceiveCount` (developer guide, *Using dead-letter queues in Amazon SQS*): so it is
//! moved by the receive that would be one too many, and that receive does not get it. Every visible message of the queue that
//! is due moves then. If there is no such dead-letter queue, messages stay and go on being received; AWS does not say.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::sqs::message::{Message, MessageCounts};
use crate::model::sqs::messages::{Messages, Unchanged};
use crate::model::sqs::queue::{Queue, Redrive};
use crate::model::sqs::receipt::Receipt;
use crate::model::sqs::waker::Waker;

/// A message, and the handle of the receive that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The message as this receive left it.
    pub message: Message,
    /// The handle with which it is deleted.
    pub receipt_handle: String,
}

/// Which messages a receive wants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) most: usize,
    /// The queue's own where nothing is said.
    pub(crate) hidden: Option<Duration>,
    /// A short poll may see only some of the messages.
    pub(crate) short_poll: bool,
}

/// The queues by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Queues {
    all: BTreeMap<String, Stock>,
    sent: u64,
    pub(crate) waker: Waker,
    pub(crate) uneven: Option<Uneven>,
}

/// A queue with what is in it.
#[derive(Debug, Clone)]
pub(crate) struct Stock {
    pub(crate) queue: Queue,
    pub(crate) created_at: Duration,
    pub(crate) changed_at: Duration,
    purged_at: Option<Duration>,
    messages: Messages,
}

/// Receives as SQS answers them: some sooner than others, and with fewer messages than there are.
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>
#[derive(Debug, Clone)]
pub(crate) struct Uneven {
    least: Duration,
    most: Duration,
    drawn: u64,
}

impl Uneven {
    pub(crate) fn new(least: Duration, most: Duration) -> Self {
        Self { least, most, drawn: 0 }
    }

    /// The next of a fixed sequence of numbers, from 0 to 999. The factor and the summand are Knuth's, of MMIX.
    fn draw(&mut self) -> u32 {
        self.drawn = self.drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.drawn >> 33) % 1000).unwrap_or_default()
    }

    /// How many messages the next receive sees, from one to ten.
    fn size(&mut self) -> usize {
        1 + self.draw() as usize % 10
    }

    /// How long the next receive takes.
    pub(crate) fn latency(&mut self) -> Duration {
        let part = f64::from(self.draw()) / 999.0;
        self.least + self.most.saturating_sub(self.least).mul_f64(part)
    }
}

impl Queues {
    /// Adds a queue, or gives the one of its name these settings.
    pub(crate) fn set(&mut self, queue: Queue, now: Duration) {
        let new = || Stock {
            queue: queue.clone(),
            created_at: now,
            changed_at: now,
            purged_at: None,
            messages: Messages::default(),
        };
        let stock = self.all.entry(queue.name.clone()).or_insert_with(new);
        stock.queue = queue;
        stock.changed_at = now;
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Stock> {
        self.all.get(name)
    }

    /// Sends a message, or gives none if there is no such queue.
    pub(crate) fn send(&mut self, name: &str, body: &str, delay: Option<Duration>, now: Duration) -> Option<Message> {
        let stock = self.all.get_mut(name)?;
        self.sent = self.sent.wrapping_add(1);
        let message = Message::new(self.sent, body, delay.unwrap_or(stock.queue.delay), now);
        stock.messages.put(self.sent, message.clone());
        self.waker.wake();
        Some(message)
    }

    /// Receives what can be received, the oldest first.
    pub(crate) fn receive(&mut self, name: &str, wanted: Wanted, now: Duration) -> Vec<Received> {
        self.redrive(name, now);
        let Some(stock) = self.all.get_mut(name) else {
            return Vec::new();
        };
        let hidden = wanted.hidden.unwrap_or(stock.queue.visibility_timeout);
        let sees = stock.queue.short_poll_sees.filter(|_| wanted.short_poll).unwrap_or(usize::MAX);
        let sees = self.uneven.as_mut().map_or(sees, |uneven| sees.min(uneven.size()));
        let numbers = stock.messages.visible(now).into_iter().take(sees.min(wanted.most));
        let received = numbers.filter_map(|number| {
            let message = stock.messages.receive(number, hidden, now)?;
            let receipt = Receipt { queue: name.to_owned(), message: number, receive: message.receive_count };
            Some(Received { message, receipt_handle: receipt.to_string() })
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

    /// Deletes all messages. False: it was done less than a minute ago, and is not done again.
    pub(crate) fn purge(&mut self, name: &str, now: Duration) -> bool {
        let Some(stock) = self.all.get_mut(name) else {
            return false;
        };
        let again = stock.purged_at.is_some_and(|at| now < at.saturating_add(Duration::from_mins(1)));
        if !again {
            stock.messages.clear();
            stock.purged_at = Some(now);
        }
        !again
    }

    /// Moves what was received too often.
    fn redrive(&mut self, name: &str, now: Duration) {
        let Some(stock) = self.all.get_mut(name) else {
            return;
        };
        stock.messages.forget_the_old(stock.queue.retention, now);
        let source = stock.queue.arn();
        let Some(Redrive { dead_letter_target, max_receive_count }) = stock.queue.redrive.clone() else {
            return;
        };
        let mut worn = stock.messages.visible(now);
        worn.retain(|number| stock.messages.received_here(*number) >= max_receive_count);
        let target = name_in(&dead_letter_target).to_owned();
        for number in worn.into_iter().filter(|_| self.all.contains_key(&target)).collect::<Vec<_>>() {
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
    /// What is in the queue, the oldest first.
    pub(crate) fn messages(&self, now: Duration) -> Vec<Message> {
        self.messages.kept(self.queue.retention, now).cloned().collect()
    }

    pub(crate) fn counts(&self, now: Duration) -> MessageCounts {
        self.messages.counts(self.queue.retention, now)
    }

    /// When a message that cannot be received now can be.
    pub(crate) fn next_visible(&self, now: Duration) -> Option<Duration> {
        self.messages.next_visible(now)
    }
}

/// The name of a queue that is given by its name, its ARN or its URL.
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

    /// Queue `notices` with two receives before `dead`.
    fn queues() -> Queues {
        let mut queues = Queues::default();
        queues.set(Queue::new("notices").dead_letter_queue("dead", 2), at(0));
        queues.set(Queue::new("dead"), at(0));
        queues
    }

    fn received(queues: &mut Queues, name: &str, now: Duration) -> Vec<Received> {
        queues.receive(name, Wanted { most: 10, hidden: None, short_poll: true }, now)
    }

    #[test]
    fn the_receive_that_is_one_too_many_moves_the_message() {
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
    fn a_short_poll_can_see_less_than_there_is() {
        let mut queues = Queues::default();
        queues.set(Queue::new("notices").short_poll_sees(1), at(0));
        queues.send("notices", "a", None, at(0));
        queues.send("notices", "b", None, at(0));
        assert_eq!(received(&mut queues, "notices", at(0)).len(), 1);
        queues.send("notices", "c", None, at(0));
        let long = Wanted { most: 10, hidden: None, short_poll: false };
        assert_eq!(queues.receive("notices", long, at(0)).len(), 2);
    }

    #[test]
    fn a_purge_empties_the_queue_once_a_minute() {
        let mut queues = queues();
        queues.send("notices", "{}", None, at(0));
        assert!(queues.purge("notices", at(0)));
        assert!(queues.get("notices").unwrap().messages(at(0)).is_empty());
        assert!(!queues.purge("notices", at(59)));
        assert!(queues.purge("notices", at(60)));
    }

    #[test]
    fn a_queue_goes_by_name_arn_or_url() {
        for queue in ["notices", "arn:aws:sqs:eu-central-1:123456789012:notices", "http://a:1/123456789012/notices"] {
            assert_eq!(name_in(queue), "notices");
        }
    }
}

//! The methods of [`World`] by which a test arranges and inspects queues and messages.
//!
//! A queue is named by its name, ARN or URL. These methods are not calls, so the log does not contain them.

use std::time::Duration;

use crate::call::error::WorldError;
use crate::model::sqs::message::{Message, MessageCounts};
use crate::model::sqs::queue::Queue;
use crate::model::sqs::queues::{self, ReceivedMessages, Stock, Wanted};
use crate::model::sqs::receipt::Receipt;
use crate::model::world::World;

impl World {
    /// Deletes all messages, as `PurgeQueue` does.
    pub fn purge(&mut self, queue: &str) -> Result<(), WorldError> {
        let name = queues::name_in(queue).to_owned();
        self.stock(&name).ok_or_else(|| no_queue(queue))?;
        self.queues.purge(&name);
        Ok(())
    }

    /// Adds a queue, or changes the settings of an existing one, and returns its ARN.
    pub fn add_queue(&mut self, queue: Queue) -> String {
        let arn = queue.arn();
        self.queues.set(queue, Duration::ZERO);
        arn
    }

    #[must_use]
    pub fn queue(&self, queue: &str) -> Option<&Queue> {
        self.stock(queue).map(|stock| &stock.queue)
    }

    /// Sends a message, and returns its id. The body is not checked.
    pub fn send(&mut self, queue: &str, body: &str, now: Duration) -> Result<String, WorldError> {
        let sent = self.queues.send(queues::name_in(queue), body, None, now);
        sent.map(|message| message.id).ok_or_else(|| no_queue(queue))
    }

    /// Receives up to `max` messages like a long poll, but does not wait.
    pub fn receive(&mut self, queue: &str, max: usize, now: Duration) -> Result<Vec<ReceivedMessages>, WorldError> {
        let name = queues::name_in(queue);
        self.stock(queue).ok_or_else(|| no_queue(queue))?;
        Ok(self.queues.receive(name, Wanted { max, hidden: None, short_poll: false }, now))
    }

    /// Deletes a message by its receipt handle.
    pub fn delete(&mut self, queue: &str, receipt_handle: &str) -> Result<(), WorldError> {
        self.stock(queue).ok_or_else(|| no_queue(queue))?;
        let receipt = Receipt::parse(receipt_handle, queues::name_in(queue));
        let receipt = receipt.ok_or_else(|| WorldError::NoReceipt(receipt_handle.to_owned()))?;
        self.queues.delete(&receipt);
        Ok(())
    }

    /// The messages of a queue, oldest first; empty if the queue does not exist.
    #[must_use]
    pub fn messages(&self, queue: &str, now: Duration) -> Vec<Message> {
        self.stock(queue).map(|stock| stock.messages(now)).unwrap_or_default()
    }

    /// The message counts of a queue; zero if the queue does not exist.
    #[must_use]
    pub fn message_counts(&self, queue: &str, now: Duration) -> MessageCounts {
        self.stock(queue).map(|stock| stock.counts(now)).unwrap_or_default()
    }

    fn stock(&self, queue: &str) -> Option<&Stock> {
        self.queues.get(queues::name_in(queue))
    }
}

fn no_queue(queue: &str) -> WorldError {
    WorldError::NoQueue(queue.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    #[test]
    fn a_message_is_sent_received_and_deleted() {
        let mut world = World::new();
        let queue = world.add_queue(Queue::new("notices"));
        let id = world.send(&queue, "{}", NOW).unwrap();
        assert_eq!(world.message_counts(&queue, NOW), MessageCounts { visible: 1, ..MessageCounts::default() });
        let received = world.receive("notices", 10, NOW).unwrap().remove(0);
        assert_eq!((&received.message.id, received.message.body.as_str()), (&id, "{}"));
        assert_eq!(world.message_counts(&queue, NOW), MessageCounts { in_flight: 1, ..MessageCounts::default() });
        world.delete(&queue, &received.receipt_handle).unwrap();
        assert!(world.messages(&queue, NOW).is_empty());
    }

    #[test]
    fn missing_objects_are_named() {
        let mut world = World::new();
        assert_eq!(world.send("nobody", "{}", NOW).unwrap_err().to_string(), "queue not found: nobody");
        assert!(world.receive("nobody", 1, NOW).is_err());
        world.add_queue(Queue::new("notices"));
        let error = world.delete("notices", "x").unwrap_err();
        assert_eq!(error.to_string(), "x is not a receipt handle of this queue");
    }
}

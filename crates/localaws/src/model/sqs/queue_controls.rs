//! How does a test arrange queues and messages, and see what became of them?
//!
//! A queue goes by its name, its ARN or its URL.

use std::time::Duration;

use crate::call::error::WorldError;
use crate::model::sqs::message::{Message, MessageCounts};
use crate::model::sqs::queue::Queue;
use crate::model::sqs::queues::{self, Received, Stock, Wanted};
use crate::model::sqs::receipt::Receipt;
use crate::model::world::World;

impl World {
    /// Deletes all messages, as `PurgeQueue` does; AWS allows it once a minute.
    pub fn purge(&mut self, queue: &str, now: Duration) -> Result<(), WorldError> {
        let name = queues::name_in(queue).to_owned();
        self.stock(&name).ok_or_else(|| no_queue(queue))?;
        self.queues.purge(&name, now);
        Ok(())
    }

    /// Adds a queue, or gives the one of its name these settings, and gives its ARN.
    pub fn add_queue(&mut self, queue: Queue) -> String {
        let arn = queue.arn();
        self.queues.set(queue, Duration::ZERO);
        arn
    }

    /// The settings of a queue.
    #[must_use]
    pub fn queue(&self, queue: &str) -> Option<&Queue> {
        self.stock(queue).map(|stock| &stock.queue)
    }

    /// Sends a message as `SendMessage` does, but without a check of its body, and gives its id.
    pub fn send(&mut self, queue: &str, body: &str, now: Duration) -> Result<String, WorldError> {
        let sent = self.queues.send(queues::name_in(queue), body, None, now);
        sent.map(|message| message.id).ok_or_else(|| no_queue(queue))
    }

    /// Receives up to so many messages as a long poll does, but does not wait. It is not a call: the log does not show it.
    pub fn receive(&mut self, queue: &str, most: usize, now: Duration) -> Result<Vec<Received>, WorldError> {
        let name = queues::name_in(queue);
        self.stock(queue).ok_or_else(|| no_queue(queue))?;
        Ok(self.queues.receive(name, Wanted { most, hidden: None, short_poll: false }, now))
    }

    /// Deletes the message of a receive, as `DeleteMessage` does. It is not a call: the log does not show it.
    pub fn delete(&mut self, queue: &str, receipt_handle: &str) -> Result<(), WorldError> {
        self.stock(queue).ok_or_else(|| no_queue(queue))?;
        let receipt = Receipt::parse(receipt_handle, queues::name_in(queue));
        let receipt = receipt.ok_or_else(|| WorldError::NoReceipt(receipt_handle.to_owned()))?;
        self.queues.delete(&receipt);
        Ok(())
    }

    /// What is in a queue, the oldest first; nothing if there is no such queue.
    #[must_use]
    pub fn messages(&self, queue: &str, now: Duration) -> Vec<Message> {
        self.stock(queue).map(|stock| stock.messages(now)).unwrap_or_default()
    }

    /// How much is in a queue; nothing if there is no such queue.
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
    fn what_is_sent_is_received_and_deleted() {
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
    fn what_is_not_there_is_named() {
        let mut world = World::new();
        assert_eq!(world.send("nobody", "{}", NOW).unwrap_err().to_string(), "no queue nobody");
        assert!(world.receive("nobody", 1, NOW).is_err());
        world.add_queue(Queue::new("notices"));
        let error = world.delete("notices", "x").unwrap_err();
        assert_eq!(error.to_string(), "x is no receipt handle of this queue");
    }
}

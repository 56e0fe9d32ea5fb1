//! A `ReceiveMessage` that may wait for a message.
//!
//! It is answered at once if a message is visible or the call does not wait; otherwise when a message becomes visible or the
//! wait ends (API reference, `ReceiveMessage`, `WaitTimeSeconds`). The wait follows the world's clock, so that advancing the
//! clock ends it.

use std::ops::ControlFlow;
use std::time::Duration;

use serde_json::json;

use crate::api::sqs::error::no_queue;
use crate::api::sqs::shapes;
use crate::call::action::Api;
use crate::call::error::ApiError;
use crate::model::sqs::queues::Wanted;
use crate::model::world::World;
use crate::protocol::json;

/// The limit of messages in flight per queue (API reference, `OverLimit`).
const MAX_IN_FLIGHT: usize = 120_000;

/// A result, or the latest time at which to try again.
pub(crate) type ReceiveAttempt<T> = ControlFlow<T, Duration>;

/// The answer of a call in JSON, or the poll that will return it.
#[derive(Debug)]
pub(crate) enum PollAnswer {
    Now(String),
    Later(LongPoll),
}

#[derive(Debug, Clone)]
pub(crate) struct LongPoll {
    pub(crate) queue: String,
    pub(crate) wanted: Wanted,
    pub(crate) names: Vec<String>,
    pub(crate) until: Duration,
}

impl LongPoll {
    /// Returns the answer in JSON, or `None` to keep waiting.
    pub(crate) fn try_receive(&self, world: &mut World, now: Duration) -> Result<Option<String>, ApiError> {
        let stock = world.queues.get(&self.queue).ok_or_else(no_queue)?;
        if stock.has_in_flight(MAX_IN_FLIGHT, now) {
            return Err(ApiError::bad("OverLimit", format!("{MAX_IN_FLIGHT} messages are in flight")));
        }
        let received = world.queues.receive(&self.queue, self.wanted, now);
        if received.is_empty() {
            // Without a message, AWS omits the list.
            return Ok((self.until <= now).then(|| "{}".to_owned()));
        }
        let epoch = world.since_1970();
        let shown = received.iter().map(|one| shapes::message(one, &self.names, epoch)).collect::<Vec<_>>();
        json::write(Api::Sqs, &json!({ "Messages": shown })).map(Some)
    }

    /// The latest time at which to try again.
    pub(crate) fn retry_at(&self, world: &World, now: Duration) -> Duration {
        let next = world.queues.get(&self.queue).and_then(|stock| stock.next_visible(now));
        next.map_or(self.until, |next| next.min(self.until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sqs::queue::Queue;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn poll(until: u64) -> LongPoll {
        let wanted = Wanted { max: 10, hidden: None, short_poll: until == 0 };
        LongPoll { queue: "notices".to_owned(), wanted, names: Vec::new(), until: at(until) }
    }

    fn world() -> World {
        let mut world = World::new();
        world.add_queue(Queue::new("notices"));
        world
    }

    #[test]
    fn an_empty_queue_is_polled_until_the_wait_ends() {
        let mut world = world();
        assert_eq!(poll(0).try_receive(&mut world, at(0)).unwrap().as_deref(), Some("{}"));
        assert_eq!(poll(20).try_receive(&mut world, at(19)).unwrap(), None);
        assert_eq!(poll(20).try_receive(&mut world, at(20)).unwrap().as_deref(), Some("{}"));
    }

    #[test]
    fn a_message_ends_the_wait() {
        let mut world = world();
        world.send("notices", "news", at(5)).unwrap();
        assert!(poll(20).try_receive(&mut world, at(5)).unwrap().unwrap().contains("news"));
    }

    #[test]
    fn it_tries_again_when_a_hidden_message_becomes_visible() {
        let mut world = world();
        world.send("notices", "news", at(0)).unwrap();
        world.receive("notices", 1, at(0)).unwrap();
        assert_eq!(poll(20).retry_at(&world, at(15)), at(20));
        assert_eq!(poll(35).retry_at(&world, at(15)), at(30));
        assert_eq!(poll(50).retry_at(&world, at(30)), at(50));
    }
}

//! When is a `ReceiveMessage` answered?
//!
//! At once if there is a message or the call does not wait; else when a message can be received or the wait is over (API
//! reference, `ReceiveMessage`, `WaitTimeSeconds`). The wait is in the world's time: moving its clock on ends it.

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

/// As many messages of a queue can be in flight (API reference, `OverLimit`).
const MOST_IN_FLIGHT: usize = 120_000;

/// What is found, or when to look again at the latest.
pub(crate) type Look<T> = ControlFlow<T, Duration>;

/// What a call comes to.
#[derive(Debug)]
pub(crate) enum Done {
    Now(String),
    Later(Poll),
}

/// A receive that may wait.
#[derive(Debug, Clone)]
pub(crate) struct Poll {
    pub(crate) queue: String,
    pub(crate) wanted: Wanted,
    pub(crate) names: Vec<String>,
    pub(crate) until: Duration,
}

impl Poll {
    /// The answer in JSON, or none while it is to wait.
    pub(crate) fn look(&self, world: &mut World, now: Duration) -> Result<Option<String>, ApiError> {
        let stock = world.queues.get(&self.queue).ok_or_else(no_queue)?;
        if stock.counts(now).in_flight >= MOST_IN_FLIGHT {
            return Err(ApiError::bad("OverLimit", format!("{MOST_IN_FLIGHT} messages are in flight")));
        }
        let received = world.queues.receive(&self.queue, self.wanted, now);
        if received.is_empty() {
            // Without a message the answer has no list, not an empty one.
            return Ok((self.until <= now).then(|| "{}".to_owned()));
        }
        let epoch = world.since_1970();
        let shown = received.iter().map(|one| shapes::message(one, &self.names, epoch)).collect::<Vec<_>>();
        json::write(Api::Sqs, &json!({ "Messages": shown })).map(Some)
    }

    /// When to look again at the latest.
    pub(crate) fn again_at(&self, world: &World, now: Duration) -> Duration {
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

    fn poll(until: u64) -> Poll {
        let wanted = Wanted { most: 10, hidden: None, short_poll: until == 0 };
        Poll { queue: "notices".to_owned(), wanted, names: Vec::new(), until: at(until) }
    }

    fn world() -> World {
        let mut world = World::new();
        world.add_queue(Queue::new("notices"));
        world
    }

    #[test]
    fn an_empty_queue_is_waited_for_until_the_wait_is_over() {
        let mut world = world();
        assert_eq!(poll(0).look(&mut world, at(0)).unwrap().as_deref(), Some("{}"));
        assert_eq!(poll(20).look(&mut world, at(19)).unwrap(), None);
        assert_eq!(poll(20).look(&mut world, at(20)).unwrap().as_deref(), Some("{}"));
    }

    #[test]
    fn a_message_ends_the_wait() {
        let mut world = world();
        world.send("notices", "news", at(5)).unwrap();
        assert!(poll(20).look(&mut world, at(5)).unwrap().unwrap().contains("news"));
    }

    #[test]
    fn it_looks_again_when_a_hidden_message_comes_back() {
        let mut world = world();
        world.send("notices", "news", at(0)).unwrap();
        world.receive("notices", 1, at(0)).unwrap();
        assert_eq!(poll(20).again_at(&world, at(15)), at(20));
        assert_eq!(poll(35).again_at(&world, at(15)), at(30));
        assert_eq!(poll(50).again_at(&world, at(30)), at(50));
    }
}

//! Receives more messages than Lambda delivered while there is work, so that one turn serves every notice of its group.
//!
//! Without a batching window Lambda delivers at most ten messages. With a batching window, a single notice may wait for seconds.
//! A receive in flight is not cancelled, because SQS may already have delivered its messages.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use spotdrain_core::model::arn::QueueArn;
use spotdrain_core::model::limits::MAX_MESSAGES_PER_CALL;
use spotdrain_core::read::batch::{Message, received};
use tracing::warn;

use crate::cloud::{Cloud, ReceivedMessage};
use crate::deadline::later;
use crate::invocation::{Invocation, within};
use crate::shares;

/// The maximum number of receives in flight.
const MAX_RECEIVES: usize = 16;

/// The maximum number of messages in one invocation. They take about 30 MB.
const MAX_MESSAGES: usize = 10_000;

/// The pause after an empty answer or a failure.
const REST: Duration = Duration::from_millis(200);

/// The number of messages within [`STORM`] that make a storm. During a storm, all turns wait for more messages.
const MANY: usize = 8;

/// The number of messages within [`STORM`] from which more are expected. Lambda and SQS may deliver only a few messages at a time
/// although the queue has thousands. A group's turn then waits for more of its notices.
const SEVERAL: usize = 2;

/// The time within which messages count as arriving together.
const STORM: Duration = Duration::from_millis(300);

/// How long a group's turn waits after the first of several notices.
const GATHERING: Duration = Duration::from_millis(300);

/// The same if less than half of the burst of writes is left. At the default rate, two more turns become possible in this time.
const GATHERING_IF_SHORT: Duration = Duration::from_secs(1);

/// After a full batch, turns wait this long for the answer to the first receive, which may have to open its connection.
const FIRST_ANSWER: Duration = Duration::from_millis(500);

/// The longest time that all turns wait for the messages of a storm.
const MAX_GATHERING: Duration = Duration::from_secs(3);

/// The messages that this execution environment received a short time ago: the time of each receive, and the number of its
/// messages.
#[derive(Debug, Default)]
pub(crate) struct Arrivals(VecDeque<(Timestamp, usize)>);

impl Arrivals {
    pub(crate) fn note(&mut self, messages: usize, now: Timestamp) {
        self.0.retain(|(at, _)| later(*at, STORM) > now);
        self.0.push_back((now, messages));
    }

    /// Returns the time from which fewer than `limit` messages will have arrived within [`STORM`], if no more arrive.
    fn fewer_from(&self, limit: usize) -> Option<Timestamp> {
        let mut messages = 0;
        let is_limit = |(_, arrived): &&(Timestamp, usize)| {
            messages += arrived;
            messages >= limit
        };
        self.0.iter().rev().find(is_limit).map(|(at, _)| later(*at, STORM))
    }

    /// Returns the time until which all turns wait, in an invocation that started at `started_at`. Without this wait, the first
    /// notices of a storm would use up the tokens.
    pub(crate) fn all_wait_until(&self, started_at: Timestamp) -> Option<Timestamp> {
        Some(self.fewer_from(MANY)?.min(later(started_at, MAX_GATHERING)))
    }

    /// Returns until when a group's turn waits if its first notice arrives now; `None` if no more are expected: a single notice
    /// never waits. `is_short`: less than half of the burst of writes is left.
    pub(crate) fn group_waits_until(&self, now: Timestamp, is_short: bool) -> Option<Timestamp> {
        self.fewer_from(SEVERAL).filter(|at| *at > now)?;
        Some(later(now, if is_short { GATHERING_IF_SHORT } else { GATHERING }))
    }
}

/// The receives of an invocation.
#[derive(Debug)]
pub(crate) struct Receiving {
    in_flight: usize,
    wanted: usize,
    messages: usize,
    /// Whether more messages are expected: the last answer had some, or Lambda delivered a full batch.
    is_flowing: bool,
    not_before: Timestamp,
    /// The time until which turns wait for the first answer.
    first_answer_by: Option<Timestamp>,
}

impl Receiving {
    /// Starts with the number of messages that Lambda delivered. After a full batch there may be more in the queue.
    pub(crate) fn begin(delivered: usize, has_queue: bool, now: Timestamp) -> Self {
        let is_flowing = has_queue && delivered >= MAX_MESSAGES_PER_CALL;
        let first_answer_by = is_flowing.then(|| later(now, FIRST_ANSWER));
        let wanted = if is_flowing { MAX_RECEIVES } else { 1 };
        Self { in_flight: 0, wanted, messages: delivered, is_flowing, not_before: now, first_answer_by }
    }

    pub(crate) fn first_answer_by(&self) -> Option<Timestamp> {
        self.first_answer_by
    }

    pub(crate) fn is_flowing(&self) -> bool {
        self.is_flowing
    }

    /// Returns whether to start another receive.
    pub(crate) fn wants_more(&self) -> bool {
        let has_room = self.messages + self.in_flight * MAX_MESSAGES_PER_CALL < MAX_MESSAGES;
        self.in_flight < self.wanted && has_room
    }

    /// The time before which no receive is started.
    pub(crate) fn not_before(&self) -> Timestamp {
        self.not_before
    }

    pub(crate) fn started(&mut self) {
        self.in_flight += 1;
    }

    /// Notes the answer to a receive.
    pub(crate) fn ended(&mut self, messages: usize, now: Timestamp) {
        self.in_flight -= 1;
        self.first_answer_by = None;
        self.messages += messages;
        self.is_flowing = messages > 0;
        if self.is_flowing {
            self.wanted = (self.wanted * 2).min(MAX_RECEIVES);
        } else {
            self.wanted = self.wanted.saturating_sub(1).max(1);
            self.not_before = later(now, REST);
        }
    }
}

/// Receives messages once; returns an empty list on failure.
pub(crate) async fn receive<C: Cloud>(invocation: &Invocation<'_, C>, queue: &QueueArn) -> Vec<Message> {
    let cloud = invocation.cloud();
    let limit = shares::RECEIVE.min(invocation.deadline.left(invocation.now()));
    let problem = match within(cloud, limit, cloud.receive(queue)).await {
        Some(Ok(messages)) => return messages.into_iter().map(|message| read(invocation, message)).collect(),
        Some(Err(error)) => error.problem,
        None => format!("no answer within {} ms", limit.as_millis()),
    };
    warn!(queue = queue.as_str(), problem, "a receive failed: messages may stay in the queue for longer");
    Vec::new()
}

fn read<C>(invocation: &Invocation<'_, C>, message: ReceivedMessage) -> Message {
    let sources = &invocation.engine.settings.event_sources;
    received(message.id, message.receipt, &message.body, invocation.queue.as_ref(), sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_groups_turn_waits_if_several_messages_arrived_together() {
        let mut arrivals = Arrivals::default();
        arrivals.note(1, at(0));
        assert_eq!(arrivals.group_waits_until(at(0), false), None, "a single notice never waits");
        arrivals.note(1, at(200));
        assert_eq!(arrivals.group_waits_until(at(200), false), Some(at(500)));
        assert_eq!(arrivals.group_waits_until(at(200), true), Some(at(1200)), "longer if writes are short");
        assert_eq!(arrivals.group_waits_until(at(300), false), None, "the first of the two is no longer recent");
    }

    #[test]
    fn all_turns_wait_while_many_messages_arrive_but_not_longer_than_the_longest_wait() {
        let mut arrivals = Arrivals::default();
        arrivals.note(MANY - 1, at(0));
        assert_eq!(arrivals.all_wait_until(at(0)), None);
        arrivals.note(1, at(200));
        assert_eq!(arrivals.all_wait_until(at(0)), Some(at(300)), "until the first of them are no longer recent");
        arrivals.note(MANY, at(2900));
        assert_eq!(arrivals.all_wait_until(at(0)), Some(at(3000)));
    }

    fn at(milliseconds: u64) -> Timestamp {
        later(Timestamp::UNIX_EPOCH, Duration::from_millis(milliseconds))
    }
}

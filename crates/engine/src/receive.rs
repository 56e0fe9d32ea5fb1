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

/// The number of messages within [`STORM`] that make a storm. During a storm, turns wait for more messages. Lambda and SQS may
/// deliver only a few messages at a time although the queue has thousands.
const STORM_MESSAGES: usize = 2;

/// The time within which [`STORM_MESSAGES`] make a storm.
const STORM: Duration = Duration::from_millis(300);

/// After a full batch, turns wait this long for the answer to the first receive, which may have to open its connection.
const FIRST_ANSWER: Duration = Duration::from_millis(500);

/// The longest time that turns wait for the messages of a storm.
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

    /// Returns when the storm ends if no more messages arrive.
    fn calm_at(&self) -> Option<Timestamp> {
        let mut messages = 0;
        let is_storm = |(_, arrived): &&(Timestamp, usize)| {
            messages += arrived;
            messages >= STORM_MESSAGES
        };
        self.0.iter().rev().find(is_storm).map(|(at, _)| later(*at, STORM))
    }

    /// Returns the time until which turns wait, in an invocation that started at `started_at`. Without this wait, the first
    /// notices of a storm would use up the tokens. A single notice never waits.
    pub(crate) fn gather_until(&self, started_at: Timestamp) -> Option<Timestamp> {
        Some(self.calm_at()?.min(later(started_at, MAX_GATHERING)))
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
    fn two_messages_within_a_short_time_are_a_storm_that_turns_wait_for() {
        let start = Timestamp::UNIX_EPOCH;
        let at = |milliseconds| later(start, Duration::from_millis(milliseconds));
        let mut arrivals = Arrivals::default();
        arrivals.note(1, at(0));
        assert_eq!(arrivals.gather_until(start), None, "a single notice never waits");
        arrivals.note(1, at(200));
        assert_eq!(arrivals.gather_until(start), Some(at(300)), "until the first of the two is no longer recent");
        arrivals.note(10, at(2900));
        assert_eq!(arrivals.gather_until(start), Some(at(3000)), "not longer than the longest wait");
    }
}

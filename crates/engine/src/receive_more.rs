//! Receives what else is in the queue after a batch that came full, so that one plan covers all of it.
//!
//! Lambda delivers at most ten messages without a batching window, and with one a single notice may wait for seconds. So a full
//! batch means that there may be more, and the engine receives it: several long polls side by side, until nothing has come for a
//! short time. A poll that is in flight then is not given up, because SQS may already have handed out its messages: what it
//! brings is handled beside the rest.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>

use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use spotdrain_core::arn::QueueArn;
use spotdrain_core::batch::{Message, received};
use spotdrain_core::limits::MAX_MESSAGES_PER_CALL;
use tracing::{info, warn};

use crate::cloud::{Cloud, ReceivedMessage};
use crate::deadline::Deadline;
use crate::invocation::{Invocation, within};
use crate::shares;

/// Number of long polls kept in flight.
const POLLS: usize = 16;

/// Stop receiving after this long without a message.
const QUIET: Duration = Duration::from_millis(200);

/// The same for the first answer, which has its connection to open.
const FIRST_ANSWER: Duration = Duration::from_millis(500);

/// The most messages that one invocation holds: about 30 MB.
const MAX_MESSAGES: usize = 10_000;

/// The polls that are still in flight.
#[derive(Debug)]
pub(crate) struct Polls<'a>(FuturesUnordered<LocalBoxFuture<'a, Vec<Message>>>);

impl Polls<'_> {
    /// No poll at all.
    pub(crate) fn none() -> Self {
        Self(FuturesUnordered::new())
    }

    /// Waits for the polls, and returns what they bring.
    pub(crate) async fn finish(self) -> Vec<Message> {
        self.0.concat().await
    }
}

/// Adds what else is in the queue to the messages of a batch that came full.
pub(crate) async fn receive_more<'a, C: Cloud>(invocation: &'a Invocation<'_, C>, all: &mut Vec<Message>) -> Polls<'a> {
    let mut polls = Polls::none();
    let is_full = all.len() >= MAX_MESSAGES_PER_CALL;
    let Some(queue) = invocation.queue.as_ref().filter(|_| is_full) else { return polls };
    let poll = || -> LocalBoxFuture<'a, _> { Box::pin(receive(invocation, queue)) };
    let started_at = invocation.now();
    let until = Deadline::after(started_at, shares::RECEIVING.min(invocation.deadline.left(started_at) / 4));
    polls.0.extend((0..POLLS).map(|_| poll()));
    let (mut is_flowing, mut quiet) = (true, FIRST_ANSWER);
    while let Some(Some(messages)) = within(invocation.cloud(), quiet, polls.0.next()).await {
        quiet = QUIET;
        is_flowing &= !messages.is_empty();
        all.extend(messages);
        let has_room = all.len() + polls.0.len() * MAX_MESSAGES_PER_CALL < MAX_MESSAGES;
        if is_flowing && has_room && !until.left(invocation.now()).is_zero() {
            polls.0.push(poll());
        }
    }
    info!(messages = all.len(), "a full batch, and what else was in the queue");
    polls
}

/// One receive; no messages if it fails.
async fn receive<C: Cloud>(invocation: &Invocation<'_, C>, queue: &QueueArn) -> Vec<Message> {
    let cloud = invocation.cloud();
    let limit = shares::RECEIVE.min(invocation.deadline.left(invocation.now()));
    let problem = match within(cloud, limit, cloud.receive(queue)).await {
        Some(Ok(messages)) => return messages.into_iter().map(|message| read(invocation, message)).collect(),
        Some(Err(error)) => error.problem,
        None => format!("no answer within {} ms", limit.as_millis()),
    };
    warn!(queue = queue.as_str(), problem, "a receive failed: only the messages that Lambda delivered are certain");
    Vec::new()
}

fn read<C>(invocation: &Invocation<'_, C>, message: ReceivedMessage) -> Message {
    let sources = &invocation.engine.settings.event_sources;
    received(message.id, message.receipt, &message.body, invocation.queue.as_ref(), sources)
}

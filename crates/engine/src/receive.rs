//! Receives more messages than Lambda delivered, as long as there is work: the plan of a turn then serves every notice that
//! has arrived for its group.
//!
//! Lambda delivers at most ten messages without a batching window, and with one a single notice may wait for seconds. A receive
//! that is in flight is not cancelled, because SQS may already have handed out its messages.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>

use std::time::Duration;

use jiff::Timestamp;
use spotdrain_core::arn::QueueArn;
use spotdrain_core::batch::{Message, received};
use spotdrain_core::limits::MAX_MESSAGES_PER_CALL;
use tracing::warn;

use crate::cloud::{Cloud, ReceivedMessage};
use crate::deadline::later;
use crate::invocation::{Invocation, within};
use crate::shares;

/// The most receives in flight.
const MAX_RECEIVES: usize = 16;

/// The most messages that one invocation holds: about 30 MB.
const MAX_MESSAGES: usize = 10_000;

/// A receive that has no answer for this long after the last one waits for messages that are not there yet.
const QUIET: Duration = Duration::from_millis(200);

/// The same for the first answer, which has its connection to open.
const FIRST_ANSWER: Duration = Duration::from_millis(500);

/// How long the first turn of a storm waits for the rest of the storm.
const MAX_GATHERING: Duration = Duration::from_secs(3);

/// The receives of an invocation.
#[derive(Debug)]
pub(crate) struct Receiving {
    in_flight: usize,
    wanted: usize,
    messages: usize,
    /// The last batch had messages, and the first was full.
    is_flowing: bool,
    /// After an answer without messages, and after a failure, nothing is received before.
    not_before: Timestamp,
    /// While receives come back full no turn is taken: its write would serve the first notices of a storm alone.
    gathering: Option<Gathering>,
}

#[derive(Debug)]
struct Gathering {
    began_at: Timestamp,
    quiet_at: Timestamp,
}

impl Receiving {
    /// Begins with the messages that Lambda delivered. A full batch means that there may be more.
    pub(crate) fn begin(delivered: usize, has_queue: bool, now: Timestamp) -> Self {
        let is_full = has_queue && delivered >= MAX_MESSAGES_PER_CALL;
        let gathering = is_full.then(|| Gathering { began_at: now, quiet_at: later(now, FIRST_ANSWER) });
        Self {
            in_flight: 0,
            wanted: if is_full { MAX_RECEIVES } else { 1 },
            messages: delivered,
            is_flowing: is_full,
            not_before: now,
            gathering,
        }
    }

    /// Whether another receive is wanted.
    pub(crate) fn wants_more(&self) -> bool {
        let has_room = self.messages + self.in_flight * MAX_MESSAGES_PER_CALL < MAX_MESSAGES;
        self.in_flight < self.wanted && has_room
    }

    /// The time before which none is started.
    pub(crate) fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Counts a receive that is started.
    pub(crate) fn started(&mut self) {
        self.in_flight += 1;
    }

    /// Notes the answer to a receive.
    pub(crate) fn ended(&mut self, messages: usize, now: Timestamp) {
        self.in_flight -= 1;
        self.messages += messages;
        self.is_flowing = messages > 0;
        if messages == 0 {
            self.not_before = later(now, QUIET);
        }
        let is_full = messages >= MAX_MESSAGES_PER_CALL;
        self.wanted = match messages {
            0 => self.wanted.saturating_sub(1).max(1),
            _ if is_full => (self.wanted * 2).min(MAX_RECEIVES),
            _ => self.wanted,
        };
        self.gathering = self.gathering.take().filter(|_| is_full);
        if let Some(gathering) = &mut self.gathering {
            gathering.quiet_at = later(now, QUIET);
        }
    }

    /// Whether more messages are expected without a reason to wait for them.
    pub(crate) fn is_flowing(&self) -> bool {
        self.is_flowing
    }

    /// Until when no turn is taken; `None` if turns may be taken now.
    pub(crate) fn gathers_until(&mut self, now: Timestamp) -> Option<Timestamp> {
        let gathering = self.gathering.as_ref()?;
        let until = gathering.quiet_at.min(later(gathering.began_at, MAX_GATHERING));
        if until <= now {
            self.gathering = None;
        }
        (until > now).then_some(until)
    }
}

/// One receive; no messages if it fails.
pub(crate) async fn receive<C: Cloud>(invocation: &Invocation<'_, C>, queue: &QueueArn) -> Vec<Message> {
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

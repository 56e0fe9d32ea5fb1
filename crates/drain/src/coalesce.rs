//! Is there more in the queue? Then one plan for all of it.
//!
//! Lambda delivers ten messages at most without a batching window, and with one a single notice may wait for seconds. So a
//! full batch means that there may be more, and the function receives it itself: several long polls side by side, until for a
//! short time nothing came. A poll that is under way then is not given up, because SQS may already have handed its messages
//! out: what it brings is handled beside the rest.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>

use std::time::{Duration, Instant};

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use spotdrain_core::batch::{Batch, Message};
use spotdrain_core::settings::Settings;
use tokio::sync::watch;
use tracing::info;

use crate::clock::Deadline;
use crate::queue::{MOST_A_CALL, Queue};

/// As many polls are under way.
const SIDE_BY_SIDE: usize = 16;

/// When for so long nothing came, what is there is handled.
const QUIET: Duration = Duration::from_millis(200);

/// The first answer has its connection to open.
const FIRST_ANSWER: Duration = Duration::from_millis(500);

/// And after so long in any case: the notices that are there get older.
const LONGEST: Duration = Duration::from_secs(3);

/// What a sandbox holds at most: about 30 MB of it.
const MOST_MESSAGES: usize = 10_000;

type Polls<'a> = FuturesUnordered<LocalBoxFuture<'a, Option<Vec<Message>>>>;

/// The polls that are still under way.
#[derive(Debug)]
pub(crate) struct Rest<'a> {
    polls: Polls<'a>,
    /// Tells that they are over: what is given back before would come to them.
    is_over: watch::Sender<bool>,
}

impl<'a> Rest<'a> {
    fn new(polls: Polls<'a>) -> Self {
        Self { polls, is_over: watch::Sender::new(false) }
    }

    /// Hears that they are over.
    pub(crate) fn over(&self) -> watch::Receiver<bool> {
        self.is_over.subscribe()
    }

    /// Waits for them, and gives what they bring.
    pub(crate) async fn end(self, like: Batch) -> Batch {
        let messages = self.polls.filter_map(|messages| async { messages }).concat().await;
        self.is_over.send_replace(true);
        Batch { messages, ..like }
    }
}

/// Adds what else is in the queue to a batch that came full.
pub(crate) async fn coalesce<'a>(
    queue: Option<&'a Queue>,
    batch: &mut Batch,
    settings: &'a Settings,
    deadline: Deadline,
) -> Rest<'a> {
    let mut polls = Polls::new();
    let Some(queue) = queue.filter(|_| batch.messages.len() >= MOST_A_CALL) else { return Rest::new(polls) };
    let poll = || -> LocalBoxFuture<'a, _> { Box::pin(queue.receive(&settings.event_sources, deadline)) };
    let until = Instant::now() + LONGEST.min(deadline.left() / 4);
    polls.extend((0..SIDE_BY_SIDE).map(|_| poll()));
    let (mut is_flowing, mut quiet) = (true, FIRST_ANSWER);
    while let Ok(Some(answer)) = tokio::time::timeout(quiet, polls.next()).await {
        let came = answer.unwrap_or_default();
        quiet = QUIET;
        is_flowing &= !came.is_empty();
        batch.messages.extend(came);
        let has_room = batch.messages.len() + polls.len() * MOST_A_CALL < MOST_MESSAGES;
        if is_flowing && has_room && Instant::now() < until {
            polls.push(poll());
        }
    }
    info!(messages = batch.messages.len(), "a full batch, and what else was in the queue");
    Rest::new(polls)
}

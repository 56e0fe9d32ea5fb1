//! What is a message of a queue, and can it be received now?
//!
//! Stored, in flight, or delayed: the developer guide's *Amazon SQS visibility timeout* and *delay queues*.

use std::time::Duration;

/// A message, as it is in its queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id, which it keeps in a dead-letter queue.
    pub id: String,
    /// What was sent.
    pub body: String,
    /// When it was sent, since the world's start. It keeps this in a dead-letter queue.
    pub sent_at: Duration,
    /// How often it was received, over all queues that it was in.
    pub receive_count: u32,
    /// When it was received first.
    pub first_received_at: Option<Duration>,
    /// When it was received last, in the queue that it is in.
    pub received_at: Option<Duration>,
    /// From when on it can be received.
    pub visible_at: Duration,
    /// The ARN of the queue that it came from, if it is in a dead-letter queue.
    pub dead_letter_source: Option<String>,
    /// How often it was received in the queue that it is in.
    pub(crate) received_here: u32,
}

/// Whether a message can be received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageState {
    /// It was sent with a delay that is not over.
    Delayed,
    /// It can be received.
    Visible,
    /// It was received, is not deleted, and its visibility timeout is not over.
    InFlight,
}

/// How many messages of a queue are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MessageCounts {
    /// `ApproximateNumberOfMessages`
    pub visible: usize,
    /// `ApproximateNumberOfMessagesNotVisible`
    pub in_flight: usize,
    /// `ApproximateNumberOfMessagesDelayed`
    pub delayed: usize,
}

impl Message {
    pub(crate) fn new(number: u64, body: &str, delay: Duration, now: Duration) -> Self {
        Self {
            id: id(number),
            body: body.to_owned(),
            sent_at: now,
            receive_count: 0,
            first_received_at: None,
            received_at: None,
            visible_at: now.saturating_add(delay),
            dead_letter_source: None,
            received_here: 0,
        }
    }

    /// Its state at a time.
    #[must_use]
    pub fn state(&self, now: Duration) -> MessageState {
        match (self.visible_at <= now, self.received_at) {
            (true, _) => MessageState::Visible,
            (false, Some(_)) => MessageState::InFlight,
            (false, None) => MessageState::Delayed,
        }
    }

    /// Counts a receive, and hides the message for this long.
    pub(crate) fn receive(&mut self, hidden: Duration, now: Duration) {
        self.receive_count = self.receive_count.saturating_add(1);
        self.received_here = self.received_here.saturating_add(1);
        self.first_received_at.get_or_insert(now);
        self.received_at = Some(now);
        self.visible_at = now.saturating_add(hidden);
    }

    /// The message as it comes to a dead-letter queue: it can be received at once.
    pub(crate) fn moved_from(self, queue: String, now: Duration) -> Self {
        Self { received_at: None, received_here: 0, visible_at: now, dead_letter_source: Some(queue), ..self }
    }
}

impl MessageCounts {
    pub(crate) fn add(mut self, state: MessageState) -> Self {
        match state {
            MessageState::Delayed => self.delayed += 1,
            MessageState::Visible => self.visible += 1,
            MessageState::InFlight => self.in_flight += 1,
        }
        self
    }
}

/// An id in AWS's form that is the same at every run.
pub(crate) fn id(number: u64) -> String {
    format!("00000000-0000-4000-9000-{number:012x}")
}

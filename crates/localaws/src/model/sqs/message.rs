//! A message of a queue, and its state (SQS developer guide, *Amazon SQS visibility timeout* and *delay queues*).

use std::time::Duration;

/// A message in its queue. Times are since the world's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The id, which it keeps in a dead-letter queue.
    pub id: String,
    pub body: String,
    /// The sending time, which it keeps in a dead-letter queue.
    pub sent_at: Duration,
    /// The number of receives, in all queues.
    pub receive_count: u32,
    pub first_received_at: Option<Duration>,
    /// The last receive in the present queue.
    pub received_at: Option<Duration>,
    /// When it becomes visible.
    pub visible_at: Duration,
    /// In a dead-letter queue, the ARN of the source queue.
    pub dead_letter_source: Option<String>,
    /// The number of receives in the present queue.
    pub(crate) received_here: u32,
}

/// The state of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageState {
    /// Its delay has not passed.
    Delayed,
    /// It can be received.
    Visible,
    /// It was received, and its visibility timeout has not passed.
    InFlight,
}

/// The number of messages in each state.
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

    #[must_use]
    pub fn state(&self, now: Duration) -> MessageState {
        match (self.visible_at <= now, self.received_at) {
            (true, _) => MessageState::Visible,
            (false, Some(_)) => MessageState::InFlight,
            (false, None) => MessageState::Delayed,
        }
    }

    /// Counts a receive, and hides the message for `hidden`.
    pub(crate) fn receive(&mut self, hidden: Duration, now: Duration) {
        self.receive_count = self.receive_count.saturating_add(1);
        self.received_here = self.received_here.saturating_add(1);
        self.first_received_at.get_or_insert(now);
        self.received_at = Some(now);
        self.visible_at = now.saturating_add(hidden);
    }

    /// The message after its move to a dead-letter queue: visible at once.
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

/// An id in AWS's format, the same in every run.
pub(crate) fn id(number: u64) -> String {
    format!("00000000-0000-4000-9000-{number:012x}")
}

//! What is an SQS standard queue, before a message is in it?
//!
//! Limits and defaults are those of the API's `CreateQueue` (botocore, `sqs`, 2012-11-05). FIFO queues, encryption and access
//! policies are not played.

use std::time::Duration;

use crate::location;

/// `MaximumMessageSize` cannot be more, and is this where nothing is said: 1 MiB.
pub(crate) const LARGEST_MESSAGE: usize = 1_048_576;

/// A queue. Its ARN and its URL follow from the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Up to 80 letters, digits, hyphens and underscores.
    pub name: String,
    /// How long a message that was received is hidden from others: 30 s by default.
    pub visibility_timeout: Duration,
    /// How long a message that is sent waits before it can be received: none by default.
    pub delay: Duration,
    /// How long a call of `ReceiveMessage` waits that does not say: not at all by default.
    pub receive_wait: Duration,
    /// How long a message is kept, from when it was sent: four days by default.
    pub retention: Duration,
    /// The largest message in bytes: 1 MiB by default.
    pub largest_message: usize,
    /// Where messages go that come back too often.
    pub redrive: Option<Redrive>,
    /// As many messages a short poll can see at most, as it may ask only some of AWS's servers: all by default. With none it
    /// is always answered with nothing.
    pub short_poll_sees: Option<usize>,
}

/// A queue's `RedrivePolicy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// The dead-letter queue's ARN.
    pub dead_letter_target: String,
    /// A message that would be received once more than this goes there.
    pub max_receive_count: u32,
}

impl Queue {
    /// A queue with AWS's defaults.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            visibility_timeout: Duration::from_secs(30),
            delay: Duration::ZERO,
            receive_wait: Duration::ZERO,
            retention: Duration::from_hours(96),
            largest_message: LARGEST_MESSAGE,
            redrive: None,
            short_poll_sees: None,
        }
    }

    /// With this visibility timeout.
    #[must_use]
    pub fn visibility_timeout(self, timeout: Duration) -> Self {
        Self { visibility_timeout: timeout, ..self }
    }

    /// With a delay before a message can be received.
    #[must_use]
    pub fn delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// With a dead-letter queue, by its name, for messages that were received this often.
    #[must_use]
    pub fn dead_letter_queue(self, name: &str, max_receive_count: u32) -> Self {
        let redrive = Redrive { dead_letter_target: location::queue_arn(name), max_receive_count };
        Self { redrive: Some(redrive), ..self }
    }

    /// With short polls that see only so many messages.
    #[must_use]
    pub fn short_poll_sees(self, messages: usize) -> Self {
        Self { short_poll_sees: Some(messages), ..self }
    }

    /// The queue's ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        location::queue_arn(&self.name)
    }
}

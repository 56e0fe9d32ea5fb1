//! The settings of an SQS standard queue.
//!
//! Defaults are those of the API's `CreateQueue` (botocore, `sqs`, 2012-11-05). FIFO queues, encryption and access policies
//! are not simulated.

use std::time::Duration;

use crate::location;

/// A queue. Its ARN and its URL follow from the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Up to 80 letters, digits, hyphens and underscores.
    pub name: String,
    /// How long a received message is hidden from other consumers; by default 30 s.
    pub visibility_timeout: Duration,
    /// How long a new message is hidden; by default not at all.
    pub delay: Duration,
    /// How long a `ReceiveMessage` without `WaitTimeSeconds` waits; by default not at all.
    pub receive_wait: Duration,
    /// How long a message is kept after it was sent; by default four days.
    pub retention: Duration,
    /// The queue to which messages that were received too often are moved.
    pub redrive: Option<Redrive>,
    /// The maximum number of messages that a short poll sees, because it may query only some of AWS's servers. `None` means
    /// all; `Some(0)` makes every short poll empty.
    pub short_poll_sees: Option<usize>,
}

/// A queue's `RedrivePolicy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// The dead-letter queue's ARN.
    pub dead_letter_target: String,
    /// A message that was received this often is moved at the next receive.
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
            redrive: None,
            short_poll_sees: None,
        }
    }

    #[must_use]
    pub fn visibility_timeout(self, timeout: Duration) -> Self {
        Self { visibility_timeout: timeout, ..self }
    }

    #[must_use]
    pub fn delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// Sets the dead-letter queue by name.
    #[must_use]
    pub fn dead_letter_queue(self, name: &str, max_receive_count: u32) -> Self {
        let redrive = Redrive { dead_letter_target: location::queue_arn(name), max_receive_count };
        Self { redrive: Some(redrive), ..self }
    }

    #[must_use]
    pub fn short_poll_sees(self, messages: usize) -> Self {
        Self { short_poll_sees: Some(messages), ..self }
    }

    #[must_use]
    pub fn arn(&self) -> String {
        location::queue_arn(&self.name)
    }
}

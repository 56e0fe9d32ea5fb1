//! Which receive does a receipt handle stand for?
//!
//! A handle belongs to one receive of one message of one queue (developer guide, *Amazon SQS queue and message identifiers*).
//! AWS's are opaque; these can be read: queue, number of the message, number of the receive.

use std::fmt;

use crate::model::sqs::message;

const PREFIX: &str = "AQEB";

/// What a receipt handle says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) queue: String,
    pub(crate) message: u64,
    pub(crate) receive: u32,
}

impl Receipt {
    /// Reads a handle, or gives none for what was never one of this queue.
    pub(crate) fn parse(handle: &str, queue: &str) -> Option<Self> {
        let mut parts = handle.strip_prefix(PREFIX)?.split('/');
        let (of, message, receive) = (parts.next()?, parts.next()?, parts.next()?);
        let read = Self { queue: of.to_owned(), message: message.parse().ok()?, receive: receive.parse().ok()? };
        (of == queue && parts.next().is_none()).then_some(read)
    }

    pub(crate) fn message_id(&self) -> String {
        message::id(self.message)
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}/{}/{}", self.queue, self.message, self.receive)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_read_as_it_was_written_and_only_by_its_queue() {
        let receipt = Receipt { queue: "notices".to_owned(), message: 7, receive: 2 };
        let handle = receipt.to_string();
        assert_eq!(Receipt::parse(&handle, "notices"), Some(receipt));
        for (handle, queue) in [(handle.as_str(), "other"), ("", "notices"), ("AQEBnotices/7", "notices")] {
            assert_eq!(Receipt::parse(handle, queue), None);
        }
    }
}

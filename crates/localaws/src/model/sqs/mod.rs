//! Standard queues and their messages.

pub(crate) mod message;
pub(crate) mod messages;
pub(crate) mod queue;
pub(crate) mod queue_controls;
pub(crate) mod queues;
pub(crate) mod receipt;
pub(crate) mod waker;

//! The queue that the notices come from: receiving more than Lambda delivered, and deleting or returning what was handled.

mod acknowledge;
mod receive_more;

pub(crate) use acknowledge::acknowledge;
pub(crate) use receive_more::{Polls, receive_more};

//! Lambda's event source mapping: batches of a queue's messages, settled by a function's answer.

pub(crate) mod batch_answer;
pub(crate) mod poller;

//! Simple Queue Service, standard queues only.

pub(crate) mod attributes;
pub(crate) mod batch;
pub(crate) mod error;
pub(crate) mod long_poll;
pub(crate) mod message_calls;
pub(crate) mod requests;
pub(crate) mod shapes;

pub(crate) use requests::SqsRequest;

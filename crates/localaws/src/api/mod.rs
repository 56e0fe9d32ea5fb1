//! Each API: reads the requests, runs them on the model and writes the answers.

pub(crate) mod ecs;
pub(crate) mod elb;
pub(crate) mod iam;
pub(crate) mod lambda_and_events;
pub(crate) mod sns;
pub(crate) mod sqs;

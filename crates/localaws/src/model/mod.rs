//! The simulated account: pure state and rules, with the time as an argument.

pub(crate) mod canned;
pub(crate) mod ecs;
pub(crate) mod elb;
pub(crate) mod scene;
pub(crate) mod sqs;
pub(crate) mod world;
pub(crate) mod world_file;
pub(crate) mod world_file_value;

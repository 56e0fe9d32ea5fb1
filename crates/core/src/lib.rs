//! The pure decisions of spotdrain: what an event means, which registrations an interrupted task has, what is to be done
//! about each, and what became of it.
//!
//! Nothing here waits, reads a clock or the environment, or knows the AWS SDK: time, settings and AWS's answers are arguments.
//! [`batch`] reads the messages, [`event`] one event, [`fate`] classifies it, [`finding`] holds AWS's answers, [`mod@plan`] decides,
//! [`outcome`] is what became of each registration, and [`report`] and [`metrics`] put it into words. [`limits`] has AWS's numbers.

pub mod arn;
pub mod batch;
pub mod candidates;
pub mod decide;
mod envelope;
pub mod event;
pub mod finding;
pub mod json;
pub mod last_healthy;
pub mod limits;
pub mod memory;
pub mod metrics;
pub mod notice;
pub mod outcome;
pub mod pace;
pub mod plan;
pub mod progress;
pub mod report;
pub mod settings;
pub mod settlement;
pub mod stop;

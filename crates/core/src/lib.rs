//! The pure decisions of spotdrain: what an event means, which registrations an interrupted task has, what is to be done
//! about each, and what became of it.
//!
//! Nothing here waits, reads a clock or the environment, or knows the AWS SDK: time, settings and what AWS said are
//! arguments. The way of the data is the order of the modules: [`batch`] takes the messages apart, [`event`] reads one,
//! [`fate`] judges it, [`finding`] holds what AWS said, [`mod@plan`] decides, [`outcome`] says what became of each
//! registration, [`report`] and [`metrics`] tell it. [`doctor`] judges the settings of services before any of it happens.

pub mod address;
pub mod aftermath;
pub mod arn;
pub mod batch;
pub mod candidates;
pub mod decide;
pub mod doctor;
pub mod event;
pub mod fate;
pub mod finding;
pub mod glob;
pub mod going;
mod grouping;
mod hold;
pub mod json;
pub mod memory;
pub mod metrics;
pub mod notice;
mod object;
pub mod outcome;
pub mod pace;
pub mod pattern;
pub mod plan;
pub mod reading;
pub mod report;
pub mod schedule;
pub mod settings;
pub mod settlement;
pub mod stop;
pub mod target;
mod view;
mod wire;

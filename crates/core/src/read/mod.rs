//! From bytes to notices: the payload, its messages, their events, and what each event means for us.

pub mod batch;
pub mod classify;
pub mod departing;
mod envelope;
pub mod event;
pub mod json;
mod loose;
pub mod memory;
mod task_platform;

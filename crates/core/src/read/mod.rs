//! From bytes to notices: the payload, its messages, their events, and what each event means for us.

pub mod batch;
pub mod classify;
pub mod departing;
mod envelope;
pub mod event;
pub mod json;
pub mod memory;

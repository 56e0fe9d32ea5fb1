//! The tables, snapshots and properties of the pure decisions.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unnecessary_wraps,
    clippy::disallowed_methods,
    reason = "a test stops at the first thing that is wrong"
)]

mod bad_input;
mod disposition;
mod history;
mod hold;
mod last_healthy;
mod ownership;
mod planning;
mod progress;
mod reporting;
mod samples;
mod scenario;
mod schema;
mod target_groups;

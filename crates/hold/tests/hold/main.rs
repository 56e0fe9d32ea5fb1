//! The hold: its rules, its count of connections, and the binary as a process.
//!
//! The processes are real, and so is their clock: signals, samples and timeouts take their time. A test waits for a log line
//! or an exit where there is one, and sleeps where nothing may happen.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failed assumption fails the test"
)]

mod commands;
mod common;
mod counting;
mod documents;
mod health;
mod holding;
mod image;
mod laws;
mod metadata;
mod process;
mod rules;

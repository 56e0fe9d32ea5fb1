//! The command line as a process.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a failed assumption fails the test"
)]

mod cases;
#[path = "../common/command.rs"]
mod command;
mod commands;
mod conventions;
mod drill;
mod measured;
mod probe;
mod schemas;
mod simulate;
mod trust;
#[path = "../../../core/tests/core/schema/validator.rs"]
mod validator;

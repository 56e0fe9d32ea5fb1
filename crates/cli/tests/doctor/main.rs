//! `spotdrain doctor` as a process, for templates and for a deployment in the local AWS.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failed assumption fails the test"
)]

#[path = "../common/command.rs"]
mod command;
mod delivery;
mod deployed;
mod linter;
mod managed;
mod output;
mod pace;
mod refused;
mod role;
mod settings;

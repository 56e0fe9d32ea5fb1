//! `spotdrain doctor` as a process: of templates, and of what is deployed in the local AWS.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test stops where something is not as it should be"
)]

#[path = "../common/command.rs"]
mod command;
mod delivery;
mod deployed;
mod linter;
mod output;
mod pace;
mod refused;
mod role;
mod settings;

//! The doctor over models made by hand and over templates.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failed assumption fails the test"
)]

mod cases;
mod deployed;
mod examination;
mod faults;
mod held;
mod inputs;
mod limits;
mod mutants;
mod open;
mod pages;
mod plan;
mod same_service;
mod sarif_rules;
mod suppressions;
mod udp;

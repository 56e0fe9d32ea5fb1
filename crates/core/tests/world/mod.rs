//! A simulated world of ECS services, target groups, events, a queue and an API that fails, and the laws that hold in it.
//! What it models and what its bounds are: `docs/world.md`. Pure and seeded: time is an argument, and nothing sleeps.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::must_use_candidate,
    clippy::missing_panics_doc,
    clippy::await_holding_refcell_ref,
    reason = "a test's helper: it stops where something is not as it should be"
)]

mod api;
pub mod bounds;
mod call;
mod dice;
mod events;
mod execution;
mod fleet;
mod frozen;
pub mod history;
mod invocation;
pub mod laws;
mod life;
mod mail;
mod queue;
mod runs;
mod sandbox;
pub mod tally;
mod time;
#[expect(clippy::module_inception, reason = "the world is in the world")]
mod world;

pub use runs::{Failed, replay, run_all};

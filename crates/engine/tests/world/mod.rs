//! A simulated world of ECS services, target groups, events, a queue and an API that fails, and the laws that hold in it for
//! the engine. What it models and what its bounds are: `docs/world.md`. Pure and seeded: no thread sleeps, and time is simulated.
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
    reason = "a test helper: it panics where an assumption of its own fails"
)]

mod bounds;
mod delivery;
mod dice;
mod environment;
mod fleet;
mod frozen;
mod history;
pub mod laws;
mod life;
mod runs;
mod setup;
pub mod tally;
mod time;
#[expect(clippy::module_inception, reason = "the state of the world is the world")]
mod world;
mod write;

pub use runs::{Failed, Histories, replay, run_all};

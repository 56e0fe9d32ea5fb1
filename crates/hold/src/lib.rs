//! `spotdrain-hold`: a container's first process, which keeps the application serving after the stop signal.
//!
//! The decisions are pure: [`rules`] maps a state, an input and the time to a new state and a list of actions, and
//! [`connections::counter`] turns the kernel's numbers into what the rules look at. [`hold`] is the loop around them;
//! everything else is input and output, and none of it blocks.
//!
//! `main.rs` starts the parts. `process` starts the application, forwards signals and reaps; `connections` reads the kernel's
//! tables; `health` checks the application and answers the load balancer; `commands` runs `--on-stop` and `--quiet-command`;
//! `log` writes one JSON line for each step. A new setting is a row in `settings/options.rs`, which the help text and
//! `docs/hold.md` follow.

pub mod commands;
pub mod connections;
pub mod health;
pub mod hold;
pub mod http;
pub mod log;
pub mod metadata;
pub mod process;
pub mod rules;
pub mod settings;

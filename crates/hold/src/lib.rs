//! `spotdrain-hold`: a container's first process, which keeps the application serving after the stop signal.
//!
//! The decisions are pure: [`rules`] maps a state, an input and the time to a new state and a list of actions, and
//! [`connections::counter`] turns the kernel's numbers into what the rules look at. [`hold`] is the loop around them;
//! everything else is input and output, and none of it blocks.

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

//! `spotdrain-hold`: a container's first process, which keeps the application serving after the stop signal.
//!
//! The rules are pure: [`step`] takes a state, an input and the time, and gives the new state and what is to be done.
//! [`tally`] makes of the kernel's numbers what the rules look at. The rest is the shell around them, and [`hold`] its loop.

pub mod check;
pub mod checker;
pub mod child;
pub mod endpoint;
pub mod health;
pub mod hold;
pub mod kernel;
pub mod line;
pub mod log;
pub mod options;
pub mod probe;
pub mod settings;
pub mod signal;
pub mod signals;
pub mod socket;
pub mod step;
pub mod tally;
pub mod terminal;
pub mod times;
pub mod visitor;

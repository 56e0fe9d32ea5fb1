//! `spotdrain-hold`: a container's first process, which keeps the application serving after the stop signal.
//!
//! The rules are pure: [`step`] takes a state, an input and the time, and gives the new state and what is to be done.
//! [`tally`] makes of the kernel's numbers what the rules look at.

pub mod check;
pub mod health;
pub mod line;
pub mod options;
pub mod settings;
pub mod signal;
pub mod socket;
pub mod step;
pub mod tally;
pub mod times;

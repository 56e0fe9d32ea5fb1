//! The application's process, and the signals that reach it through the hold.

pub mod child;
pub mod signal;
pub mod signals;
pub mod terminal;

//! The clients: they open connections at a fixed rate, and each connection gets an outcome.

pub(crate) mod client;
pub(crate) mod connection;
pub(crate) mod frontend;
pub(crate) mod outcome;
pub(crate) mod traffic;

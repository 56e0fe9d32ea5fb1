//! Target groups and their targets.

pub(crate) mod group;
pub(crate) mod health;
pub(crate) mod network;
pub(crate) mod target;
pub(crate) mod targets;

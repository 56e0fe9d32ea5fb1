//! Reads the doctor's model from the resources of templates.

pub(crate) mod balancing;
pub(crate) mod capacity;
pub(crate) mod controllers;
pub(crate) mod delivery;
pub(crate) mod function;
pub(crate) mod groups;
pub(crate) mod network;
pub(crate) mod policy;
pub(crate) mod queue;
pub(crate) mod scaling;
pub(crate) mod services;
pub(crate) mod tasks;

//! What the doctor examines.

pub mod delivery;
pub mod group;
pub mod placement;
pub mod root;
pub mod service;
pub mod setting;
pub mod subject;

//! Services, their revisions, and tasks.

pub(crate) mod described;
pub(crate) mod foreign;
pub(crate) mod revision;
pub(crate) mod service;
pub(crate) mod task;

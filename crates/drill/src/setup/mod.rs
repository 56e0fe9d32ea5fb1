//! What a drill runs, with what, and where.

pub(crate) mod isolation;
pub(crate) mod plan;
pub(crate) mod programs;
pub(crate) mod scenario;

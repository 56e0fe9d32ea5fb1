//! The service: its tasks as processes, its targets on the local AWS, and the interruption of both.

pub(crate) mod cloud;
pub(crate) mod interruption;
pub(crate) mod task;
pub(crate) mod task_output;

//! The nouns: tasks, notices, services, target groups and targets, and the outcome of each registration.

pub mod arn;
pub mod limits;
pub mod notice;
pub mod observed;
pub mod outcome;
pub mod task_change;
pub mod task_platform;
pub mod task_status;

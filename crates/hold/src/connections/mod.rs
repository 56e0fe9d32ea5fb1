//! Is the application still in use? What the kernel knows about this network namespace's connections.

pub mod counter;
pub mod kernel;
pub mod socket;

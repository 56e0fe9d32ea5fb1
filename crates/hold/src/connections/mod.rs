//! Is the application still in use? What the kernel knows about this network namespace's connections and datagrams.

pub mod counter;
pub mod half_closed;
pub mod kernel;
pub mod socket;

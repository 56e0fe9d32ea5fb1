//! The function against a local AWS: in this process, and as Lambda runs it, a process under a Runtime API.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a failed assumption fails the test"
)]

mod coalescing;
mod common;
mod draining;
mod faults;
mod held;
mod invocations;
mod preconnecting;
mod thaw;
mod turns;
mod uncertain;

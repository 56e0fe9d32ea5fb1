//! The function against a local AWS, in this process and as a process under a Runtime API, as Lambda runs it.
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
mod failed_calls;
mod faults;
mod held;
mod invocations;
mod late_notices;
mod locating;
mod message;
mod preconnecting;
mod thaw;
mod turns;
mod uncertain;

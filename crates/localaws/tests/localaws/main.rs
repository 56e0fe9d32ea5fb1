//! The local AWS from outside: through the Rust SDK, the `aws` command and plain HTTP. One binary, because linking the SDK
//! takes long.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "the helpers of a test fail as the test does"
)]

mod common;

mod aws_cli;
mod control;
mod faults;
mod revisions;
mod sdk;
mod sqs;
mod stand_ins;
mod tls;
mod world_files;

//! `spotdrain`, the command line. This only wires.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    spotdrain::cli::run().await.into()
}

//! `spotdrain-lambda`, the function.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    spotdrain_function::run().await
}

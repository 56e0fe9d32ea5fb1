//! The shipped function, built again for the tests and benches of this package.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    spotdrain_function::run().await
}

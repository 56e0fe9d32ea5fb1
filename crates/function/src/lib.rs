//! The Lambda function: [`spotdrain_engine`] over the AWS SDK.
//!
//! `lambda` turns an invocation into an answer. `aws` implements the engine's `Cloud`, in a file for each AWS service;
//! `connection` is the HTTP client below it. `log` and `emit` write the records and metrics. Everything that is decided is in
//! the engine and the core: a new call is a method of `Cloud`, implemented in `aws/cloud.rs` and the service's file.

mod aws;
mod connection;
mod emit;
pub mod lambda;
pub mod log;

use std::process::ExitCode;

use anyhow::Context as _;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::value::RawValue;
use spotdrain_core::settings::Settings;
use spotdrain_engine::Engine;
use tracing::error;

pub use aws::{Aws, AwsCloud, call_error, chain, error_code, task_addresses};
pub use connection::TlsError;

/// The function on the AWS SDK.
pub type Function = Engine<AwsCloud>;

/// Creates the function with these clients and settings.
#[must_use]
pub fn function(aws: Aws, settings: Settings) -> Function {
    Engine::new(AwsCloud::new(aws, settings.clone()), settings)
}

/// Returns the environment variables. A variable that is not Unicode is converted, so that an invalid setting is reported by
/// name.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
}

/// Printed if the function is started outside Lambda.
const BY_HAND: &str = "\
spotdrain-lambda is the AWS Lambda function of spotdrain. It waits for events from Lambda's Runtime API, whose address Lambda
passes in AWS_LAMBDA_RUNTIME_API; that variable is not set here.
  try it without AWS:               spotdrain demo
  handle one event from a file:     spotdrain plan EVENT, then spotdrain drain EVENT
  run it under AWS's own emulator:  docs/operations.md
  deploy it:                        docs/deploy.md
";

/// Runs the function until Lambda ends its execution environment. Returns exit code 64 if it cannot start.
pub async fn run() -> ExitCode {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none_or(|address| address.is_empty()) {
        _ = std::io::Write::write_all(&mut std::io::stderr(), BY_HAND.as_bytes());
        return ExitCode::from(64);
    }
    if let Err(problem) = log::start() {
        _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{problem}\n").as_bytes());
        return ExitCode::from(64);
    }
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            error!(problem = format!("{problem:#}"), "the function cannot start");
            ExitCode::from(64)
        }
    }
}

async fn serve() -> anyhow::Result<()> {
    let settings = Settings::read(environment()).context("invalid settings")?;
    let aws = Aws::from_environment(None).await.context("cannot create the AWS clients")?;
    let function = &function(aws, settings);
    let handler = service_fn(|event: LambdaEvent<Box<RawValue>>| lambda::invoke(function, event));
    lambda_runtime::run(handler).await.map_err(|error| anyhow::anyhow!(error))
}

//! The Lambda function: [`spotdrain_engine`] over the AWS SDK.
//!
//! `aws` implements the engine's `Cloud`, a file for each call; `connection` is the HTTP client below it, which opens its
//! connections ahead; `lambda` turns an invocation into an answer; `log` and `emit` write the records and metrics.

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

pub use aws::{Aws, AwsCloud, call_error, chain, error_code};
pub use connection::TlsError;

/// The function on the AWS SDK.
pub type Function = Engine<AwsCloud>;

/// The function with these clients and settings.
#[must_use]
pub fn function(aws: Aws, settings: Settings) -> Function {
    Engine::new(AwsCloud::new(aws, settings.clone()), settings)
}

/// The environment's variables. One that is not Unicode is kept in a readable form, so that a setting of it is refused with its
/// name.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
}

/// What a person reads who starts the function by hand.
const BY_HAND: &str = "\
spotdrain-lambda is the AWS Lambda function of spotdrain. It waits for events from Lambda's Runtime API, whose address Lambda
passes in AWS_LAMBDA_RUNTIME_API; that variable is not set here.
  see it work, without AWS:         spotdrain demo
  handle one event from a file:     spotdrain plan EVENT, then spotdrain drain EVENT
  run it under AWS's own emulator:  docs/operations.md
  deploy it:                        docs/deploy.md
";

/// Runs the function until Lambda ends its execution environment. Exit code 64 means that it could not start.
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
            error!(problem = format!("{problem:#}"), "the function does not start");
            ExitCode::from(64)
        }
    }
}

async fn serve() -> anyhow::Result<()> {
    let settings = Settings::read(environment()).context("the settings are wrong")?;
    let aws = Aws::from_environment(None).await.context("AWS cannot be called")?;
    let function = &function(aws, settings);
    let handler = service_fn(|event: LambdaEvent<Box<RawValue>>| lambda::invoke(function, event));
    lambda_runtime::run(handler).await.map_err(|error| anyhow::anyhow!(error))
}

//! `spotdrain-lambda`, the function. This only wires: settings, clients, log, and the runtime.

use std::process::ExitCode;

use anyhow::Context as _;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::value::RawValue;
use spotdrain::{Aws, Drainer, environment, lambda, log};
use spotdrain_core::settings::Settings;
use tracing::error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    if let Err(problem) = log::start() {
        _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{problem}\n").as_bytes());
        return ExitCode::from(64);
    }
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            error!(problem = format!("{problem:#}"), "the function does not start");
            ExitCode::from(64)
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let settings = Settings::read(environment()).context("the settings are wrong")?;
    let aws = Aws::from_environment(None).await.context("AWS cannot be called")?;
    let drainer = Drainer::new(aws, settings);
    let drainer = &drainer;
    let handler = service_fn(|event: LambdaEvent<Box<RawValue>>| lambda::invoke(drainer, event));
    lambda_runtime::run(handler).await.map_err(|error| anyhow::anyhow!(error))
}

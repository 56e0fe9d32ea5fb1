//! `spotdrain plan` and `spotdrain drain`: the function's work, by hand.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use spotdrain_core::batch::Batch;
use spotdrain_engine::Deadline;
use spotdrain_function::{Aws, environment, function};

use super::args::DrainArgs;
use super::exit::{Exit, Problem};
use super::{input, show};

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Tell what would be done.
    Plan,
    /// Do it.
    Drain,
}

pub(crate) async fn run(args: &DrainArgs, act: Act) -> Result<Exit, Problem> {
    let mut settings = args.settings.read(environment())?;
    let batch = input::read(&args.event, &settings)?;
    if args.event.restamp && !is_elsewhere() {
        // No notice is fresh: ECS is always asked whose the address is.
        settings.fresh = SignedDuration::from_secs(-1);
    }
    let aws = Aws::from_environment(region(&batch)).await.map_err(|error| Problem::Configuration(error.to_string()))?;
    let function = function(aws, settings);
    let deadline = Deadline::after(Timestamp::now(), Duration::from_secs(args.timeout));
    let report = match act {
        Act::Plan => function.dry_run(batch, deadline).await,
        Act::Drain => function.drain(batch, deadline).await,
    };
    let shown = if args.event.json { show::json(&report) } else { show::report(&report) };
    shown?;
    Ok(Exit::of(&report))
}

/// Whether the calls go to a stand-in for AWS. On AWS itself an event that only looks as if it came now may be of a task
/// that is long gone, whose address is another's.
fn is_elsewhere() -> bool {
    std::env::var_os("AWS_ENDPOINT_URL").is_some_and(|endpoint| !endpoint.is_empty())
}

/// The Region of the first task: where the configuration names none, there is only this one to ask.
fn region(batch: &Batch) -> Option<String> {
    let events = batch.messages.iter().filter_map(|message| message.event.as_ref().ok());
    events.filter_map(|event| event.change.as_ref()).map(|change| change.arn.region().to_owned()).next()
}

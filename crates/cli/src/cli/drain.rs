//! `spotdrain plan` and `spotdrain drain`: what the function does, run by hand.

use std::io::Write as _;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use spotdrain_core::read::batch::Batch;
use spotdrain_core::report::{Report, Verdict};
use spotdrain_engine::Deadline;
use spotdrain_function::{environment, function};

use super::args::DrainArgs;
use super::connect::{AwsConnection, Caller, Needs, connect};
use super::exit::{CliError, Exit};
use super::output::style::CAREFUL;
use super::{input, output};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DrainCommand {
    /// Shows what would be done.
    Plan,
    /// Does it.
    Drain,
}

/// The version of the JSON: `docs/schema/drain-1.json`.
const SCHEMA: &str = "spotdrain-drain-1";

/// The report as JSON, with the command and whether it was a dry run.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    schema: &'static str,
    command: DrainCommand,
    dry_run: bool,
    #[serde(flatten)]
    report: &'a Report,
}

pub(crate) async fn run(args: &DrainArgs, command: DrainCommand) -> Result<Exit, CliError> {
    let mut settings = args.settings.read(environment())?;
    let batch = input::read(&args.event, &settings)?;
    if args.event.restamp && !has_custom_endpoint() {
        // Treat no notice as fresh: the task of a restamped event may be long gone, and another may have its address.
        // With a negative age ECS is always asked.
        settings.fresh = SignedDuration::from_secs(-1);
    }
    let needs = if settings.discover { Needs::Ecs } else { Needs::Elb };
    let AwsConnection { aws, caller } = Box::pin(connect(&args.aws, region(&batch), needs)).await?;
    let function = function(aws, settings);
    let deadline = Deadline::after(Timestamp::now(), Duration::from_secs(args.timeout));
    let report = match command {
        DrainCommand::Plan => function.dry_run(batch, deadline).await,
        DrainCommand::Drain => function.drain(batch, deadline).await,
    };
    if args.event.json {
        let dry_run = command == DrainCommand::Plan;
        output::json(&Shown { schema: SCHEMA, command, dry_run, report: &report })?;
    } else {
        output::report::print(&report, command)?;
    }
    note_caller(&report, &caller);
    Ok(Exit::of(&report))
}

/// Prints the credentials if anything failed: most failures come from the wrong account, Region or profile.
pub(crate) fn note_caller(report: &Report, caller: &Caller) {
    let failed = report.notices.iter().any(|notice| notice.failures().next().is_some());
    if failed || report.verdict == Verdict::Retry {
        // Ignore the error: standard error may have no reader.
        _ = writeln!(anstream::stderr(), "{CAREFUL}note:{CAREFUL:#} AWS was called with {caller}");
    }
}

/// Returns whether the calls go to a simulated AWS.
fn has_custom_endpoint() -> bool {
    std::env::var_os("AWS_ENDPOINT_URL").is_some_and(|endpoint| !endpoint.is_empty())
}

/// Returns the Region of the first task, used if the configuration sets none.
fn region(batch: &Batch) -> Option<String> {
    let events = batch.messages.iter().filter_map(|message| message.event.as_ref().ok());
    events.filter_map(|event| event.change.as_ref()).map(|change| change.arn.region().to_owned()).next()
}

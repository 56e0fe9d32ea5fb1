//! `spotdrain plan` and `spotdrain drain`: the function's work, by hand.

use std::io::Write as _;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use spotdrain_core::read::batch::Batch;
use spotdrain_core::report::{Report, Verdict};
use spotdrain_engine::Deadline;
use spotdrain_function::{environment, function};

use super::args::DrainArgs;
use super::connect::{Caller, Connection, Needs, connect};
use super::exit::{Exit, Problem};
use super::present::CAREFUL;
use super::{input, show};

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Act {
    /// Show what would be done.
    Plan,
    /// Do it.
    Drain,
}

/// A report for programs, which says whether anything was done.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    command: Act,
    dry_run: bool,
    #[serde(flatten)]
    report: &'a Report,
}

pub(crate) async fn run(args: &DrainArgs, act: Act) -> Result<Exit, Problem> {
    let mut settings = args.settings.read(environment())?;
    let batch = input::read(&args.event, &settings)?;
    if args.event.restamp && !is_elsewhere() {
        // No notice is fresh: ECS is always asked whose the address is.
        settings.fresh = SignedDuration::from_secs(-1);
    }
    let needs = if settings.discover { Needs::Ecs } else { Needs::Elb };
    let Connection { aws, caller } = Box::pin(connect(&args.aws, region(&batch), needs)).await?;
    let function = function(aws, settings);
    let deadline = Deadline::after(Timestamp::now(), Duration::from_secs(args.timeout));
    let report = match act {
        Act::Plan => function.dry_run(batch, deadline).await,
        Act::Drain => function.drain(batch, deadline).await,
    };
    if args.event.json {
        show::json(&Shown { command: act, dry_run: act == Act::Plan, report: &report })?;
    } else {
        show::report(&report, act)?;
    }
    name_caller(&report, &caller);
    Ok(Exit::of(&report))
}

/// Most failures of a person's call come from the wrong account, Region or profile, so these are named.
pub(crate) fn name_caller(report: &Report, caller: &Caller) {
    let failed = report.notices.iter().any(|notice| notice.failures().next().is_some());
    if failed || report.verdict == Verdict::Retry {
        // Nobody may be there to read it.
        _ = writeln!(anstream::stderr(), "{CAREFUL}note:{CAREFUL:#} AWS was called with {caller}");
    }
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

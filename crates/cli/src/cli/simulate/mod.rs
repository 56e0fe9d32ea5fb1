//! `spotdrain simulate`: the notice of a running task, to look at, to send, or to handle here.

mod act;
mod ask;
mod event;
mod find;

use std::io::Write as _;

use super::args::SimulateArgs;
use super::connect::{Connection, Needs, connect};
use super::exit::{Exit, Problem};
use super::present::{BOLD, QUIET, now};
use super::show::{broken, json};

/// What is to be done with the event.
#[derive(Debug, Clone, Copy)]
enum Way<'a> {
    /// Print it.
    Print,
    /// Send it to a bus.
    Bus(&'a str),
    /// Invoke a function with it.
    Invoke(&'a str),
    /// Handle it here.
    Here,
}

pub(crate) async fn run(args: &SimulateArgs) -> Result<Exit, Problem> {
    let connection = Box::pin(connect(&args.aws, None, Needs::Ecs)).await?;
    let Connection { aws, caller } = &connection;
    let task = find::task(aws, &args.cluster, &args.task).await;
    let task = task.map_err(|problem| Problem::Failed(format!("{problem} ({caller})")))?;
    let way = way(args);
    let source = if matches!(way, Way::Bus(_)) { &args.source } else { "aws.ecs" };
    let event = event::notice(&task, source, now()).map_err(Problem::Failed)?;
    if matches!(way, Way::Print) {
        json(&event)?;
        return Ok(Exit::Done);
    }
    if !args.for_real {
        return act::dry_run(args, &connection, way, &event).await;
    }
    if !args.yes && !ask::is_sure(&task, way)? {
        print_line("nothing was done")?;
        return Ok(Exit::Done);
    }
    act::act(args, &connection, way, &event).await
}

fn way(args: &SimulateArgs) -> Way<'_> {
    match (&args.bus, &args.invoke) {
        (Some(bus), _) => Way::Bus(bus),
        (None, Some(function)) => Way::Invoke(function),
        (None, None) if args.here => Way::Here,
        (None, None) => Way::Print,
    }
}

impl Way<'_> {
    /// What it does, for a person.
    fn described(self) -> String {
        match self {
            Self::Print => "print the event".to_owned(),
            Self::Bus(bus) => format!("send the event to bus {bus}"),
            Self::Invoke(function) => format!("invoke function {function} with the event"),
            Self::Here => "handle the event here".to_owned(),
        }
    }
}

fn print_line(text: &str) -> Result<(), Problem> {
    writeln!(anstream::stdout(), "{text}").map_err(|error| broken(&error))
}

/// What was not done, and how to do it.
fn print_dry_run(way: Way<'_>) -> Result<(), Problem> {
    print_line(&format!("{BOLD}dry run{BOLD:#}: would {} {QUIET}(--for-real does it){QUIET:#}", way.described()))
}

//! `spotdrain simulate`: the notice of a running task, printed, sent, or handled in this process.

mod event;
mod send;

use std::io::Write as _;

use aws_sdk_ecs::types::Task;
use spotdrain_core::model::arn::last_segment;
use spotdrain_function::Aws;

use super::args::SimulateArgs;
use super::connect::{AwsConnection, Needs, connect};
use super::exit::{CliError, Exit};
use super::output::style::{BOLD, CAREFUL, QUIET, now};
use super::output::{confirm, json, write_error};
use crate::read_account::{PacedClient, read_task};

/// What to do with the event.
#[derive(Debug, Clone, Copy)]
enum SendMode<'a> {
    Print,
    /// Send it to this EventBridge bus.
    Bus(&'a str),
    /// Invoke this function with it.
    Invoke(&'a str),
    /// Handle it in this process.
    Here,
}

pub(crate) async fn run(args: &SimulateArgs) -> Result<Exit, CliError> {
    let connection = Box::pin(connect(&args.aws, None, Needs::Ecs)).await?;
    let AwsConnection { aws, caller } = &connection;
    let task = running_task(aws, &args.cluster, &args.task).await;
    let task = task.map_err(|problem| CliError::Failed(format!("{problem} ({caller})")))?;
    let mode = mode(args);
    let source = if matches!(mode, SendMode::Bus(_)) { &args.source } else { "aws.ecs" };
    let event = event::notice(&task, source, now()).map_err(CliError::Failed)?;
    if matches!(mode, SendMode::Print) {
        json(&event)?;
        return Ok(Exit::Done);
    }
    if !args.for_real {
        return send::dry_run(args, &connection, mode, &event).await;
    }
    if !args.yes && !confirm(&question(&task, mode))? {
        print_line("nothing was done")?;
        return Ok(Exit::Done);
    }
    send::send(args, &connection, mode, &event).await
}

fn mode(args: &SimulateArgs) -> SendMode<'_> {
    match (&args.bus, &args.invoke) {
        (Some(bus), _) => SendMode::Bus(bus),
        (None, Some(function)) => SendMode::Invoke(function),
        (None, None) if args.here => SendMode::Here,
        (None, None) => SendMode::Print,
    }
}

impl SendMode<'_> {
    fn description(self) -> String {
        match self {
            Self::Print => "print the event".to_owned(),
            Self::Bus(bus) => format!("send the event to bus {bus}"),
            Self::Invoke(function) => format!("invoke function {function} with the event"),
            Self::Here => "handle the event here".to_owned(),
        }
    }
}

/// Returns the task with this id or ARN. It is an error if the task is not running.
async fn running_task(aws: &Aws, cluster: &str, id: &str) -> Result<Task, String> {
    let task = read_task(&PacedClient::new(aws), cluster, id).await?;
    match task.last_status() {
        Some("RUNNING") => Ok(task),
        other => Err(format!(
            "task {id} is {}, and only a running task gets a notice",
            other.unwrap_or("in no known status")
        )),
    }
}

fn question(task: &Task, mode: SendMode<'_>) -> String {
    let id = task.task_arn().map(last_segment).unwrap_or_default();
    let group = task.group().unwrap_or("no service");
    format!(
        "{CAREFUL}This will {}{CAREFUL:#}: task {id} of {group} is removed from its target groups and keeps running. \
         Type yes to continue: ",
        mode.description()
    )
}

fn print_line(text: &str) -> Result<(), CliError> {
    writeln!(anstream::stdout(), "{text}").map_err(|error| write_error(&error))
}

fn print_dry_run(mode: SendMode<'_>) -> Result<(), CliError> {
    print_line(&format!("{BOLD}dry run{BOLD:#}: would {} {QUIET}(--for-real does it){QUIET:#}", mode.description()))
}

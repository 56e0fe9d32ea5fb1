//! Sends or handles the event, or shows what that would do.

use std::time::Duration;

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_lambda::primitives::Blob;
use jiff::Timestamp;
use serde_json::Value;
use spotdrain_core::model::outcome::Outcome;
use spotdrain_core::read::batch::parse_payload;
use spotdrain_core::report::Report;
use spotdrain_engine::Deadline;
use spotdrain_function::{Aws, chain, environment, function};

use super::{SendMode, print_dry_run, print_line};
use crate::cli::args::SimulateArgs;
use crate::cli::connect::AwsConnection;
use crate::cli::drain::{DrainCommand, note_caller};
use crate::cli::exit::{CliError, Exit};
use crate::cli::output;
use crate::read_account::attempt_once;

/// How long handling the event may take, here or in the invoked function.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Prints the event, or the plan that it would lead to.
pub(crate) async fn dry_run(
    args: &SimulateArgs,
    connection: &AwsConnection,
    mode: SendMode<'_>,
    event: &Value,
) -> Result<Exit, CliError> {
    let exit = if matches!(mode, SendMode::Here) {
        let report = here(args, connection, event, false).await?;
        output::report::print(&report, DrainCommand::Plan)?;
        Exit::of(&report)
    } else {
        output::json(event)?;
        Exit::Done
    };
    print_dry_run(mode)?;
    Ok(exit)
}

/// Sends the event to the bus or the function, or handles it here.
pub(crate) async fn send(
    args: &SimulateArgs,
    connection: &AwsConnection,
    mode: SendMode<'_>,
    event: &Value,
) -> Result<Exit, CliError> {
    let failed = |problem: String| CliError::Failed(format!("{problem} ({})", connection.caller));
    match mode {
        SendMode::Print => output::json(event)?,
        SendMode::Bus(bus) => print_line(&put(&connection.aws, bus, event).await.map_err(failed)?)?,
        SendMode::Invoke(function) => print_line(&invoke(&connection.aws, function, event).await.map_err(failed)?)?,
        SendMode::Here => {
            let report = here(args, connection, event, true).await?;
            output::report::print(&report, DrainCommand::Drain)?;
            print_undo(&report)?;
            return Ok(Exit::of(&report));
        }
    }
    Ok(Exit::Done)
}

async fn here(
    args: &SimulateArgs,
    connection: &AwsConnection,
    event: &Value,
    for_real: bool,
) -> Result<Report, CliError> {
    let settings = args.settings.read(environment())?;
    let batch = parse_payload(event.to_string().as_bytes(), &settings.event_sources);
    let batch = batch.map_err(|error| CliError::Failed(error.to_string()))?;
    let function = function(connection.aws.clone(), settings);
    let deadline = Deadline::after(Timestamp::now(), TIMEOUT);
    let report = if for_real { function.drain(batch, deadline).await } else { function.dry_run(batch, deadline).await };
    note_caller(&report, &connection.caller);
    Ok(report)
}

/// Prints how to register the targets again, because the task keeps running.
fn print_undo(report: &Report) -> Result<(), CliError> {
    let rows = report.notices.iter().flat_map(|notice| &notice.registrations);
    for row in rows.filter(|row| row.outcome == Outcome::Deregistered) {
        let port = row.port.map(|port| format!(",Port={port}")).unwrap_or_default();
        print_line(&format!(
            "to register it again: aws elbv2 register-targets --target-group-arn {} --targets Id={}{port}",
            row.target_group, row.target
        ))?;
    }
    Ok(())
}

async fn put(aws: &Aws, bus: &str, event: &Value) -> Result<String, String> {
    let text = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let resource = event.pointer("/resources/0").and_then(Value::as_str).unwrap_or_default();
    let entry = PutEventsRequestEntry::builder()
        .event_bus_name(bus)
        .source(text("source"))
        .detail_type(text("detail-type"))
        .resources(resource)
        .detail(event.get("detail").map(Value::to_string).unwrap_or_default())
        .build();
    let request = aws_sdk_eventbridge::Client::new(aws.config()).put_events().entries(entry);
    let answer = attempt_once(|| request.clone().send()).await;
    let answer = answer.map_err(|(_, error)| format!("PutEvents: {}", error.problem))?;
    let refused = answer
        .entries()
        .iter()
        .find_map(|entry| Some((entry.error_code()?, entry.error_message().unwrap_or_default())));
    match refused {
        Some((code, message)) => Err(format!("PutEvents: {code}: {message}")),
        None => Ok(format!(
            "sent to bus {bus}; the function's log gets a record of the task if its rule and SPOTDRAIN_EVENT_SOURCES accept the source {}",
            text("source")
        )),
    }
}

async fn invoke(aws: &Aws, function: &str, event: &Value) -> Result<String, String> {
    let request = aws_sdk_lambda::Client::new(aws.config())
        .invoke()
        .function_name(function)
        .payload(Blob::new(event.to_string()));
    let answer = tokio::time::timeout(TIMEOUT, request.send()).await;
    let answer = answer.map_err(|_| format!("Invoke: no answer within {} s", TIMEOUT.as_secs()))?;
    let answer = answer.map_err(|error| format!("Invoke: {}", chain(&error)))?;
    let payload = answer.payload().map(|blob| String::from_utf8_lossy(blob.as_ref()).into_owned()).unwrap_or_default();
    match answer.function_error() {
        Some(kind) => Err(format!("the function failed ({kind}): {payload}")),
        None => Ok(format!("the function answered {payload}; its log has a record of the task")),
    }
}

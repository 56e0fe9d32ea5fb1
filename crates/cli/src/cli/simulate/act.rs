//! What is done with the event, or shown instead.

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

use super::{Way, print_dry_run, print_line};
use crate::cli::args::SimulateArgs;
use crate::cli::connect::Connection;
use crate::cli::drain::{Act, name_caller};
use crate::cli::exit::{Exit, Problem};
use crate::cli::show;
use crate::look::attempt_once;

/// How long it may take to handle the event here.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Shows what would be done.
pub(crate) async fn dry_run(
    args: &SimulateArgs,
    connection: &Connection,
    way: Way<'_>,
    event: &Value,
) -> Result<Exit, Problem> {
    let exit = if matches!(way, Way::Here) {
        let report = here(args, connection, event, false).await?;
        show::report(&report, Act::Plan)?;
        Exit::of(&report)
    } else {
        show::json(event)?;
        Exit::Done
    };
    print_dry_run(way)?;
    Ok(exit)
}

/// Does it.
pub(crate) async fn act(
    args: &SimulateArgs,
    connection: &Connection,
    way: Way<'_>,
    event: &Value,
) -> Result<Exit, Problem> {
    let failed = |problem: String| Problem::Failed(format!("{problem} ({})", connection.caller));
    match way {
        Way::Print => show::json(event)?,
        Way::Bus(bus) => print_line(&put(&connection.aws, bus, event).await.map_err(failed)?)?,
        Way::Invoke(function) => print_line(&invoke(&connection.aws, function, event).await.map_err(failed)?)?,
        Way::Here => {
            let report = here(args, connection, event, true).await?;
            show::report(&report, Act::Drain)?;
            undo(&report)?;
            return Ok(Exit::of(&report));
        }
    }
    Ok(Exit::Done)
}

async fn here(args: &SimulateArgs, connection: &Connection, event: &Value, for_real: bool) -> Result<Report, Problem> {
    let settings = args.settings.read(environment())?;
    let batch = parse_payload(event.to_string().as_bytes(), &settings.event_sources);
    let batch = batch.map_err(|error| Problem::Failed(error.to_string()))?;
    let function = function(connection.aws.clone(), settings);
    let deadline = Deadline::after(Timestamp::now(), TIMEOUT);
    let report = if for_real { function.drain(batch, deadline).await } else { function.dry_run(batch, deadline).await };
    name_caller(&report, &connection.caller);
    Ok(report)
}

/// The task goes on, so its target can come back.
fn undo(report: &Report) -> Result<(), Problem> {
    let rows = report.notices.iter().flat_map(|notice| &notice.registrations);
    for row in rows.filter(|row| row.outcome == Outcome::Deregistered) {
        let port = row.port.map(|port| format!(",Port={port}")).unwrap_or_default();
        print_line(&format!(
            "to bring it back: aws elbv2 register-targets --target-group-arn {} --targets Id={}{port}",
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
            "sent to bus {bus}; the function's log gets a record of the task if its rule and SPOTDRAIN_EVENT_SOURCES have the source {}",
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

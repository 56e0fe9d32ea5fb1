//! `spotdrain explain`: how an event is read, and why it is a notice or not. Makes no AWS calls.

use std::io::Write as _;
use std::net::IpAddr;

use anstyle::Style;
use jiff::Timestamp;
use serde::Serialize;
use spotdrain_core::model::arn::TaskArn;
use spotdrain_core::model::notice::{Ignored, Notice};
use spotdrain_core::model::task_change::TaskChange;
use spotdrain_core::model::task_status::{RecognisedBy, StopCode};
use spotdrain_core::read::classify::{Classification, classify};
use spotdrain_core::read::event::Event;
use spotdrain_core::read::json::EventError;
use spotdrain_core::read::memory::Memory;
use spotdrain_core::settings::Settings;

use super::args::ExplainArgs;
use super::exit::{CliError, Exit};
use super::output::style::{BOLD, GOOD, QUIET, duration, ignored, moment, now};
use super::output::table::{Cell, Table, plain};
use super::{input, output};

#[derive(Debug, Serialize)]
struct Explanation<'a> {
    event_id: &'a str,
    task: Option<&'a TaskArn>,
    fate: &'static str,
    reason: Option<Ignored>,
    addresses: &'a [IpAddr],
    stop_code: Option<&'a StopCode>,
    version: Option<u64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [String],
}

pub(crate) fn run(args: &ExplainArgs) -> Result<Exit, CliError> {
    let settings = args.settings.read(spotdrain_function::environment())?;
    let batch = input::read(&args.event, &settings)?;
    let mut events = Vec::new();
    let mut errors = Vec::new();
    for message in classify(batch.messages, &settings, &mut Memory::new(), now()) {
        match message.event {
            Ok(event) => events.push(event),
            Err(error) => errors.push(error),
        }
    }
    if args.event.json {
        let explanations: Vec<_> = events.iter().map(|(event, fate)| explanation(event, fate)).collect();
        output::json(&explanations)?;
    } else {
        show_events(&events, &settings)?;
    }
    malformed(&input::name(&args.event), &errors)
}

fn malformed(file: &str, errors: &[EventError]) -> Result<Exit, CliError> {
    if errors.is_empty() {
        return Ok(Exit::Done);
    }
    let lines: Vec<_> = errors.iter().map(|error| format!("{file}, {error}")).collect();
    Err(CliError::Event(lines.join("\n       ")))
}

fn explanation<'a>(event: &'a Event, fate: &Classification) -> Explanation<'a> {
    let change = event.change.as_ref();
    let (fate, reason) = match fate {
        Classification::Notice(_) => ("notice", None),
        Classification::Ignored(reason) => ("ignored", Some(*reason)),
    };
    Explanation {
        event_id: &event.id,
        task: change.map(|change| &change.arn),
        fate,
        reason,
        addresses: change.map_or(&[], |change| &change.addresses),
        stop_code: change.and_then(|change| change.stop_code.as_ref()),
        version: change.and_then(|change| change.version),
        warnings: change.map_or(&[], |change| &change.warnings),
    }
}

fn show_events(events: &[(Event, Classification)], settings: &Settings) -> Result<(), CliError> {
    let mut text = String::new();
    for (event, fate) in events {
        text += &format!(
            "{BOLD}event {}{BOLD:#}, {} from {}\n{}",
            event.id,
            event.detail_type,
            event.source,
            rows(event, fate, settings)
        );
    }
    if events.is_empty() {
        text += "the input has no event\n";
    }
    write!(anstream::stdout(), "{text}").map_err(|error| output::write_error(&error))
}

fn rows(event: &Event, fate: &Classification, settings: &Settings) -> Table {
    let mut table = Table::plain(2);
    let mut row = |name: &str, cell: Cell| table.row([(name.to_owned(), QUIET), cell]);
    match fate {
        Classification::Notice(notice) => row("fate", (format!("notice, {}", recognised(notice)), GOOD)),
        Classification::Ignored(reason) => {
            row("fate", (format!("ignored, {}: {}", reason.as_str(), ignored(*reason)), Style::new()));
        }
    }
    if let Some(change) = &event.change {
        for (name, text) in change_rows(change) {
            row(name, plain(text));
        }
    }
    if let Classification::Notice(notice) = fate {
        for (name, text) in notice_rows(notice, settings) {
            row(name, plain(text));
        }
    }
    table
}

fn recognised(notice: &Notice) -> &'static str {
    match notice.recognised_by {
        RecognisedBy::StopCode => "a Spot interruption by its stop code",
        RecognisedBy::Reason => "a Spot interruption by its reason; its stop code is absent or new",
    }
}

fn change_rows(change: &TaskChange) -> Vec<(&'static str, String)> {
    let service = change.service.as_ref().map_or("no service".to_owned(), |service| format!("service {service}"));
    let version = change.version.map_or("no version".to_owned(), |version| format!("version {version}"));
    let addresses: Vec<_> = change.addresses.iter().map(ToString::to_string).collect();
    let none = || "none".to_owned();
    let mut rows = vec![
        ("task", format!("{}, {service}, cluster {}", change.arn.id(), change.cluster.name())),
        ("status", format!("{}, desired {}, {version}", change.last_status, change.desired_status)),
        ("stop code", change.stop_code.as_ref().map_or_else(none, ToString::to_string)),
        ("reason", change.stopped_reason.clone().unwrap_or_else(none)),
        ("addresses", if addresses.is_empty() { none() } else { addresses.join(", ") }),
    ];
    rows.extend(change.warnings.iter().map(|warning| ("warning", warning.clone())));
    rows
}

fn notice_rows(notice: &Notice, settings: &Settings) -> Vec<(&'static str, String)> {
    let now = Timestamp::now();
    let age = match notice.age(now) {
        Some(age) => format!("{} ago", duration(age)),
        None => "in the future".to_owned(),
    };
    let mut next = Vec::new();
    if notice.needs_address() {
        next.push("asks ECS for the task's addresses, because the event has none".to_owned());
    } else if notice.needs_ownership(now, settings.fresh) {
        next.push("asks ECS whether the task still has its addresses, because it is old or past RUNNING".to_owned());
    }
    next.push(match (notice.task.service.as_ref(), settings.discover, settings.target_groups.len()) {
        (Some(service), true, 0) => format!("searches the target groups of service {service}"),
        (Some(service), true, more) => {
            format!("searches the target groups of service {service} and {more} configured ones")
        }
        (_, _, 0) => "has no target group to search: the task has no service, and no group is configured".to_owned(),
        (_, _, count) => format!("searches the {count} configured target groups"),
    });
    vec![
        ("interrupted", format!("{}, {age}", moment(notice.interrupted_at()))),
        ("gone by", moment(notice.deadline())),
        ("next", next.join("; ")),
    ]
}

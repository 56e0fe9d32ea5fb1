//! A report as text.

use std::io::Write as _;

use anstyle::Style;
use jiff::SignedDuration;
use spotdrain_core::model::observed::Target;
use spotdrain_core::model::outcome::{NoTargetGroup, Outcome};
use spotdrain_core::report::{NoticeRecord, RegistrationRecord, Report, Verdict};
use spotdrain_core::settings::Mode;

use super::style::{BAD, BOLD, CAREFUL, QUIET, duration, ignored, moment, outcome_style, verdict};
use super::table::{Cell, Table, plain};
use super::write_error;
use crate::cli::drain::DrainCommand;
use crate::cli::exit::CliError;

/// Prints the report.
pub(crate) fn print(report: &Report, command: DrainCommand) -> Result<(), CliError> {
    let mut text = String::new();
    for notice in &report.notices {
        text += &notice_text(notice);
    }
    for event in &report.ignored {
        let task = event.task.as_ref().map_or(event.event_id.as_str(), |task| task.id());
        text += &format!("{QUIET}ignored {task}{QUIET:#}: {}, {}\n", event.reason.as_str(), ignored(event.reason));
    }
    for message in &report.malformed {
        let id = message.message_id.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
        text += &format!("{BAD}unreadable message{id}{BAD:#}: {}\n", message.error);
    }
    text += &ending(report, command);
    write!(anstream::stdout(), "{text}").map_err(|error| write_error(&error))
}

/// Returns the last line: the verdict, or what a plan would do.
fn ending(report: &Report, command: DrainCommand) -> String {
    let (word, style) = verdict(report.verdict);
    let rows = report.notices.iter().flat_map(|notice| &notice.registrations);
    let would = rows.filter(|row| row.outcome == Outcome::WouldDeregister).count();
    let dry = if command == DrainCommand::Plan { "dry run" } else { "mode observe" };
    match (command, report.verdict, would) {
        (DrainCommand::Plan, Verdict::Done | Verdict::Nothing, would) => {
            let targets = if would == 1 { "target" } else { "targets" };
            format!("{BOLD}plan{BOLD:#} {would} {targets} would be deregistered ({dry}: nothing was changed)\n")
        }
        (DrainCommand::Plan, ..) => {
            format!("{BOLD}plan{BOLD:#} {style}{word}{style:#} ({dry}: nothing was changed)\n")
        }
        (DrainCommand::Drain, _, 0) => format!("{BOLD}verdict{BOLD:#} {style}{word}{style:#}\n"),
        (DrainCommand::Drain, ..) => {
            format!("{BOLD}verdict{BOLD:#} {style}{word}{style:#} ({dry}: {would} planned, not deregistered)\n")
        }
    }
}

fn notice_text(notice: &NoticeRecord) -> String {
    let task = &notice.notice.task;
    let service = task.service.as_ref().map_or("no service".to_owned(), |service| format!("service {service}"));
    let age = notice
        .notice_age_ms
        .map_or("dated in the future".to_owned(), |age| format!("{} old", duration(SignedDuration::from_millis(age))));
    let id = task.arn.id();
    let cluster = task.cluster.name();
    let mut text = format!("{BOLD}notice {id}{BOLD:#}, {service}, cluster {cluster}\n");
    text += &format!("  {age}, gone by {}{}\n", moment(notice.deadline), observing(notice));
    for warning in &task.warnings {
        text += &format!("  {CAREFUL}warning{CAREFUL:#} {warning}\n");
    }
    if let Some(failure) = &notice.failure {
        text += &format!("  {BAD}failed{BAD:#} {}: {}\n", failure.call, failure.problem);
    } else if let Some(reason) = notice.no_target_group {
        text += &no_target_group(reason);
    } else {
        text += &registrations(&notice.registrations).to_string();
    }
    text
}

fn no_target_group(reason: NoTargetGroup) -> String {
    let (style, why) = match reason {
        NoTargetGroup::NoLoadBalancer => (QUIET, "the task has no service, or its service has no load balancer"),
        NoTargetGroup::Unresolved => (
            CAREFUL,
            "its service has a load balancer whose target groups could not be found, or ECS no longer knows the service",
        ),
    };
    let name: &str = reason.into();
    format!("  {style}no target group, {name}{style:#}: {why}\n")
}

fn observing(notice: &NoticeRecord) -> String {
    match (&notice.unknown_tag, notice.mode) {
        (Some(value), _) => format!(
            "\n  {CAREFUL}observed only{CAREFUL:#}: the service's tag spotdrain is {value:?}; known values: on, hold, off, observe"
        ),
        (None, Mode::Observe) => format!("\n  {CAREFUL}observed only{CAREFUL:#}"),
        (None, Mode::Enforce) => String::new(),
    }
}

fn registrations(rows: &[RegistrationRecord]) -> Table {
    let mut table = Table::new(2, &["TARGET GROUP", "TARGET", "STATE", "OUTCOME"]);
    for row in rows {
        table.row(registration(row));
    }
    table
}

fn registration(row: &RegistrationRecord) -> [Cell; 4] {
    let target = Target { address: row.target, port: row.port };
    let state = row.state.as_ref().map_or("-".to_owned(), ToString::to_string);
    let outcome = match (row.outcome.failure(), row.notice_to_deregistered_ms) {
        (Some(failure), _) => format!("Failed, {}: {}", failure.call, failure.problem),
        (None, Some(took)) => {
            format!("{}, {} after the interruption", row.outcome.as_str(), duration(SignedDuration::from_millis(took)))
        }
        (None, None) => row.outcome.as_str().to_owned(),
    };
    let group: Cell = (row.target_group.name().to_owned(), Style::new());
    [group, plain(target.to_string()), plain(state), (outcome, outcome_style(&row.outcome))]
}

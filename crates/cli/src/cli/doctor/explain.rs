//! `spotdrain doctor --explain`: the explanation of a check, or the list of all checks.

use std::io::Write as _;

use spotdrain_doctor::json::{explanation, explanations};
use spotdrain_doctor::{CHECKS, Check, check};

use super::show::severity_style;
use crate::cli::exit::{CliError, Exit};
use crate::cli::output::style::{BOLD, QUIET};
use crate::cli::output::table::{Table, plain};
use crate::cli::output::{json, write_error};

/// The width of a paragraph, in characters.
const WIDTH: usize = 100;

pub(crate) fn run(id: &str, as_json: bool) -> Result<Exit, CliError> {
    if as_json {
        print_json(id)?;
        return Ok(Exit::Done);
    }
    let text = if id == "all" { list().to_string() } else { explain(find(id)?) };
    write!(anstream::stdout(), "{text}").map_err(|error| write_error(&error))?;
    Ok(Exit::Done)
}

fn print_json(id: &str) -> Result<(), CliError> {
    if id == "all" { json(&explanations(&CHECKS)) } else { json(&explanation(find(id)?)) }
}

fn find(id: &str) -> Result<&'static Check, CliError> {
    let unknown = || format!("there is no check {id:?}: spotdrain doctor --explain lists them all");
    check(id).ok_or_else(|| CliError::Configuration(unknown()))
}

fn list() -> Table {
    let mut table = Table::new(0, &["CHECK", "SEVERITY", "WHAT IT FINDS"]);
    for check in CHECKS {
        let severity = (check.severity.as_str().to_owned(), severity_style(check.severity));
        table.row([plain(check.id), severity, plain(check.title)]);
    }
    table
}

fn explain(check: &Check) -> String {
    let style = severity_style(check.severity);
    let mut text =
        format!("{BOLD}{}{BOLD:#} {style}{}{style:#}: {}\n\n", check.id, check.severity.as_str(), check.title);
    text += &wrapped(check.explanation);
    for source in check.sources {
        text += &format!("\n{QUIET}{source}{QUIET:#}");
    }
    text + "\n"
}

fn wrapped(paragraph: &str) -> String {
    let mut lines = vec![String::new()];
    for word in paragraph.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + word.len() < WIDTH => *line += &format!(" {word}"),
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n") + "\n"
}

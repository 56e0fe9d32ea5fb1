//! Output: JSON for programs; text, tables and colours for people.

pub(crate) mod report;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod timeline;

use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;

use serde::Serialize;

use super::exit::CliError;

/// Prints a value as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| CliError::Failed(error.to_string()))?;
    writeln!(anstream::stdout(), "{text}").map_err(|error| write_error(&error))
}

/// Checks that a page can be written to the file of this flag, and keeps what is in it. Called before work that takes long.
pub(crate) fn check_writable(flag: &str, file: &Path) -> Result<(), CliError> {
    let opened = OpenOptions::new().append(true).create(true).open(file);
    opened.map(drop).map_err(|error| file_error(flag, file, &error))
}

/// Writes a page to the file of this flag.
pub(crate) fn write_file(flag: &str, file: &Path, page: &str) -> Result<(), CliError> {
    std::fs::write(file, page).map_err(|error| file_error(flag, file, &error))
}

fn file_error(flag: &str, file: &Path, error: &io::Error) -> CliError {
    CliError::Failed(format!("{flag}: cannot write {}: {error}", file.display()))
}

/// Standard output cannot be written.
pub(crate) fn write_error(error: &io::Error) -> CliError {
    match error.kind() {
        io::ErrorKind::BrokenPipe => CliError::OutputClosed,
        _ => CliError::Failed(format!("cannot write the output: {error}")),
    }
}

/// Asks a question, and returns whether the answer is yes. It is an error if standard input is not a terminal.
pub(crate) fn confirm(question: &str) -> Result<bool, CliError> {
    if !io::stdin().is_terminal() {
        return Err(CliError::Configuration("not a terminal: pass --yes to confirm".to_owned()));
    }
    // The answer decides, also if the question could not be printed.
    _ = write!(anstream::stderr(), "{question}").and_then(|()| anstream::stderr().flush());
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    if read.map_err(|error| CliError::Failed(format!("cannot read the answer: {error}")))? == 0 {
        // Standard input ended without a line break: end the question's line.
        _ = writeln!(anstream::stderr());
    }
    Ok(answer.trim() == "yes")
}

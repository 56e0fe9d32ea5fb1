//! Output: JSON for programs; text, tables and colours for people.

pub(crate) mod report;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod timeline;

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use super::exit::CliError;

/// Prints a value as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| CliError::Failed(error.to_string()))?;
    writeln!(anstream::stdout(), "{text}").map_err(|error| write_error(&error))
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
    write!(anstream::stderr(), "{question}").map_err(|error| write_error(&error))?;
    anstream::stderr().flush().map_err(|error| write_error(&error))?;
    let mut answer = String::new();
    if io::stdin().read_line(&mut answer).map_err(|error| write_error(&error))? == 0 {
        // Standard input ended without a line break: end the question's line.
        writeln!(anstream::stderr()).map_err(|error| write_error(&error))?;
    }
    Ok(answer.trim() == "yes")
}

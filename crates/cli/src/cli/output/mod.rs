//! Output: JSON for programs; text, tables and colours for people.

pub(crate) mod report;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod timeline;

use std::io::Write as _;

use serde::Serialize;

use super::exit::CliError;

/// Prints a value as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| CliError::Failed(error.to_string()))?;
    writeln!(anstream::stdout(), "{text}").map_err(|error| write_error(&error))
}

/// Standard output cannot be written, usually because its reader is gone.
pub(crate) fn write_error(error: &std::io::Error) -> CliError {
    CliError::Failed(format!("cannot write the output: {error}"))
}

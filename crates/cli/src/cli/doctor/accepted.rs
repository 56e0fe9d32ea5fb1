//! The file of accepted findings: `--accept` reads it, `--write-accepted` adds to it.

use std::fmt::Display;
use std::io::ErrorKind;
use std::path::Path;

use spotdrain_doctor::Diagnosis;
use spotdrain_doctor::ignore_file::{Accepted, entry_line};

use super::args::DoctorArgs;
use crate::cli::exit::CliError;

/// Reads the accepted findings. A file that `--write-accepted` is to create may be absent.
pub(super) fn read(args: &DoctorArgs) -> Result<Accepted, CliError> {
    let Some(file) = &args.accept else { return Ok(Accepted::default()) };
    let text = text_of(file, args.write_accepted.is_some())?;
    Accepted::read(&text).map_err(|error| wrong(file, &error))
}

fn text_of(file: &Path, may_be_absent: bool) -> Result<String, CliError> {
    match std::fs::read_to_string(file) {
        Err(error) if may_be_absent && error.kind() == ErrorKind::NotFound => Ok(String::new()),
        text => text.map_err(|error| wrong(file, &error)),
    }
}

/// Adds an entry for every open finding, and marks these findings as accepted.
pub(super) fn write(file: &Path, reason: &str, diagnosis: &mut Diagnosis) -> Result<(), CliError> {
    let mut entries = Vec::new();
    for finding in diagnosis.open() {
        let line =
            entry_line(finding.check, &finding.problem.place.name, reason).map_err(|error| wrong(file, &error))?;
        if !entries.contains(&line) {
            entries.push(line);
        }
    }
    let mut text = text_of(file, true)?;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.extend(entries.iter().map(|line| format!("{line}\n")));
    std::fs::write(file, &text).map_err(|error| wrong(file, &error))?;
    let accepted = Accepted::read(&text).map_err(|error| wrong(file, &error))?;
    diagnosis.accept(&accepted);
    Ok(())
}

fn wrong(file: &Path, error: &dyn Display) -> CliError {
    CliError::Configuration(format!("--accept {}: {error}", file.display()))
}

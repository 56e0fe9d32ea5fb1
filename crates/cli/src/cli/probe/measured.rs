//! Reads results of the probe, for the commands that use its figures.

use std::fs;
use std::path::PathBuf;

use spotdrain_drill::probe::measured::Measured;

use crate::cli::exit::CliError;

/// Reads the results and merges them; `None` without a file.
pub(crate) fn read(files: &[PathBuf]) -> Result<Option<Measured>, CliError> {
    let mut all: Option<Measured> = None;
    for file in files {
        let invalid = |problem: String| CliError::Configuration(format!("--measured {}: {problem}", file.display()));
        let text = fs::read_to_string(file).map_err(|error| invalid(error.to_string()))?;
        let measured = Measured::parse(&text).map_err(|error| invalid(error.to_string()))?;
        let merged = all.unwrap_or_default().merge(measured);
        all = Some(merged.map_err(|error| invalid(error.to_string()))?);
    }
    Ok(all)
}

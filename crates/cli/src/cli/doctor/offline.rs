//! The deployment of a template.

use std::path::Path;

use spotdrain_doctor::model::root::Deployment;

use crate::cli::exit::Problem;

/// Reads a template, and the files of the stacks that are nested in it.
pub(crate) fn read(file: &Path, parameters: &[(String, String)]) -> Result<Deployment, Problem> {
    let given = parameters.iter().cloned().collect();
    let load = |path: &Path| std::fs::read_to_string(path);
    spotdrain_doctor::template::read(file, &given, &load).map_err(|error| Problem::Event(error.to_string()))
}

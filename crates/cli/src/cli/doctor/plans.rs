//! The deployment of plans and states of Terraform.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use spotdrain_doctor::model::root::Deployment;
use spotdrain_doctor::plan::{self, Plans};
use spotdrain_doctor::template::Location;

use super::args::DoctorArgs;
use super::templates::STDIN;
use crate::cli::exit::CliError;

/// Reads the plans that the arguments name.
pub(super) fn read(args: &DoctorArgs) -> Result<Deployment, CliError> {
    let name = |path: &PathBuf| if path.as_os_str() == "-" { PathBuf::from(STDIN) } else { path.clone() };
    let files: Vec<_> = args.plans.iter().map(name).collect();
    let stdin = args.plans.iter().any(|path| path.as_os_str() == "-").then(from_stdin).transpose()?;
    let load = |path: &Path| match &stdin {
        Some(bytes) if path == Path::new(STDIN) => Ok(bytes.clone()),
        _ => std::fs::read(path),
    };
    let location = Location { account: args.account.clone(), region: args.region.clone() };
    plan::read(&Plans { files, location }, &load).map_err(|error| CliError::Event(error.to_string()))
}

fn from_stdin() -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|error| CliError::Event(format!("cannot read standard input: {error}")))?;
    Ok(bytes)
}

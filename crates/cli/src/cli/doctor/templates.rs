//! Reads templates from files, folders and standard input.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use spotdrain_doctor::model::root::Deployment;
use spotdrain_doctor::template::{self, Location, Templates};

use super::args::DoctorArgs;
use super::parameters;
use crate::cli::exit::CliError;

/// The name of a template from standard input.
pub(super) const STDIN: &str = "stdin";

/// The extensions of templates in a folder.
const EXTENSIONS: [&str; 4] = ["yaml", "yml", "json", "template"];

/// Reads the templates, and the files of their nested stacks.
pub(super) fn read(args: &DoctorArgs) -> Result<Deployment, CliError> {
    let (mut files, mut candidates, mut locations) = (Vec::new(), Vec::new(), BTreeMap::new());
    for path in &args.templates {
        if path.as_os_str() == "-" {
            files.push(PathBuf::from(STDIN));
        } else if path.is_dir() {
            match assembly(path)? {
                Some(stacks) => {
                    candidates.extend(stacks.keys().cloned());
                    locations.extend(stacks);
                }
                None => candidates.extend(in_folder(path)?),
            }
        } else {
            files.push(path.clone());
        }
    }
    let stdin = files.contains(&PathBuf::from(STDIN)).then(from_stdin).transpose()?;
    let location = Location { account: args.account.clone(), region: args.region.clone() };
    let templates = Templates { files, candidates, parameters: given(args)?, location, locations };
    let load = |path: &Path| match &stdin {
        Some(text) if path == Path::new(STDIN) => Ok(text.clone()),
        _ => std::fs::read_to_string(path),
    };
    template::read(&templates, &load).map_err(|error| CliError::Event(error.to_string()))
}

fn from_stdin() -> Result<String, CliError> {
    io::read_to_string(io::stdin().lock())
        .map_err(|error| CliError::Event(format!("cannot read standard input: {error}")))
}

/// Returns the stacks of a folder that `cdk synth` wrote.
fn assembly(folder: &Path) -> Result<Option<BTreeMap<PathBuf, Location>>, CliError> {
    template::stacks(folder, &|path| std::fs::read_to_string(path)).map_err(|error| CliError::Event(error.to_string()))
}

/// Returns the files of a folder that may be templates, without subfolders.
fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let wrong = |error: io::Error| CliError::Event(format!("cannot read {}: {error}", folder.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        let is_template = path.extension().is_some_and(|own| EXTENSIONS.iter().any(|known| own == *known));
        files.extend((is_template && path.is_file()).then_some(path));
    }
    files.sort();
    Ok(files)
}

fn given(args: &DoctorArgs) -> Result<BTreeMap<String, String>, CliError> {
    let mut given = BTreeMap::new();
    for file in &args.parameter_file {
        let wrong = |error: &dyn std::fmt::Display| CliError::Configuration(format!("{}: {error}", file.display()));
        let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
        given.extend(parameters::read(&text).map_err(|error| wrong(&error))?);
    }
    given.extend(args.parameters.iter().cloned());
    Ok(given)
}

//! Reads and examines templates, or plans if the first argument is `--plan`, and prints how long that took.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "an example has a clock and a terminal")]

use std::path::PathBuf;
use std::time::Instant;

use spotdrain_doctor::examine;
use spotdrain_doctor::model::root::Deployment;
use spotdrain_doctor::plan::{self, Plans};
use spotdrain_doctor::template::{self, Templates};

fn main() {
    let mut files: Vec<_> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let is_plan = files.first().is_some_and(|first| first.as_os_str() == "--plan");
    let begin = Instant::now();
    let deployment = if is_plan { plans(files.split_off(1)) } else { templates(files) };
    match deployment {
        Ok(deployment) => {
            let diagnosis = examine(&deployment);
            let (services, findings) = (diagnosis.services, diagnosis.findings.len());
            println!("{services} services, {findings} findings: {} ms", begin.elapsed().as_millis());
        }
        Err(error) => println!("{error}"),
    }
}

fn templates(files: Vec<PathBuf>) -> Result<Deployment, String> {
    let templates = Templates { files, ..Templates::default() };
    template::read(&templates, &|path| std::fs::read_to_string(path)).map_err(|error| error.to_string())
}

fn plans(files: Vec<PathBuf>) -> Result<Deployment, String> {
    let plans = Plans { files, ..Plans::default() };
    plan::read(&plans, &|path| std::fs::read(path)).map_err(|error| error.to_string())
}

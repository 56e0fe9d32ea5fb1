//! Reads and examines templates, and prints how long that took.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "an example has a clock and a terminal")]

use std::path::PathBuf;
use std::time::Instant;

use spotdrain_doctor::examine;
use spotdrain_doctor::template::{Templates, read};

fn main() {
    let files: Vec<_> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let begin = Instant::now();
    match read(&Templates { files, ..Templates::default() }, &|path| std::fs::read_to_string(path)) {
        Ok(deployment) => {
            let diagnosis = examine(&deployment);
            let (services, findings) = (diagnosis.services, diagnosis.findings.len());
            println!("{services} services, {findings} findings: {} ms", begin.elapsed().as_millis());
        }
        Err(error) => println!("{error}"),
    }
}

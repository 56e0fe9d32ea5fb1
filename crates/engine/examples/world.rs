//! Many histories of the simulated world, and the laws that hold over them:
//! `cargo run --release -p spotdrain-engine --example world -- --histories 1000000 [--seed N] [--environments N]`
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods, reason = "a program for the terminal")]

#[path = "../tests/world/mod.rs"]
mod world;

use std::process::ExitCode;

use world::laws::Law;
use world::{Failed, Histories, run_all};

/// `EX_USAGE` of `sysexits.h`
const USAGE_ERROR: u8 = 64;

const USAGE: &str = "usage: world [--histories N] [--seed N] [--environments N]   (one seed: --seed N --histories 1)";

fn main() -> ExitCode {
    let histories = match read(std::env::args().skip(1)) {
        Ok(histories) => histories,
        Err(problem) => {
            eprintln!("{problem}\n{USAGE}");
            return ExitCode::from(USAGE_ERROR);
        }
    };
    match run_all(histories, |number| progress(number, histories.count)) {
        Err(Failed(trace)) => {
            eprintln!("{trace}");
            ExitCode::FAILURE
        }
        Ok(tally) => {
            println!("{} histories from seed {}, and each law held:", histories.count, histories.first_seed);
            for law in Law::ALL {
                println!("  {law}");
            }
            print!("What happened in them:\n{tally}");
            ExitCode::SUCCESS
        }
    }
}

fn progress(number: u64, of: u64) {
    if number.is_multiple_of(50_000) {
        eprintln!("{number} of {of} histories");
    }
}

fn read(mut arguments: impl Iterator<Item = String>) -> Result<Histories, String> {
    let mut histories = Histories { first_seed: 1, count: 100_000, environments: None };
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a number"))?;
        let number: u64 = value.parse().map_err(|_| format!("{name}: {value:?} is not a number"))?;
        match name.as_str() {
            "--histories" => histories.count = number,
            "--seed" => histories.first_seed = number,
            "--environments" if number > 0 => histories.environments = usize::try_from(number).ok(),
            "--environments" => return Err("--environments: at least 1".to_owned()),
            other => return Err(format!("unknown option {other}")),
        }
    }
    Ok(histories)
}

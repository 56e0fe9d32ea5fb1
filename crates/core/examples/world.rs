//! Many histories of the simulated world, and the laws that hold over them:
//! `cargo run --release -p spotdrain-core --example world -- --histories 1000000 [--seed N]`
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods, reason = "a program for the terminal")]

#[path = "../tests/world/mod.rs"]
mod world;

use std::process::ExitCode;

use world::laws::Law;
use world::{Failed, run_all};

/// `EX_USAGE` of `sysexits.h`
const WRONG_USE: u8 = 64;

struct Wanted {
    histories: u64,
    seed: u64,
}

fn main() -> ExitCode {
    let wanted = match wanted(std::env::args().skip(1)) {
        Ok(wanted) => wanted,
        Err(problem) => {
            eprintln!("{problem}\nusage: world [--histories N] [--seed N]   (one seed alone: --seed N --histories 1)");
            return ExitCode::from(WRONG_USE);
        }
    };
    match run_all(wanted.seed, wanted.histories, |number| progress(number, wanted.histories)) {
        Err(Failed(told)) => {
            eprintln!("{told}");
            ExitCode::FAILURE
        }
        Ok(tally) => {
            println!("{} histories from seed {}, and each law held:", wanted.histories, wanted.seed);
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

fn wanted(mut arguments: impl Iterator<Item = String>) -> Result<Wanted, String> {
    let mut wanted = Wanted { histories: 100_000, seed: 1 };
    while let Some(name) = arguments.next() {
        let place = match name.as_str() {
            "--histories" => &mut wanted.histories,
            "--seed" => &mut wanted.seed,
            other => return Err(format!("{other:?} is no option")),
        };
        let value = arguments.next().ok_or_else(|| format!("{name} needs a number"))?;
        *place = value.parse().map_err(|_| format!("{name}: {value:?} is no number"))?;
    }
    Ok(wanted)
}

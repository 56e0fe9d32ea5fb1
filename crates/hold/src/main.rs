//! The program: reads its settings, starts the application, and exits with the application's code.

use std::io::Write as _;
use std::process::ExitCode;

use spotdrain_hold::hold::Hold;
use spotdrain_hold::log::Log;
use spotdrain_hold::log::record::LogRecord;
use spotdrain_hold::settings::Settings;
use spotdrain_hold::settings::arguments::{self, CommandLine};

/// `EX_USAGE` of `sysexits.h`: the command was used incorrectly.
const USAGE: u8 = 64;

fn main() -> ExitCode {
    ExitCode::from(match arguments::read(std::env::args_os().skip(1), std::env::vars_os()) {
        Ok(CommandLine::Run(settings)) => run(*settings),
        Ok(CommandLine::Help) => print(&arguments::help()),
        Ok(CommandLine::Version) => print(concat!("spotdrain-hold ", env!("CARGO_PKG_VERSION"), "\n")),
        Err(problems) => refuse(USAGE, problems),
    })
}

fn run(settings: Settings) -> u8 {
    match Hold::start(settings, Log::default()) {
        Ok(hold) => hold.run(),
        Err(refusal) => refuse(refusal.code, refusal.problems),
    }
}

fn refuse(code: u8, problems: Vec<String>) -> u8 {
    Log::default().write(&LogRecord::Refused { code, problems });
    code
}

fn print(text: &str) -> u8 {
    u8::from(std::io::stdout().write_all(text.as_bytes()).is_err())
}

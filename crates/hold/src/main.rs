//! The program: reads its settings, starts the application, and ends as it ends.

use std::io::Write as _;
use std::process::ExitCode;

use spotdrain_hold::hold::Hold;
use spotdrain_hold::line::Line;
use spotdrain_hold::log::Log;
use spotdrain_hold::options::{self, Request};
use spotdrain_hold::settings::Settings;

/// As in `sysexits.h`: the command was used wrongly.
const USAGE: u8 = 64;

fn main() -> ExitCode {
    ExitCode::from(match options::read(std::env::args_os().skip(1), std::env::vars_os()) {
        Ok(Request::Run(settings)) => run(&settings),
        Ok(Request::Help) => print(&options::help()),
        Ok(Request::Version) => print(concat!("spotdrain-hold ", env!("CARGO_PKG_VERSION"), "\n")),
        Err(problems) => refuse(USAGE, problems),
    })
}

fn run(settings: &Settings) -> u8 {
    match Hold::start(settings, Log::default()) {
        Ok(hold) => hold.run(),
        Err(refusal) => refuse(refusal.code, vec![refusal.problem]),
    }
}

fn refuse(code: u8, problems: Vec<String>) -> u8 {
    Log::default().say(&Line::Refused { code, problems });
    code
}

fn print(text: &str) -> u8 {
    u8::from(std::io::stdout().write_all(text.as_bytes()).is_err())
}

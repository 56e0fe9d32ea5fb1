//! The command line, `spotdrain`: arguments in, text or JSON out, one exit code.

mod args;
mod connect;
mod demo;
mod doctor;
mod drain;
mod drill;
mod exit;
mod explain;
mod input;
mod local;
mod present;
mod report;
mod settings;
mod show;
mod simulate;
mod table;
mod timeline;

use std::io::Write as _;

use clap::{CommandFactory as _, Parser as _};

use args::{Cli, Command};
pub use exit::Exit;
use exit::Problem;

/// Runs the command line and says how to end. What goes wrong is told on standard error.
pub async fn run() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    match dispatch(cli.command).await {
        Ok(exit) => exit,
        Err(problem) => {
            let style = anstyle::AnsiColor::Red.on_default().bold();
            _ = writeln!(anstream::stderr(), "{style}error:{style:#} {problem}");
            problem.exit()
        }
    }
}

async fn dispatch(command: Command) -> Result<Exit, Problem> {
    match command {
        Command::Explain(args) => explain::run(&args),
        Command::Plan(args) => drain::run(&args, drain::Act::Plan).await,
        Command::Drain(args) => drain::run(&args, drain::Act::Drain).await,
        Command::Doctor(args) => doctor::run(&args).await,
        Command::Simulate(args) => simulate::run(&args).await,
        Command::Report(args) => Box::pin(report::run(&args)).await,
        Command::Demo(args) => demo::run(&args).await,
        Command::Drill(args) => drill::run(&args).await,
        Command::DrillTask(args) => drill::task(args).await,
        Command::Local(args) => local::run(&args).await,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "spotdrain", &mut std::io::stdout());
            Ok(Exit::Done)
        }
    }
}

/// `--help` and `--version` come this way too, and are no mistake.
fn refuse(error: &clap::Error) -> Exit {
    _ = error.print();
    if error.use_stderr() { Exit::BadConfiguration } else { Exit::Done }
}

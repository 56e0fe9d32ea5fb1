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
mod output;
mod probe;
mod report;
mod settings;
mod signals;
mod simulate;

use std::io::Write as _;

use clap::{CommandFactory as _, Parser as _};

use args::{Cli, CliCommand};
use exit::CliError;
pub use exit::Exit;

/// Returns the description of all commands and arguments, from which the man pages are made.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the command line and returns the exit code. Errors are printed to standard error.
pub async fn run() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return print_usage(&error),
    };
    match dispatch(cli.command).await {
        Ok(exit) => exit,
        Err(problem @ CliError::OutputClosed) => problem.exit(),
        Err(problem) => {
            let style = anstyle::AnsiColor::Red.on_default().bold();
            _ = writeln!(anstream::stderr(), "{style}error:{style:#} {problem}");
            problem.exit()
        }
    }
}

async fn dispatch(command: CliCommand) -> Result<Exit, CliError> {
    match command {
        CliCommand::Explain(args) => explain::run(&args),
        CliCommand::Plan(args) => drain::run(&args, drain::DrainCommand::Plan).await,
        CliCommand::Drain(args) => drain::run(&args, drain::DrainCommand::Drain).await,
        CliCommand::Doctor(args) => doctor::run(&args).await,
        CliCommand::Simulate(args) => simulate::run(&args).await,
        CliCommand::Report(args) => Box::pin(report::run(&args)).await,
        CliCommand::Demo(args) => demo::run(&args).await,
        CliCommand::Drill(args) => drill::run(&args).await,
        CliCommand::Probe(args) => Box::pin(probe::run(&args)).await,
        CliCommand::Local(args) => local::run(&args).await,
        CliCommand::Completions { shell } => print_completions(shell),
    }
}

fn print_completions(shell: clap_complete::Shell) -> Result<Exit, CliError> {
    // clap_complete panics if it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "spotdrain", &mut script);
    std::io::stdout().write_all(&script).map_err(|error| output::write_error(&error))?;
    Ok(Exit::Done)
}

/// Prints clap's message. `--help` and `--version` arrive here too, and are not errors.
fn print_usage(error: &clap::Error) -> Exit {
    _ = error.print();
    if error.use_stderr() { Exit::BadConfiguration } else { Exit::Done }
}

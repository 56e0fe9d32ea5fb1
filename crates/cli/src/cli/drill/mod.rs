//! `spotdrain drill`: what does an interruption cost under live traffic, with and without the function and the hold?

mod args;
mod function;
mod progress;
mod show;

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;

use spotdrain_drill::{DrillError, DrillRun, Isolation, Plan, Programs, RigSettings, RunRecord, page};

pub(crate) use args::DrillArgs;
use progress::ProgressLine;

use super::exit::{CliError, Exit};
use super::output::{check_writable, write_file};
use super::signals::until_stopped;

/// Printed if the tasks cannot have networks of their own.
const SHARED: &str = "network namespaces are unavailable (they need the programs unshare, nsenter and ip, and root or user \
     namespaces): the tasks share one network, so the hold cannot distinguish their connections and holds for its \
     maximum time";

pub(crate) async fn run(args: &DrillArgs) -> Result<Exit, CliError> {
    let (plan, scenarios) = (args.plan()?, args.scenarios());
    let program = program()?;
    let (haproxy, hold) = (args.programs.haproxy.clone(), args.programs.hold.clone());
    let tools = Programs::find(&program, haproxy, hold, args.command(), &scenarios);
    let tools = tools.map_err(|error| failed(&error))?;
    let isolation = isolate(args, &program)?;
    // Find out that the report cannot be written before the drill, which takes minutes.
    if let Some(file) = &args.report {
        check_writable("--report", file)?;
    }
    let (records, failure) = tokio::select! {
        ended = run_all(args, &plan, &tools, isolation) => ended,
        _ = until_stopped() => return Err(CliError::Failed("interrupted: everything was stopped".to_owned())),
    };
    if !records.is_empty() {
        if let Some(file) = &args.report {
            write_file("--report", file, &page(&plan, &records))?;
        }
        if args.json { show::json(&plan, isolation, &records) } else { show::text(args, &plan, &records) }?;
    }
    failure.map_or(Ok(Exit::Done), |error| Err(failed(&error)))
}

/// Runs every scenario. If a run fails, returns the runs that were completed before it, and the error.
async fn run_all(
    args: &DrillArgs,
    plan: &Plan,
    tools: &Programs,
    isolation: Isolation,
) -> (Vec<RunRecord>, Option<DrillError>) {
    let (line, protocol) = (ProgressLine::start(args, plan), &args.protocol());
    let mut records = Vec::new();
    for repetition in 0..args.repeat {
        for scenario in args.scenarios() {
            let on_progress = |progress| line.show(progress);
            let rig = RigSettings { scenario, plan, programs: tools, isolation, fail_health_in: None };
            let run = DrillRun { rig, repetition, protocol };
            match run.execute(&function::handle, &on_progress).await {
                Ok(record) => {
                    line.end_run(&record);
                    records.push(record);
                }
                Err(error) => return (records, Some(error)),
            }
        }
    }
    (records, None)
}

/// Restarts this program in namespaces of its own, if they are available.
fn isolate(args: &DrillArgs, program: &std::path::Path) -> Result<Isolation, CliError> {
    if args.inside {
        return Ok(Isolation::Apart);
    }
    let Some(mut command) = Isolation::enter(program) else {
        progress::note(SHARED);
        return Ok(Isolation::Shared);
    };
    let error = command.args(std::env::args_os().skip(1)).arg("--inside").exec();
    Err(CliError::Failed(format!("cannot run unshare: {error}")))
}

fn program() -> Result<PathBuf, CliError> {
    std::env::current_exe().map_err(|error| CliError::Failed(format!("cannot find this program: {error}")))
}

fn failed(error: &DrillError) -> CliError {
    CliError::Failed(error.to_string())
}

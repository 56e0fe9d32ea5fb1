//! `spotdrain drill`: what does an interruption cost under live traffic, with nothing, the function, the hold, and both?

mod args;
mod function;
mod progress;
mod show;

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;

use spotdrain_drill::{DrillError, Isolation, Plan, Programs, Record, Run, page, serve};

pub(crate) use args::{DrillArgs, DrillTaskArgs};
use progress::ProgressLine;

use super::exit::{CliError, Exit};
use super::local::until_stopped;

/// Printed if the tasks cannot have networks of their own.
const SHARED: &str = "network namespaces are unavailable (they need the programs unshare, nsenter and ip, and root or user \
     namespaces): the tasks share one network, so the hold cannot distinguish their connections and holds for its \
     maximum time";

pub(crate) async fn run(args: &DrillArgs) -> Result<Exit, CliError> {
    let (plan, scenarios) = (args.plan()?, args.scenarios());
    let program = program()?;
    let server = (program.clone(), vec!["drill-task".to_owned()]);
    let tools = Programs::find(args.programs.haproxy.clone(), args.programs.hold.clone(), server, &scenarios);
    let tools = tools.map_err(|error| failed(&error))?;
    let isolation = isolate(args, &program)?;
    // Find out that the report cannot be written before the drill, which takes minutes.
    report(args, "")?;
    let records = tokio::select! {
        records = run_all(args, &plan, &tools, isolation) => records?,
        _ = until_stopped() => return Err(CliError::Failed("interrupted: everything was stopped".to_owned())),
    };
    report(args, &page(&plan, &records))?;
    if args.json { show::json(&plan, isolation, &records) } else { show::text(args, &plan, &records) }?;
    Ok(Exit::Done)
}

fn report(args: &DrillArgs, page: &str) -> Result<(), CliError> {
    let Some(file) = &args.report else { return Ok(()) };
    std::fs::write(file, page).map_err(|error| CliError::Failed(format!("cannot write {}: {error}", file.display())))
}

/// Runs the application of one of the drill's tasks.
pub(crate) async fn task(args: DrillTaskArgs) -> Result<Exit, CliError> {
    let server = args.server();
    let address = server.address;
    serve(server).await.map_err(|error| CliError::Failed(format!("cannot serve at {address}: {error}")))?;
    Ok(Exit::Done)
}

async fn run_all(
    args: &DrillArgs,
    plan: &Plan,
    tools: &Programs,
    isolation: Isolation,
) -> Result<Vec<Record>, CliError> {
    let line = ProgressLine::start(args, plan);
    let mut records = Vec::new();
    for repetition in 0..args.repeat {
        for scenario in args.scenarios() {
            let on_progress = |progress| line.show(progress);
            let run = Run { scenario, repetition, plan, programs: tools, isolation };
            let record = run.execute(&function::handle, &on_progress).await.map_err(|error| failed(&error))?;
            line.end_run(&record);
            records.push(record);
        }
    }
    Ok(records)
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

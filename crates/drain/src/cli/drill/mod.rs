//! `spotdrain drill`: what does an interruption cost under live traffic, with nothing, the function, the hold, and both?

mod args;
mod function;
mod progress;
mod show;

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;

use spotdrain_drill::{DrillError, Place, Plan, Record, Tools, page, run as run_one, serve};
use tokio::signal::unix::{SignalKind, signal};

pub(crate) use args::{DrillArgs, DrillTaskArgs};

use super::exit::{Exit, Problem};

/// Where the tasks cannot have networks of their own, and what that means.
const SHARED: &str = "the tasks share one network, so that the hold cannot tell their connections apart and holds for its \
     longest time: network namespaces are not to be had here (they need the programs unshare, nsenter and ip, and root or \
     user namespaces)";

pub(crate) async fn run(args: &DrillArgs) -> Result<Exit, Problem> {
    let (plan, ways) = (args.plan()?, args.ways());
    let program = program()?;
    let server = (program.clone(), vec!["drill-task".to_owned()]);
    let tools = Tools::find(args.programs.haproxy.clone(), args.programs.hold.clone(), server, &ways);
    let tools = tools.map_err(|error| failed(&error))?;
    let place = place(args, &program)?;
    let mut stop = signal(SignalKind::terminate()).map_err(|error| Problem::Failed(error.to_string()))?;
    let records = tokio::select! {
        records = run_all(args, &plan, &tools, place) => records?,
        _ = tokio::signal::ctrl_c() => return Err(Problem::Failed("stopped; nothing of the drill is left".to_owned())),
        _ = stop.recv() => return Err(Problem::Failed("stopped; nothing of the drill is left".to_owned())),
    };
    if let Some(file) = &args.report {
        let broken = |error| Problem::Failed(format!("cannot write {}: {error}", file.display()));
        std::fs::write(file, page(&plan, &records)).map_err(broken)?;
    }
    if args.json { show::json(&plan, place, &records) } else { show::text(args, &plan, &records) }?;
    Ok(Exit::Done)
}

/// The application of a task.
pub(crate) async fn task(args: DrillTaskArgs) -> Result<Exit, Problem> {
    let server = args.server();
    let address = server.address;
    serve(server).await.map_err(|error| Problem::Failed(format!("cannot serve at {address}: {error}")))?;
    Ok(Exit::Done)
}

async fn run_all(args: &DrillArgs, plan: &Plan, tools: &Tools, place: Place) -> Result<Vec<Record>, Problem> {
    let tell = progress::teller(args, plan);
    let mut records = Vec::new();
    for repetition in 0..args.repeat {
        for way in args.ways() {
            let hear = |progress| tell.tell(progress);
            let record = run_one(way, repetition, plan, tools, place, &function::handle, &hear).await;
            let record = record.map_err(|error| failed(&error))?;
            tell.over(&record);
            records.push(record);
        }
    }
    Ok(records)
}

/// Becomes a drill in namespaces of its own, where that may be.
fn place(args: &DrillArgs, program: &std::path::Path) -> Result<Place, Problem> {
    if args.inside {
        return Ok(Place::Apart);
    }
    let Some(mut command) = Place::enter(program) else {
        progress::note(SHARED);
        return Ok(Place::Shared);
    };
    let error = command.args(std::env::args_os().skip(1)).arg("--inside").exec();
    Err(Problem::Failed(format!("cannot run unshare: {error}")))
}

fn program() -> Result<PathBuf, Problem> {
    std::env::current_exe().map_err(|error| Problem::Failed(format!("cannot find this program: {error}")))
}

fn failed(error: &DrillError) -> Problem {
    Problem::Failed(error.to_string())
}

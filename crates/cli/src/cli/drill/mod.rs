//! `spotdrain drill`: what does an interruption cost under live traffic, with nothing, the function, the hold, and both?

mod args;
mod function;
mod progress;
mod show;

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;

use spotdrain_drill::{DrillError, Isolation, Plan, Programs, Record, Run, page, serve};

pub(crate) use args::{DrillArgs, DrillTaskArgs};

use super::exit::{Exit, Problem};
use super::local::until_stopped;

/// Where the tasks cannot have networks of their own, and what that means.
const SHARED: &str = "the tasks share one network, so that the hold cannot tell their connections apart and holds for its \
     longest time: network namespaces are unavailable (they need the programs unshare, nsenter and ip, and root or \
     user namespaces)";

pub(crate) async fn run(args: &DrillArgs) -> Result<Exit, Problem> {
    let (plan, ways) = (args.plan()?, args.ways());
    let program = program()?;
    let server = (program.clone(), vec!["drill-task".to_owned()]);
    let tools = Programs::find(args.programs.haproxy.clone(), args.programs.hold.clone(), server, &ways);
    let tools = tools.map_err(|error| failed(&error))?;
    let place = place(args, &program)?;
    // That it cannot be written is known before the minutes that it takes.
    report(args, "")?;
    let records = tokio::select! {
        records = run_all(args, &plan, &tools, place) => records?,
        _ = until_stopped() => return Err(Problem::Failed("interrupted: everything was stopped".to_owned())),
    };
    report(args, &page(&plan, &records))?;
    if args.json { show::json(&plan, place, &records) } else { show::text(args, &plan, &records) }?;
    Ok(Exit::Done)
}

fn report(args: &DrillArgs, page: &str) -> Result<(), Problem> {
    let Some(file) = &args.report else { return Ok(()) };
    std::fs::write(file, page).map_err(|error| Problem::Failed(format!("cannot write {}: {error}", file.display())))
}

/// The application of a task.
pub(crate) async fn task(args: DrillTaskArgs) -> Result<Exit, Problem> {
    let server = args.server();
    let address = server.address;
    serve(server).await.map_err(|error| Problem::Failed(format!("cannot serve at {address}: {error}")))?;
    Ok(Exit::Done)
}

async fn run_all(args: &DrillArgs, plan: &Plan, tools: &Programs, place: Isolation) -> Result<Vec<Record>, Problem> {
    let tell = progress::teller(args, plan);
    let mut records = Vec::new();
    for repetition in 0..args.repeat {
        for way in args.ways() {
            let hear = |progress| tell.tell(progress);
            let run = Run { scenario: way, repetition, plan, programs: tools, isolation: place };
            let record = run.play(&function::handle, &hear).await.map_err(|error| failed(&error))?;
            tell.over(&record);
            records.push(record);
        }
    }
    Ok(records)
}

/// Becomes a drill in namespaces of its own, where that may be.
fn place(args: &DrillArgs, program: &std::path::Path) -> Result<Isolation, Problem> {
    if args.inside {
        return Ok(Isolation::Apart);
    }
    let Some(mut command) = Isolation::enter(program) else {
        progress::note(SHARED);
        return Ok(Isolation::Shared);
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

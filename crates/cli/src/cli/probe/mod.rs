//! `spotdrain probe`: counts lost connections on a real load balancer while targets leave it.

mod args;
mod experiment;
pub(crate) mod measured;
mod sampler;
mod server_name;
mod show;
mod target;

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use spotdrain_drill::Frontend;
use spotdrain_drill::probe::page::page;
use spotdrain_drill::probe::record::ProbeRecord;
use spotdrain_drill::probe::run::{RunningProbe, try_once};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::{Mutex, Notify};
use tokio::time::sleep;

pub(crate) use args::ProbeArgs;
use experiment::Experiment;

use super::connect::{AwsConnection, Needs, connect};
use super::exit::{CliError, Exit};
use super::output::style::{BAD, CAREFUL, GOOD};
use super::output::{check_writable, confirm, write_error, write_file};
use super::signals::until_stopped;

/// Interval between two lines of progress: on a terminal, and elsewhere.
const PROGRESS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];

pub(crate) async fn run(args: &ProbeArgs) -> Result<Exit, CliError> {
    args.check()?;
    if let Some(file) = &args.html {
        check_writable("--html", file)?;
    }
    let frontend = frontend(args).await?;
    let connection = match &args.target_group {
        Some(_) => Some(Box::pin(connect(&args.aws, None, Needs::Elb)).await?),
        None => None,
    };
    let experiment = prepare(args, connection.as_ref()).await?;
    if let Some(experiment) = &experiment {
        note(&experiment.description());
        if !args.experiment.yes && !confirm("Type yes to continue: ")? {
            note("nothing was done");
            return Ok(Exit::Done);
        }
        experiment.prove_undo().await.map_err(|problem| CliError::Failed(format!("nothing was changed: {problem}")))?;
    }
    measure(args, frontend, connection.as_ref(), experiment.as_ref()).await
}

/// Looks up the service and opens one connection, because a service that does not serve now cannot be measured.
async fn frontend(args: &ProbeArgs) -> Result<Frontend, CliError> {
    let against = &args.against;
    let resolved = Frontend::resolve(against, args.protocol()).await;
    let frontend = resolved.map_err(|error| {
        CliError::Configuration(format!(
            "--against {against}: {error}. Expected HOST:PORT, such as my-nlb.example.com:80"
        ))
    })?;
    let served = try_once(&frontend).await;
    served.map_err(|problem| {
        CliError::Unreachable(format!("{against} does not serve now, so nothing can be measured: {problem}"))
    })?;
    Ok(frontend)
}

/// Reads what the experiment needs, or only the group whose targets are sampled.
async fn prepare<'a>(
    args: &'a ProbeArgs,
    connection: Option<&'a AwsConnection>,
) -> Result<Option<Experiment<'a>>, CliError> {
    let (Some(connection), Some(group)) = (connection, &args.target_group) else { return Ok(None) };
    let Some(kind) = args.experiment.kind else {
        let sampled = sampler::check_access(&connection.aws, group).await;
        let failed = |problem| CliError::Failed(format!("--target-group: {problem} ({})", connection.caller));
        return sampled.map(|()| None).map_err(failed);
    };
    let prepared = Experiment::prepare(&args.experiment, kind, connection, group).await;
    prepared
        .map(Some)
        .map_err(|problem| CliError::Failed(format!("nothing was changed: {problem} ({})", connection.caller)))
}

/// Runs clients, samples and experiment side by side, undoes the experiment, and shows the result.
async fn measure(
    args: &ProbeArgs,
    frontend: Frontend,
    connection: Option<&AwsConnection>,
    experiment: Option<&Experiment<'_>>,
) -> Result<Exit, CliError> {
    let probe = RunningProbe::start(frontend, args.settings());
    let ended = tokio::select! {
        ended = side_by_side(args, &probe, connection, experiment) => ended,
        _ = until_stopped() => { note("stopped"); Ok(()) }
    };
    let mut problems: Vec<_> = ended.err().into_iter().collect();
    let (mut record, connections) = probe.record(&args.against, timestamp);
    if let Some(experiment) = experiment {
        let failed = problems.first().cloned();
        problems.extend(experiment.undo().await);
        experiment.conclude(&mut record, &connections, failed);
    }
    problems.extend(invalid(&record));
    // Printed first: a target that is not registered again matters more than the figures, which may not be writable.
    for problem in &problems {
        note(problem);
    }
    if let Some(file) = &args.html {
        write_file("--html", file, &page(&record))?;
    }
    if args.json { super::output::json(&record) } else { show::text(args, &record) }?;
    match problems.len() {
        0 => Ok(Exit::Done),
        1 => Err(CliError::Failed("the probe had the problem above".to_owned())),
        number => Err(CliError::Failed(format!("the probe had the {number} problems above"))),
    }
}

/// Why the figures of a result are not valid.
fn invalid(record: &ProbeRecord) -> Vec<String> {
    let stall = record.stalled.map(|stall| {
        format!(
            "the probe itself stood still for {} s until {} s, so its figures are not valid: run it on a machine that is not busy",
            stall.seconds, stall.at
        )
    });
    let not_opened = (record.not_opened > 0).then(|| {
        format!(
            "{} connections could not be opened because this machine had no file descriptor or port left, so the figures are not \
             valid: lower --rate or --held-seconds, or raise the limit (ulimit -n)",
            record.not_opened
        )
    });
    stall.into_iter().chain(not_opened).collect()
}

/// Returns when the clients have ended, or when the experiment fails.
async fn side_by_side(
    args: &ProbeArgs,
    probe: &RunningProbe,
    connection: Option<&AwsConnection>,
    experiment: Option<&Experiment<'_>>,
) -> Result<(), String> {
    let keys = Keys::read();
    let samples = async {
        if let (Some(connection), Some(group)) = (connection, &args.target_group) {
            sampler::sample(probe, &connection.aws, group).await;
        }
        std::future::pending::<()>().await;
    };
    let steps = async {
        if let Some(experiment) = experiment {
            experiment.run(probe, &keys).await?;
        }
        std::future::pending::<Result<(), String>>().await
    };
    tokio::select! {
        () = probe.run_clients() => Ok(()),
        failed = steps => failed,
        () = samples => Ok(()),
        () = keys.mark(probe) => Ok(()),
        () = timed_marks(args, probe) => Ok(()),
        () = progress(probe, args.settings().end) => Ok(()),
    }
}

async fn timed_marks(args: &ProbeArgs, probe: &RunningProbe) {
    let mut marks: Vec<_> = args.mark.iter().collect();
    marks.sort_by_key(|mark| mark.at);
    for mark in marks {
        probe.until(f64::from(mark.at)).await;
        probe.mark(&mark.text);
    }
    std::future::pending::<()>().await;
}

async fn progress(probe: &RunningProbe, end: f64) {
    let is_terminal = std::io::stderr().is_terminal();
    let [often, seldom] = PROGRESS;
    loop {
        let (opened, lost) = probe.counts();
        let style = if lost == 0 { GOOD } else { BAD };
        let text = format!("{:>4.0} s of {end:.0}, {opened} opened, {style}{lost} lost{style:#}", probe.now());
        let (before, after) = if is_terminal { ("\r\x1b[2K", "") } else { ("", "\n") };
        _ = write!(anstream::stderr(), "{before}{text}{after}").and_then(|()| anstream::stderr().flush());
        sleep(if is_terminal { often } else { seldom }).await;
    }
}

/// The lines that the user types: each marks a moment, and an experiment may wait for one.
struct Keys {
    lines: Mutex<UnboundedReceiver<String>>,
    entered: Notify,
}

impl Keys {
    /// Reads standard input on a separate thread. The program can exit while that thread waits for input.
    fn read() -> Self {
        let (sender, lines) = unbounded_channel();
        std::thread::spawn(move || {
            for line in std::io::stdin().lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { lines: Mutex::new(lines), entered: Notify::new() }
    }

    /// Sets a mark for every line. Never returns, even at the end of the input.
    async fn mark(&self, probe: &RunningProbe) {
        let mut lines = self.lines.lock().await;
        while let Some(line) = lines.recv().await {
            let number = probe.mark_count() + 1;
            probe.mark(if line.trim().is_empty() { format!("mark {number}") } else { line.trim().to_owned() }.as_str());
            // Only an Enter that comes while the experiment waits for it counts.
            self.entered.notify_waiters();
        }
        std::future::pending::<()>().await;
    }

    /// Waits for the next line.
    async fn enter(&self) {
        self.entered.notified().await;
    }
}

fn timestamp(time: SystemTime) -> String {
    Timestamp::try_from(time).map(|time| time.round(jiff::Unit::Second).unwrap_or(time).to_string()).unwrap_or_default()
}

/// A note on standard error, on a line of its own.
pub(crate) fn note(text: &str) {
    let before = if std::io::stderr().is_terminal() { "\r\x1b[2K" } else { "" };
    _ = writeln!(anstream::stderr(), "{before}{CAREFUL}probe{CAREFUL:#} {text}");
}

//! `spotdrain demo`: the function's own `handle` receives a notice, against a local AWS in this process.

use std::io::Write as _;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use spotdrain_core::report::{Report, Verdict};
use spotdrain_core::settings::Settings;
use spotdrain_engine::Deadline;
use spotdrain_function::{Aws, function};
use spotdrain_localaws::{Call, LocalAws, Scene, State};

use super::args::DemoArgs;
use super::exit::{CliError, Exit};
use super::output::style::{BAD, BOLD, GOOD, QUIET, now};
use super::output::timeline::{Timeline, timeline};
use super::output::{self, table::Table, table::plain};

/// The notice of the scene's first task on `FARGATE_SPOT`.
const NOTICE: &str = include_str!("../../../../events/spot-interruption.json");

/// The version of the JSON: `docs/schema/demo-1.json`.
const SCHEMA: &str = "spotdrain-demo-1";

/// The state of one of the group's targets, before and after.
#[derive(Debug, Serialize)]
struct TargetChange {
    #[serde(rename = "target")]
    name: String,
    capacity_provider: &'static str,
    before: String,
    after: String,
}

/// The result of the demo.
#[derive(Debug, Serialize)]
struct Demo {
    schema: &'static str,
    verdict: Verdict,
    drained: bool,
    targets: Vec<TargetChange>,
    timeline: Timeline,
    report: Report,
}

pub(crate) async fn run(args: &DemoArgs) -> Result<Exit, CliError> {
    let demo = handle_notice().await?;
    let shown = if args.json { output::json(&demo) } else { show_demo(&demo) };
    shown?;
    Ok(if demo.drained { Exit::Done } else { Exit::Failed })
}

async fn handle_notice() -> Result<Demo, CliError> {
    let scene = Scene::demo();
    let (group, spot) = (scene.group.clone(), scene.spot[0].clone());
    let local = LocalAws::start(scene.world).await.map_err(|error| failed(&error))?;
    let aws = Aws::local(&local.endpoint(), "eu-central-1").map_err(|error| failed(&error))?;
    let function = function(aws, Settings::default());
    let before = states(&local, &group);

    let interrupted = local.now();
    local.world().interrupt(&spot, interrupted).map_err(|error| failed(&error))?;
    let payload = restamped(NOTICE, now())?;
    let start = Instant::now();
    let deadline = Deadline::after(Timestamp::now(), Duration::from_secs(30));
    let handled = function.handle(&payload, deadline).await.map_err(|error| failed(&error))?;
    let took = start.elapsed();

    let calls: Vec<Call> = local.calls();
    let report = handled.report;
    let targets = compare(before, &states(&local, &group));
    let drained = report.verdict == Verdict::Done && is_drained(&targets, &report);
    Ok(Demo {
        schema: SCHEMA,
        verdict: report.verdict,
        drained,
        targets,
        timeline: timeline(&calls, interrupted, took, &report),
        report,
    })
}

fn failed(error: &impl ToString) -> CliError {
    CliError::Failed(error.to_string())
}

/// Returns the sample event with the current time in all its time fields.
fn restamped(sample: &str, now: Timestamp) -> Result<Vec<u8>, CliError> {
    let mut event: Value = serde_json::from_str(sample).map_err(|error| failed(&error))?;
    let whole = Timestamp::from_second(now.as_second()).unwrap_or(now);
    for (pointer, time) in [("/time", whole), ("/detail/stoppingAt", now), ("/detail/updatedAt", now)] {
        if let Some(value) = event.pointer_mut(pointer) {
            *value = time.to_string().into();
        }
    }
    Ok(event.to_string().into_bytes())
}

fn states(local: &LocalAws, group: &str) -> Vec<(String, State)> {
    let now = local.now();
    let targets = local.world().targets(group, now);
    targets.into_iter().map(|target| (format!("{}:{}", target.id, target.port), target.state())).collect()
}

fn compare(before: Vec<(String, State)>, after: &[(String, State)]) -> Vec<TargetChange> {
    let after_of = |target: &str| after.iter().find(|(name, _)| name == target);
    let row = |(target, state): (String, State)| TargetChange {
        capacity_provider: if target.starts_with("10.0.2.") { "FARGATE_SPOT" } else { "FARGATE" },
        before: state.to_string(),
        after: after_of(&target).map_or("gone".to_owned(), |(_, state)| state.to_string()),
        name: target,
    };
    before.into_iter().map(row).collect()
}

/// Returns whether the target of the report is draining, and all others are unchanged.
fn is_drained(targets: &[TargetChange], report: &Report) -> bool {
    let ours: Vec<_> = report.notices.iter().flat_map(|notice| &notice.registrations).collect();
    let ours: Vec<_> = ours.iter().filter_map(|row| Some(format!("{}:{}", row.target, row.port?))).collect();
    let as_expected = |target: &TargetChange| {
        if ours.contains(&target.name) { target.after == "draining" } else { target.after == target.before }
    };
    ours.len() == 1 && targets.iter().all(as_expected)
}

fn show_demo(demo: &Demo) -> Result<(), CliError> {
    let mut text = format!(
        "{BOLD}spotdrain demo{BOLD:#} {QUIET}a service of four tasks behind target group demo-5044, on an AWS inside this process{QUIET:#}\n\n"
    );
    text += &format!(
        "{BOLD}Timeline{BOLD:#} {QUIET}milliseconds since Fargate marked the task{QUIET:#}\n{}\n",
        demo.timeline
    );
    text += &format!("{BOLD}Targets{BOLD:#}\n{}\n", targets_table(&demo.targets));
    let only = "exactly the interrupted task's target is draining, the others are untouched";
    text += &if demo.drained {
        format!("{BOLD}Verdict{BOLD:#} {GOOD}done{GOOD:#}: {only}\n")
    } else {
        format!("{BOLD}Verdict{BOLD:#} {BAD}failed{BAD:#}: expected that {only}\n")
    };
    write!(anstream::stdout(), "{text}").map_err(|error| output::write_error(&error))
}

fn targets_table(targets: &[TargetChange]) -> Table {
    let mut table = Table::new(2, &["TARGET", "CAPACITY", "BEFORE", "AFTER"]);
    for target in targets {
        let style = if target.after == target.before { anstyle::Style::new() } else { GOOD };
        let (name, before) = (plain(&target.name), plain(&target.before));
        table.row([name, plain(target.capacity_provider), before, (target.after.clone(), style)]);
    }
    table
}

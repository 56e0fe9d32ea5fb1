//! The result of a drill, as text or JSON.

use std::io::Write as _;

use serde::Serialize;
use spotdrain_drill::{Figures, Isolation, Plan, RunRecord, Scenario, WhileDraining, percent};

use super::args::DrillArgs;
use crate::cli::exit::CliError;
use crate::cli::output;
use crate::cli::output::style::{BAD, BOLD, GOOD, QUIET};
use crate::cli::output::table::{Cell, Table, plain};

/// The version of the JSON: `docs/schema/drill-1.json`.
const SCHEMA: &str = "spotdrain-drill-1";

#[derive(Serialize)]
struct Drill<'a> {
    schema: &'static str,
    plan: &'a Plan,
    tasks_have_their_own_network: bool,
    runs: &'a [RunRecord],
}

pub(crate) fn json(plan: &Plan, isolation: Isolation, runs: &[RunRecord]) -> Result<(), CliError> {
    let tasks_have_their_own_network = isolation == Isolation::Apart;
    output::json(&Drill { schema: SCHEMA, plan, tasks_have_their_own_network, runs })
}

pub(crate) fn text(args: &DrillArgs, plan: &Plan, records: &[RunRecord]) -> Result<(), CliError> {
    let mut text = format!("{BOLD}spotdrain drill{BOLD:#} {QUIET}{}{QUIET:#}\n\n", model(plan));
    text += &if args.repeat > 1 { summary(records) } else { table(records) }.to_string();
    text += &format!(
        "\n{QUIET}last new: seconds from the notice to the last new connection of an interrupted task{QUIET:#}\n"
    );
    if let Some(file) = &args.report {
        text += &format!("{QUIET}timelines: {}{QUIET:#}\n", file.display());
    }
    write!(anstream::stdout(), "{text}").map_err(|error| output::write_error(&error))
}

/// The assumptions about AWS.
fn model(plan: &Plan) -> String {
    let balancer = &plan.balancer;
    let source = if plan.is_measured { ", as measured" } else { "" };
    let sooner = match balancer.unhealthy_while_draining {
        WhileDraining::Sooner => "also while draining",
        WhileDraining::Not => "but not while draining",
    };
    let cuts = if balancer.cuts_unhealthy { ", its connections are cut then" } else { "" };
    format!(
        "{}: left {} s after the deregistration, {} s after being marked unhealthy ({sooner}){cuts}{source}",
        balancer.kind.name(),
        balancer.after_deregistration,
        balancer.after_unhealthy
    )
}

fn table(records: &[RunRecord]) -> Table {
    let mut table = Table::new(2, &["WITH", "OPENED", "REFUSED", "RESET", "CUT", "LOST", "LONGEST GAP", "LAST NEW"]);
    for RunRecord { scenario, figures, .. } in records {
        let gap = if figures.lost() == 0 { "-".to_owned() } else { format!("{:.0} ms", figures.longest_gap_ms) };
        let losses = [figures.refused, figures.reset, figures.cut].map(loss);
        let cells = [plain(scenario.name()), plain(figures.opened.to_string())].into_iter().chain(losses);
        table.row(cells.chain([share(figures.lost(), figures.opened), plain(gap), plain(last_new(figures))]));
    }
    table
}

/// Sums the runs of each scenario.
fn summary(records: &[RunRecord]) -> Table {
    let headings = ["WITH", "RUNS", "WITHOUT LOSS", "OPENED", "REFUSED", "RESET", "CUT", "LOST", "LAST NEW"];
    let mut table = Table::new(2, &headings);
    for &scenario in Scenario::ALL {
        let its: Vec<_> =
            records.iter().filter(|record| record.scenario == scenario).map(|record| &record.figures).collect();
        let Some(latest) = its.iter().max_by(|a, b| a.last_new.unwrap_or(0.0).total_cmp(&b.last_new.unwrap_or(0.0)))
        else {
            continue;
        };
        let sum = |of: fn(&Figures) -> usize| its.iter().map(|figures| of(figures)).sum::<usize>();
        let clean = its.iter().filter(|figures| figures.lost() == 0).count();
        let losses = [sum(|of| of.refused), sum(|of| of.reset), sum(|of| of.cut)].map(loss);
        let counts = [its.len().to_string(), clean.to_string(), sum(|of| of.opened).to_string()].map(plain);
        let cells = [plain(scenario.name())].into_iter().chain(counts).chain(losses);
        let lost = share(sum(Figures::lost), sum(|of| of.opened));
        table.row(cells.chain([lost, plain(format!("{} at the latest", last_new(latest)))]));
    }
    table
}

fn loss(count: usize) -> Cell {
    (count.to_string(), if count == 0 { GOOD } else { BAD })
}

/// The lost connections in percent of all that were opened.
fn share(lost: usize, opened: usize) -> Cell {
    (percent(lost, opened), if lost == 0 { GOOD } else { BAD })
}

fn last_new(figures: &Figures) -> String {
    figures.last_new.map_or("-".to_owned(), |at| format!("{at:.1} s"))
}

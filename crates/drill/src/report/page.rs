//! The drill's page: one self-contained HTML page without scripts or external resources.

use crate::load_balancer::model::{LoadBalancerType, WhileDraining};
use crate::report::RunRecord;
use crate::report::chart::{Chart, ChartRow, Mark};
use crate::report::figures::Marks;
use crate::report::html::document;
use crate::report::task_series::{BIN, TaskSeries};
use crate::setup::plan::{BEFORE, GONE, Plan};

pub(crate) const STYLE: &str = include_str!("page.css");
const LEGEND: [(&str, &str); 5] = [
    ("D", "deregistered"),
    ("U", "marked unhealthy by the load balancer"),
    ("L", "last new connection from the load balancer"),
    ("T", "SIGTERM reached the application (the hold forwards it)"),
    ("K", "SIGKILL, if it had not ended by then"),
];

/// Renders the report as one HTML page.
#[must_use]
pub fn page(plan: &Plan, records: &[RunRecord]) -> String {
    let max = records.iter().flat_map(|record| &record.series).flat_map(rates).fold(1.0, f64::max);
    let runs: String = records.iter().map(|record| section(record, max)).collect();
    let (setting, table, legend) = (setting(plan), table(records), legend(max));
    let caveats = caveats(plan);
    let main = format!("<h1>What a Spot interruption costs</h1>\n<p>{setting}</p>\n{table}{caveats}{legend}{runs}");
    document("spotdrain drill", STYLE, &main)
}

fn rates(series: &TaskSeries) -> impl Iterator<Item = f64> {
    series.served.iter().zip(&series.lost).map(|(served, lost)| served + lost)
}

fn setting(plan: &Plan) -> String {
    let balancer = &plan.balancer;
    let kind =
        if balancer.kind == LoadBalancerType::Nlb { "A Network Load Balancer" } else { "An Application Load Balancer" };
    let not =
        if balancer.unhealthy_while_draining == WhileDraining::Not { ", unless it is already draining" } else { "" };
    let cuts = if balancer.cuts_unhealthy {
        " It cuts the existing connections of a target when it marks it unhealthy."
    } else {
        ""
    };
    let left = if plan.tagged {
        " With the function and the hold, the service has the tag spotdrain = hold, and the function leaves its targets to the hold."
    } else {
        ""
    };
    format!(
        "{} of {} tasks are interrupted at 0 s. Clients open {} new connections per second of real time and hold {} % of them \
         for {} s. {kind} is simulated: it stops sending new connections to a target {} s after it was deregistered, or {} s \
         after it was marked unhealthy{not}.{cuts}{left} One simulated second took {:.2} s.",
        plan.interrupted,
        plan.tasks,
        plan.rate,
        plan.held_percent,
        plan.held_seconds,
        balancer.after_deregistration,
        balancer.after_unhealthy,
        1.0 / plan.scale
    )
}

fn table(records: &[RunRecord]) -> String {
    let rows: String = records.iter().map(row).collect();
    format!(
        "<table><thead><tr><th>With</th><th>Opened</th><th>Refused</th><th>Reset</th><th>Cut</th><th>Lost</th><th>Longest gap</th>\
         <th>Last new connection</th></tr></thead>\n<tbody>{rows}</tbody></table>\n"
    )
}

fn row(record: &RunRecord) -> String {
    let figures = &record.figures;
    let loss = |count: usize| format!("<td class=\"{}\">{count}</td>", if count == 0 { "none" } else { "some" });
    let losses: String = [figures.refused, figures.reset, figures.cut].map(loss).concat();
    let gap = if figures.lost() == 0 { "–".to_owned() } else { format!("{:.0} ms", figures.longest_gap_ms) };
    let last = figures.last_new.map_or("–".to_owned(), |at| format!("{at:.1} s"));
    format!(
        "<tr><th>{}</th><td>{}</td>{losses}<td>{}</td><td>{gap}</td><td>{last}</td></tr>\n",
        record.scenario.title(),
        figures.opened,
        percent(figures.lost(), figures.opened)
    )
}

fn legend(max: f64) -> String {
    let marks: String =
        LEGEND.map(|(letter, what)| format!("<li><b class=\"{letter}\">{letter}</b>{what}</li>")).concat();
    format!(
        "<ul class=\"legend\"><li><i class=\"taken\"></i>new connections of an interrupted task</li>\
         <li><i class=\"other\"></i>of another task</li><li><i class=\"lost\"></i>lost connections (a full row: {max:.0} per \
         second)</li>{marks}</ul>\n"
    )
}

fn section(record: &RunRecord, max: f64) -> String {
    let lost = record.figures.lost();
    let verdict = lost_connections(lost);
    let class = if lost == 0 { "none" } else { "some" };
    format!(
        "<section><h2>{} <span class=\"{class}\">{verdict}</span></h2>\n{}</section>\n",
        record.scenario.title(),
        chart(record, max).draw()
    )
}

/// The number of lost connections, in words.
#[must_use]
pub fn lost_connections(count: usize) -> String {
    match count {
        0 => "nothing lost".to_owned(),
        1 => "1 connection lost".to_owned(),
        count => format!("{count} connections lost"),
    }
}

/// A share of all connections, in percent.
#[must_use]
pub fn percent(count: usize, of: usize) -> String {
    #[allow(clippy::cast_precision_loss, reason = "a run opens thousands of connections")]
    let percent = count as f64 * 100.0 / of.max(1) as f64;
    if count == 0 { "0 %".to_owned() } else { format!("{percent:.1} %") }
}

fn chart(record: &RunRecord, max: f64) -> Chart {
    let marks =
        |task: &str| record.interrupted.iter().find(|marks| marks.task == task).map(letters).unwrap_or_default();
    let row = |series: &TaskSeries| ChartRow {
        name: series.task.clone(),
        is_affected: series.is_interrupted,
        served: series.served.clone(),
        lost: series.lost.clone(),
        marks: marks(&series.task),
    };
    Chart {
        title: record.scenario.title().to_owned(),
        start: -BEFORE,
        end: record.end,
        bin: BIN,
        max,
        events: [(0.0, "notice"), (GONE, "task gone")].map(|(at, text)| (at, text.to_owned())).into(),
        rows: record.series.iter().map(row).collect(),
    }
}

/// The marks of a task in order of time.
fn letters(marks: &Marks) -> Vec<Mark> {
    let reason = marks.sigterm_reason.as_deref().map(|why| format!(" ({why})")).unwrap_or_default();
    let all = [
        ('T', marks.sigterm, format!("SIGTERM reached the application{reason}")),
        ('D', marks.deregistered, "deregistered".to_owned()),
        ('U', marks.unhealthy, "marked unhealthy".to_owned()),
        ('L', marks.last_new, "last new connection".to_owned()),
        ('K', marks.killed, "SIGKILL".to_owned()),
    ];
    let known = all.into_iter().filter_map(|(letter, at, text)| Some(Mark { letter, at: at?, text }));
    let mut known: Vec<_> = known.collect();
    known.sort_by(|one, other| one.at.total_cmp(&other.at));
    known
}

/// What the figures rest on, and what would change them.
fn caveats(plan: &Plan) -> String {
    let delays = if plan.is_measured {
        "The load balancer's delays are those of your own measurement with <code>spotdrain probe</code>."
    } else {
        "The load balancer's delays behind a Network Load Balancer are measurements that users published in 2022 and 2023; AWS \
         states none. <code>spotdrain probe</code> measures your own."
    };
    let draining = match plan.balancer.unhealthy_while_draining {
        WhileDraining::Sooner if plan.balancer.kind == LoadBalancerType::Nlb && !plan.is_measured => {
            " It is an assumption that an unhealthy target that is already draining is left sooner; nobody has published a \
             measurement."
        }
        _ => "",
    };
    format!(
        "<p class=\"caveats\">{delays}{draining} Two things are not simulated and could change the result. An NLB's passive health \
         checks may mark a target unhealthy before the configured checks do. Without cross-zone load balancing, an Availability \
         Zone has no target once its only one leaves.</p>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figures::{Figures, Marks};
    use crate::setup::plan::tests::plan;
    use crate::setup::scenario::Scenario;

    fn record(scenario: Scenario, refused: usize) -> RunRecord {
        let figures = Figures { opened: 100, refused, reset: 0, cut: 0, longest_gap_ms: 12.0, last_new: Some(60.0) };
        let marks = Marks { task: "task-1".to_owned(), deregistered: Some(1.5), ..Marks::default() };
        let series = TaskSeries {
            task: "task-1".to_owned(),
            is_interrupted: true,
            served: vec![5.0, 1.0],
            lost: vec![0.0, 2.0],
        };
        RunRecord { scenario, figures, interrupted: vec![marks], series: vec![series], end: 131.0 }
    }

    #[test]
    fn marks_are_in_order_of_time() {
        let marks = Marks { sigterm: Some(75.0), deregistered: Some(1.5), last_new: Some(60.0), ..Marks::default() };
        let order: String = letters(&marks).into_iter().map(|mark| mark.letter).collect();
        assert_eq!(order, "DLT");
    }

    #[test]
    fn the_page_is_self_contained() {
        let page = page(&plan(), &[record(Scenario::Nothing, 5), record(Scenario::Both, 0)]);
        for word in ["http", "<script", "src=", "@import", "url("] {
            assert!(!page.contains(word), "{word}");
        }
        assert_eq!(page.matches("<svg").count(), 2);
        assert_eq!(page.matches("<section").count(), page.matches("</section>").count());
    }

    #[test]
    fn a_run_has_its_verdict_and_its_marks_on_the_page() {
        let page = page(&plan(), &[record(Scenario::Nothing, 5), record(Scenario::Both, 0)]);
        assert!(page.contains("Nothing <span class=\"some\">5 connections lost</span>"));
        assert!(page.contains("The function and the hold <span class=\"none\">nothing lost</span>"));
        assert!(page.contains("task-1: deregistered at 1.5 s") && page.contains("<td>5.0 %</td>"));
    }
}

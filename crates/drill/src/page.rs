//! The report: one page of HTML that needs nothing else, no script and no network.

use crate::balancer::{Kind, WhileDraining};
use crate::chart::chart;
use crate::lanes::Lane;
use crate::plan::Plan;
use crate::report::Record;

const STYLE: &str = include_str!("page.css");
const LEGEND: [(&str, &str); 5] = [
    ("D", "deregistered"),
    ("U", "marked unhealthy by the load balancer"),
    ("L", "last new connection from the load balancer"),
    ("T", "SIGTERM reached the application (the hold forwards it)"),
    ("K", "SIGKILL, if it had not ended by then"),
];

/// The report, as one page of HTML.
#[must_use]
pub fn page(plan: &Plan, records: &[Record]) -> String {
    let most = records.iter().flat_map(|record| &record.lanes).flat_map(rates).fold(1.0, f64::max);
    let runs: String = records.iter().map(|record| section(record, most)).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>spotdrain drill</title>\n<style>\n{STYLE}</style></head>\n\
         <body><main>\n<h1>What a Spot interruption costs</h1>\n<p>{}</p>\n{}{}{runs}</main></body>\n</html>\n",
        setting(plan),
        table(records),
        legend(most)
    )
}

fn rates(lane: &Lane) -> impl Iterator<Item = f64> {
    lane.served.iter().zip(&lane.lost).map(|(served, lost)| served + lost)
}

fn setting(plan: &Plan) -> String {
    let balancer = &plan.balancer;
    let kind = if balancer.kind == Kind::Nlb { "A Network Load Balancer" } else { "An Application Load Balancer" };
    let not =
        if balancer.unhealthy_while_draining == WhileDraining::Not { ", but not if it drains already" } else { "" };
    let cuts = if balancer.cuts_unhealthy { " Its connections are cut when it is marked." } else { "" };
    let left = if plan.tagged {
        " With both, the service is tagged spotdrain = hold: the function leaves its tasks to the hold."
    } else {
        ""
    };
    format!(
        "{} of {} tasks are interrupted at 0 s, at {} new connections a second, {} % of them held for {} s. {kind} is \
         played: it sends no more new connections {} s after a target was deregistered, or {} s after it was marked \
         unhealthy{not}.{cuts}{left} A second of the drill was played in {:.2} s; the rate is that of real time.",
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

fn table(records: &[Record]) -> String {
    let rows: String = records.iter().map(row).collect();
    format!(
        "<table><thead><tr><th>With</th><th>Opened</th><th>Refused</th><th>Reset</th><th>Cut</th><th>Longest gap</th>\
         <th>Last new connection</th></tr></thead>\n<tbody>{rows}</tbody></table>\n"
    )
}

fn row(record: &Record) -> String {
    let figures = &record.figures;
    let loss = |count: usize| format!("<td class=\"{}\">{count}</td>", if count == 0 { "none" } else { "some" });
    let losses: String = [figures.refused, figures.reset, figures.cut].map(loss).concat();
    let gap = if figures.lost() == 0 { "–".to_owned() } else { format!("{:.0} ms", figures.longest_gap_ms) };
    let last = figures.last_new.map_or("–".to_owned(), |at| format!("{at:.1} s"));
    format!(
        "<tr><th>{}</th><td>{}</td>{losses}<td>{gap}</td><td>{last}</td></tr>\n",
        record.way.title(),
        figures.opened
    )
}

fn legend(most: f64) -> String {
    let marks: String =
        LEGEND.map(|(letter, what)| format!("<li><b class=\"{letter}\">{letter}</b>{what}</li>")).concat();
    format!(
        "<ul class=\"legend\"><li><i class=\"taken\"></i>new connections of an interrupted task</li>\
         <li><i class=\"other\"></i>of another task</li><li><i class=\"lost\"></i>lost connections (a full lane: {most:.0} a \
         second)</li>{marks}</ul>\n"
    )
}

fn section(record: &Record, most: f64) -> String {
    let lost = record.figures.lost();
    let verdict = if lost == 0 { "nothing lost".to_owned() } else { format!("{lost} connections lost") };
    let class = if lost == 0 { "none" } else { "some" };
    format!(
        "<section><h2>{} <span class=\"{class}\">{verdict}</span></h2>\n{}</section>\n",
        record.way.title(),
        chart(record, most)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{Figures, Marks};
    use crate::plan::tests::plan;
    use crate::way::Way;

    fn record(way: Way, refused: usize) -> Record {
        let figures = Figures { opened: 100, refused, reset: 0, cut: 0, longest_gap_ms: 12.0, last_new: Some(60.0) };
        let marks = Marks { task: "task-1".to_owned(), deregistered: Some(1.5), ..Marks::default() };
        let lane =
            Lane { task: "task-1".to_owned(), is_interrupted: true, served: vec![5.0, 1.0], lost: vec![0.0, 2.0] };
        Record { way, figures, interrupted: vec![marks], lanes: vec![lane], end: 131.0 }
    }

    #[test]
    fn the_page_needs_nothing_else() {
        let page = page(&plan(), &[record(Way::Nothing, 5), record(Way::Both, 0)]);
        for word in ["http", "<script", "src=", "@import", "url("] {
            assert!(!page.contains(word), "{word}");
        }
        assert_eq!(page.matches("<svg").count(), 2);
        assert_eq!(page.matches("<section").count(), page.matches("</section>").count());
    }

    #[test]
    fn a_run_is_told_with_its_verdict_and_its_marks() {
        let page = page(&plan(), &[record(Way::Nothing, 5), record(Way::Both, 0)]);
        assert!(page.contains("Nothing <span class=\"some\">5 connections lost</span>"));
        assert!(page.contains("The function and the hold <span class=\"none\">nothing lost</span>"));
        assert!(page.contains("task-1: deregistered at 1.5 s"));
    }
}

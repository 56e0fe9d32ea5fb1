//! The probe's page: one self-contained HTML page without scripts or external resources.

use crate::probe::estimate::Bounds;
use crate::probe::record::{ConnectionCounts, ProbeRecord, Second};
use crate::report::chart::{Chart, ChartRow, Mark};
use crate::report::html::{document, escape};
use crate::report::page::{STYLE, lost_connections, percent};

/// Renders a result as one HTML page.
#[must_use]
pub fn page(record: &ProbeRecord) -> String {
    let (against, lost) = (escape(&record.against), record.total.lost());
    let class = if lost == 0 { "none" } else { "some" };
    let verdict = lost_connections(lost);
    let main = format!(
        "<h1>{against} <span class=\"{class}\">{verdict}</span></h1>\n<p>{}</p>\n{}{}{}{}{}",
        setting(record),
        stalled(record),
        table(&record.total),
        measured(record),
        chart(record).draw(),
        events(record)
    );
    document(&format!("spotdrain probe: {}", record.against), STYLE, &main)
}

fn setting(record: &ProbeRecord) -> String {
    format!(
        "{} new connections per second for {:.0} s from {}, {} % of them held open. Times are seconds since then, by the clock of \
         the probing machine.",
        record.rate,
        record.seconds,
        escape(&record.started),
        record.held_percent
    )
}

fn stalled(record: &ProbeRecord) -> String {
    let text = |at, seconds| {
        format!(
            "<p class=\"some\">The probe itself stood still for {seconds} s until {at} s. The figures are not valid.</p>\n"
        )
    };
    record.stalled.map(|stall| text(stall.at, stall.seconds)).unwrap_or_default()
}

fn table(total: &ConnectionCounts) -> String {
    let loss = |count: usize| {
        let class = if count == 0 { "none" } else { "some" };
        format!("<td class=\"{class}\">{count}</td><td>{}</td>", percent(count, total.opened))
    };
    let losses: String = [total.refused, total.reset, total.cut].map(loss).concat();
    format!(
        "<table><thead><tr><th>Opened</th><th>Refused</th><th></th><th>Reset</th><th></th><th>Cut</th><th></th>\
         <th>Longest gap</th></tr></thead>\n<tbody><tr><td>{}</td>{losses}<td>{:.2} s</td></tr></tbody></table>\n",
        total.opened, total.longest_gap_seconds
    )
}

fn measured(record: &ProbeRecord) -> String {
    let row = |(name, bounds): (&str, Bounds)| format!("<tr><th>{name}</th><td>{bounds}</td></tr>\n");
    let rows = record.measured.delays().into_iter().map(row).collect::<Vec<_>>().concat();
    let why = record.experiment.as_ref().and_then(|experiment| experiment.not_measured.as_deref());
    let why = why.map(|why| format!("<p>Not measured: {}</p>\n", escape(why))).unwrap_or_default();
    if rows.is_empty() {
        return why;
    }
    format!("<h2>Until the last new connection of the target</h2>\n<table><tbody>{rows}</tbody></table>\n")
}

fn chart(record: &ProbeRecord) -> Chart {
    // A connection that was cut after the end of the traffic adds a later second, which the chart leaves out.
    let seconds: Vec<_> = record.per_second.iter().filter(|second| float(second.second) < record.seconds).collect();
    let lost = seconds.iter().map(|second| float(second.counts.lost())).collect();
    let served = |second: &&Second| float(second.counts.opened.saturating_sub(second.counts.lost()));
    let all = ChartRow {
        name: "all".to_owned(),
        is_affected: false,
        served: seconds.iter().map(served).collect(),
        lost,
        marks: Vec::new(),
    };
    let target = record.experiment.as_ref().and_then(|experiment| experiment.server.as_deref());
    let servers = record.servers.iter().map(|server| {
        let is_affected = target == Some(server.name.as_str());
        let mark = Mark { letter: 'L', at: server.last_new, text: "last new connection".to_owned() };
        let marks = if is_affected { vec![mark] } else { Vec::new() };
        // A lost connection has no server.
        let lost = vec![0.0; server.per_second.len()];
        ChartRow { name: server.name.clone(), is_affected, served: server.per_second.clone(), lost, marks }
    });
    let rows: Vec<_> = [all].into_iter().chain(servers).collect();
    let max = rows
        .iter()
        .flat_map(|row| row.served.iter().zip(&row.lost))
        .map(|(served, lost)| served + lost)
        .fold(1.0, f64::max);
    let events = record.marks.iter().map(|mark| (mark.at, mark.text.clone())).collect();
    Chart {
        title: "connections per second".to_owned(),
        start: 0.0,
        end: record.seconds.max(1.0),
        bin: 1.0,
        max,
        events,
        rows,
    }
}

#[allow(clippy::cast_precision_loss, reason = "a second has few connections")]
fn float(count: usize) -> f64 {
    count as f64
}

fn events(record: &ProbeRecord) -> String {
    let marks = record.marks.iter().map(|mark| (mark.at, escape(&mark.text)));
    let states = record.states.iter().map(|change| (change.seen.to, escape(&change.to_string())));
    let mut all: Vec<_> = marks.chain(states).collect();
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    if all.is_empty() {
        return String::new();
    }
    let row = |(at, text): (f64, String)| format!("<tr><td>{at:.1} s</td><th>{text}</th></tr>\n");
    let rows = all.into_iter().map(row).collect::<Vec<_>>().concat();
    format!("<h2>What happened</h2>\n<table class=\"events\"><tbody>{rows}</tbody></table>\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::outcome::ClientView;
    use crate::clients::traffic::{Stall, TrafficSettings};
    use crate::probe::record::{ProbeMark, tests::attempt};

    fn record(view: ClientView) -> ProbeRecord {
        let settings = TrafficSettings { rate: 2, held_percent: 0, held_seconds: 1.0, end: 3.0 };
        let attempts = [attempt(0.2, ClientView::Whole, Some("<a>")), attempt(1.2, view, None)];
        let mut record = ProbeRecord::of("web.example:80", "2026-11-27T12:00:00Z".to_owned(), settings, 3.0, &attempts);
        record.marks = vec![ProbeMark { at: 1.0, text: "<stopped>".to_owned() }];
        record
    }

    #[test]
    fn the_page_is_self_contained_and_escapes_what_servers_and_users_name() {
        let page = page(&record(ClientView::Refused));
        for word in ["http:", "https:", "<script", "src=", "@import", "url(", "<a>", "<stopped>"] {
            assert!(!page.contains(word), "{word}");
        }
        assert!(page.contains("1 connection lost") && page.contains("50.0 %") && page.contains("&lt;stopped&gt;"));
    }

    #[test]
    fn a_stalled_probe_says_that_its_figures_are_not_valid() {
        let mut record = record(ClientView::Whole);
        assert!(page(&record).contains("nothing lost"));
        record.stalled = Some(Stall { at: 2.0, seconds: 1.5 });
        assert!(page(&record).contains("stood still for 1.5 s until 2 s. The figures are not valid"));
    }
}

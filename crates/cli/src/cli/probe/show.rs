//! A probe's result as text.

use std::io::Write as _;

use spotdrain_drill::probe::record::Second;
use spotdrain_drill::{lost_connections, percent};

use super::args::ProbeArgs;
use super::{ProbeRecord, write_error};
use crate::cli::exit::CliError;
use crate::cli::output::style::{BAD, BOLD, CAREFUL, GOOD, QUIET};
use crate::cli::output::table::{Cell, Table, plain};

/// The most seconds without a loss inside one span of losses.
const SPAN_PAUSE: usize = 3;

pub(crate) fn text(args: &ProbeArgs, record: &ProbeRecord) -> Result<(), CliError> {
    let ProbeRecord { against, rate, held_percent, seconds, .. } = record;
    let mut text = format!(
        "{BOLD}spotdrain probe {against}{BOLD:#} {QUIET}{rate} connections a second for {seconds:.0} s, {held_percent} % held open{QUIET:#}\n\n"
    );
    text += &totals(record).to_string();
    if !record.servers.is_empty() {
        text += &format!("\n{}", servers(record));
    }
    let events = events(record);
    if !events.is_empty() {
        let mut table = Table::new(2, &["AT", "WHAT"]);
        for (at, cell) in events {
            table.row([plain(format!("{at:.1} s")), cell]);
        }
        text += &format!("\n{table}");
    }
    text += &measured(record);
    if let Some(file) = &args.html {
        text += &format!("\n{QUIET}timeline: {}{QUIET:#}\n", file.display());
    }
    write!(anstream::stdout(), "{text}").map_err(|error| write_error(&error))
}

fn totals(record: &ProbeRecord) -> Table {
    let total = &record.total;
    let mut table = Table::new(2, &["OPENED", "REFUSED", "RESET", "CUT", "LOST", "LONGEST GAP"]);
    let loss = |count: usize| (count.to_string(), if count == 0 { GOOD } else { BAD });
    let share = (percent(total.lost(), total.opened), loss(total.lost()).1);
    let gap = if total.lost() == 0 { "-".to_owned() } else { format!("{:.2} s", total.longest_gap_seconds) };
    let losses = [total.refused, total.reset, total.cut].map(loss);
    table.row([plain(total.opened.to_string())].into_iter().chain(losses).chain([share, plain(gap)]));
    table
}

fn servers(record: &ProbeRecord) -> Table {
    let target = record.experiment.as_ref().and_then(|experiment| experiment.server.as_deref());
    let mut table = Table::new(2, &["SERVER", "ANSWERED", "LAST NEW"]);
    for server in &record.servers {
        let is_target = target == Some(server.name.as_str());
        let name = if is_target { (format!("{} (the target)", server.name), BOLD) } else { plain(&server.name) };
        table.row([name, plain(server.served.to_string()), plain(format!("{:.1} s", server.last_new))]);
    }
    table
}

/// Marks, changes of state and spans of losses, sorted by time.
fn events(record: &ProbeRecord) -> Vec<(f64, Cell)> {
    let marks = record.marks.iter().map(|mark| (mark.at, (mark.text.clone(), BOLD)));
    let states = record.states.iter().map(|change| (change.seen.to, plain(change.to_string())));
    let mut all: Vec<_> = marks.chain(states).chain(losses(&record.per_second)).collect();
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    all
}

/// Consecutive seconds with losses make one span.
fn losses(per_second: &[Second]) -> Vec<(f64, Cell)> {
    let mut spans: Vec<(usize, usize, usize)> = Vec::new();
    for second in per_second.iter().filter(|second| second.counts.lost() > 0) {
        let (at, new) = (second.second, second.counts.lost());
        match spans.last_mut() {
            Some((_, last, sum)) if at - *last <= SPAN_PAUSE => (*last, *sum) = (at, *sum + new),
            _ => spans.push((at, at, new)),
        }
    }
    let text = |(first, last, lost): (usize, usize, usize)| {
        #[allow(clippy::cast_precision_loss, reason = "a probe has few seconds")]
        let at = first as f64;
        (at, (format!("{}, until {} s", lost_connections(lost), last + 1), BAD))
    };
    spans.into_iter().map(text).collect()
}

fn measured(record: &ProbeRecord) -> String {
    if let Some(why) = record.experiment.as_ref().and_then(|experiment| experiment.not_measured.as_deref()) {
        return format!("\n{CAREFUL}not measured:{CAREFUL:#} {why}\n");
    }
    let delays = record.measured.delays();
    if delays.is_empty() {
        return String::new();
    }
    let mut table = Table::plain(2);
    for (name, bounds) in delays {
        table.row([plain(name), plain(bounds.to_string())]);
    }
    format!("\nUntil the last new connection of the target\n{table}")
}

#[cfg(test)]
mod tests {
    use spotdrain_drill::probe::record::ConnectionCounts;

    use super::*;

    #[test]
    fn consecutive_losses_make_one_span() {
        let lost = [0, 2, 0, 0, 1, 0, 0, 0, 0, 3];
        let per_second = lost.iter().enumerate().map(|(second, refused)| Second {
            second,
            counts: ConnectionCounts { opened: 10, refused: *refused, ..ConnectionCounts::default() },
        });
        let texts: Vec<_> =
            losses(&per_second.collect::<Vec<_>>()).into_iter().map(|(at, cell)| (at, cell.0)).collect();
        let expected = [(1.0, "3 connections lost, until 5 s"), (9.0, "3 connections lost, until 10 s")];
        assert_eq!(texts, expected.map(|(at, text)| (at, text.to_owned())));
    }
}

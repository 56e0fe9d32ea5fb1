//! A report on the terminal.

use std::io::Write as _;

use anstyle::Style;
use spotdrain_core::history::Summary;
use spotdrain_core::history::sentences::{Tone, minute};

use super::sections::{Section, sections};
use crate::cli::exit::CliError;
use crate::cli::output;
use crate::cli::output::style::{BOLD, CAREFUL, GOOD, QUIET};
use crate::cli::output::table::{Cell, Table, plain};

/// What marks every view of a report on made-up records.
pub(crate) const SYNTHETIC: &str = "Synthetic data: made up for a demonstration, not measured.";

pub(crate) fn print(summary: &Summary) -> Result<(), CliError> {
    write!(anstream::stdout(), "{}", report(summary)).map_err(|error| output::write_error(&error))
}

fn report(summary: &Summary) -> String {
    let banner = if summary.synthetic { format!("{CAREFUL}{SYNTHETIC}{CAREFUL:#}\n") } else { String::new() };
    let mut text = format!("{banner}{BOLD}Fargate Spot interruptions{BOLD:#} {QUIET}{}{QUIET:#}\n\n", scope(summary));
    for sentence in &summary.sentences {
        let style = style(sentence.tone);
        text += &format!("{style}{}{style:#}\n", sentence.text);
    }
    text += &days(summary);
    for section in sections(summary) {
        text += &table(&section);
    }
    text + &banner
}

/// `2026-10-28 12:00 UTC to 2026-11-27 12:00 UTC, 3 accounts, cluster demo, service web`.
pub(crate) fn scope(summary: &Summary) -> String {
    let named =
        |what: &str, name: &Option<String>| name.as_ref().map(|name| format!(", {what} {name}")).unwrap_or_default();
    let (cluster, service) = (named("cluster", &summary.cluster), named("service", &summary.service));
    let accounts = match summary.accounts.len() {
        0 => String::new(),
        1 => ", 1 account".to_owned(),
        count => format!(", {count} accounts"),
    };
    format!("{} to {}{accounts}{cluster}{service}", minute(summary.from), minute(summary.to))
}

fn style(tone: Tone) -> Style {
    match tone {
        Tone::Plain => Style::new(),
        Tone::Good => GOOD,
        Tone::Careful => CAREFUL,
    }
}

/// Interruptions by day and by hour, each a row of bars.
fn days(summary: &Summary) -> String {
    let (Some(first), Some(last)) = (summary.by_day.first(), summary.by_day.last()) else { return String::new() };
    if summary.interruptions == 0 {
        return String::new();
    }
    let days: Vec<_> = summary.by_day.iter().map(|day| day.interruptions).collect();
    let mut table = Table::new(2, &["", "", "", "MOST"]);
    let mut row = |from: String, values: &[u64], to: String| {
        let most = values.iter().max().copied().unwrap_or(0);
        table.row([plain(from), plain(bars(values)), plain(to), plain(most.to_string())]);
    };
    row(first.date.to_string(), &days, last.date.to_string());
    row("hour 00".to_owned(), &summary.by_hour, "23 UTC".to_owned());
    format!("\n{BOLD}By day and by hour{BOLD:#}\n{table}")
}

fn bars(values: &[u64]) -> String {
    const LEVELS: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = values.iter().max().copied().unwrap_or(1).max(1);
    let level = |value: &u64| usize::try_from((value * 8).div_ceil(most)).unwrap_or(0);
    values.iter().filter_map(|value| LEVELS.get(level(value))).collect()
}

fn table(section: &Section) -> String {
    let head: Vec<_> = section.head.iter().map(|name| name.to_uppercase()).collect();
    let mut table = Table::new(2, &head.iter().map(String::as_str).collect::<Vec<_>>());
    for row in &section.rows {
        table.row(row.cells.iter().map(|cell| -> Cell { plain(cell) }));
    }
    let note = section.note.as_ref().map(|note| format!("  {QUIET}{note}{QUIET:#}\n")).unwrap_or_default();
    format!("\n{BOLD}{}{BOLD:#}\n{table}{note}", section.title)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_a_part_of_the_largest() {
        assert_eq!(bars(&[0, 1, 4, 8]), "·▁▄█");
        assert_eq!(bars(&[0, 0]), "··");
        assert_eq!(bars(&[1, 100]), "▁█", "one is never nothing");
    }
}

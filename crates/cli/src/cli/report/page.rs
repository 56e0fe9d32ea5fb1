//! A report as one self-contained HTML page. It has no scripts and no external resources, and escapes every value.

use spotdrain_core::history::Summary;
use spotdrain_core::history::sentences::{Sentence, Tone, milliseconds};
use spotdrain_drill::html::{document, escape};

use super::charts;
use super::sections::{Row, Section, sections};
use super::text::{SYNTHETIC, scope};

const STYLE: &str = include_str!("page.css");

pub(crate) fn page(summary: &Summary) -> String {
    let sentences: String = summary.sentences.iter().map(sentence).collect();
    let charts =
        if summary.interruptions == 0 { String::new() } else { charts::by_day(summary) + &charts::by_hour(summary) };
    let tables: String = sections(summary).iter().map(table).collect();
    let (banner, figures, scope) = (banner(summary), figures(summary), escape(&scope(summary)));
    let main = format!(
        "{banner}<h1>Fargate Spot interruptions</h1>\n<p>{scope}</p>\n<ul class=\"sentences\">{sentences}</ul>\n{figures}{charts}\
         <div class=\"tables\">{tables}</div>\n{FOOT}"
    );
    let title = if summary.synthetic { "spotdrain report, synthetic data" } else { "spotdrain report" };
    document(title, STYLE, &main)
}

const FOOT: &str = "<footer>Days and hours are UTC. Percentiles are values that were measured (nearest rank). Made by spotdrain report.</footer>\n";

/// The banner. It is repeated on every printed page, because its position is fixed.
fn banner(summary: &Summary) -> String {
    if summary.synthetic { format!("<div class=\"synthetic\">{SYNTHETIC}</div>\n") } else { String::new() }
}

fn sentence(sentence: &Sentence) -> String {
    let class = match sentence.tone {
        Tone::Plain => "plain",
        Tone::Good => "good",
        Tone::Careful => "careful",
    };
    format!("<li class=\"{class}\">{}</li>", escape(&sentence.text))
}

/// The four figures that a reader looks for first.
fn figures(summary: &Summary) -> String {
    let share = summary.first.ecs_percent().map(|share| format!("{share:.0} %"));
    let slowest = summary.notice_to_deregistered_ms.as_ref().map(|times| milliseconds(times.p99));
    let sweep = summary.sweeps.first().map(|sweep| format!("{} tasks", sweep.tasks));
    let all = [
        (Some(summary.interruptions.to_string()), format!("interruptions in {}", summary.window)),
        (share, "ECS was first".to_owned()),
        (slowest, "notice to deregistered, p99".to_owned()),
        (sweep, "largest sweep".to_owned()),
    ];
    let figure = |(value, what): &(Option<String>, String)| {
        let value = value.as_deref().unwrap_or("–");
        format!("<div><b>{}</b>{}</div>", escape(value), escape(what))
    };
    format!("<div class=\"figures\">{}</div>\n", all.iter().map(figure).collect::<String>())
}

fn table(section: &Section) -> String {
    let head: String = section.head.iter().map(|name| heading(name)).collect();
    let rows: String = section.rows.iter().map(row).collect();
    let note = section.note.as_ref().map(|note| format!("<p>{}</p>\n", escape(note))).unwrap_or_default();
    // Two columns fit beside others; more need the whole width.
    let class = if section.head.len() > 2 { " class=\"wide\"" } else { "" };
    format!(
        "<section{class}><h2>{}</h2>\n<div class=\"scroll\"><table><thead><tr>{head}</tr></thead>\n<tbody>{rows}</tbody></table></div>\n{note}</section>\n",
        escape(section.title)
    )
}

fn heading(name: &str) -> String {
    format!("<th>{}</th>", escape(name))
}

fn row(row: &Row) -> String {
    let mut cells = row.cells.iter();
    let first = cells.next().map(|cell| format!("<th>{}{}</th>", escape(cell), bar(row.bar))).unwrap_or_default();
    let rest: String = cells.map(|text| cell(text)).collect();
    format!("<tr>{first}{rest}</tr>\n")
}

/// A cell with more than a number or a time may be wrapped.
fn cell(text: &str) -> String {
    let class = if text.chars().count() > 24 { " class=\"long\"" } else { "" };
    format!("<td{class}>{}</td>", escape(text))
}

fn bar(percent: Option<u64>) -> String {
    percent.map(|percent| format!("<i class=\"bar\" style=\"width:{percent}%\"></i>")).unwrap_or_default()
}

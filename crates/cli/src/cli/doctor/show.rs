//! A diagnosis for a person.

use std::io::Write as _;

use anstyle::Style;
use spotdrain_doctor::diagnosis::{Diagnosis, Finding, NotChecked};
use spotdrain_doctor::forecast::{Change, Forecast, Outlook};
use spotdrain_doctor::{CHECKS, Severity};

use crate::cli::exit::Problem;
use crate::cli::present::{BAD, BOLD, CAREFUL, GOOD, QUIET};
use crate::cli::show::broken;
use crate::cli::table::{Cell, Table, plain};

/// Prints a diagnosis; the mend of a template is a line of it, else it is a command.
pub(crate) fn diagnosis(diagnosis: &Diagnosis, unused: &[String], of_template: bool) -> Result<(), Problem> {
    let mut text = String::new();
    for finding in diagnosis.open() {
        text += &format!("{}\n", finding_table(finding, of_template));
    }
    text += &forecasts(&diagnosis.forecasts);
    text += &not_checked(&diagnosis.not_checked);
    for line in unused {
        text += &format!("{CAREFUL}accepted, and not found any more{CAREFUL:#}: {line}\n");
    }
    text += &summary(diagnosis);
    write!(anstream::stdout(), "{text}").map_err(|error| broken(&error))
}

/// The colour of a severity.
pub(crate) fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Error => BAD,
        Severity::Warning => CAREFUL,
        Severity::Note => Style::new(),
    }
}

fn finding_table(finding: &Finding, of_template: bool) -> Table {
    let fault = &finding.fault;
    let place = match (&fault.place.file, fault.place.line) {
        (Some(file), Some(line)) => format!("{}  ({file}:{line})", fault.place.name),
        _ => fault.place.name.clone(),
    };
    let (first, second) = (&fault.mend.template, &fault.mend.command);
    let (first, second) = if of_template { (first, second) } else { (second, first) };
    let mend = if first.is_empty() { second } else { first };
    let mut table = Table::plain(0);
    let severity = finding.check.severity;
    let label = (severity.as_str().to_owned(), severity_style(severity));
    table.row([(finding.check.id.to_owned(), BOLD), label, (place, BOLD)]);
    for (label, text) in [("found", &fault.found), ("costs", &fault.cost.to_string()), ("mend", mend)] {
        table.row([plain(""), (label.to_owned(), QUIET), plain(text)]);
    }
    table
}

fn forecasts(forecasts: &[Forecast]) -> String {
    if forecasts.is_empty() {
        return String::new();
    }
    let mut table = Table::new(2, &["SERVICE", "TARGET GROUP", "LAST NEW", "REFUSED", "WOULD CHANGE IT"]);
    for forecast in forecasts {
        forecast_rows(&mut table, forecast);
    }
    format!(
        "{BOLD}Forecast{BOLD:#} {QUIET}seconds from SIGTERM to the last new connection at the latest, and how many are refused\n\
         by an application that closes its port on SIGTERM (by one that serves until SIGKILL){QUIET:#}\n{table}\n"
    )
}

/// One row for each thing that would change it; the first with the names.
fn forecast_rows(table: &mut Table, forecast: &Forecast) {
    let name = |text: &str| text.split_once(' ').map_or(text, |(_, name)| name).to_owned();
    let group = forecast.group.strip_prefix("target group ").unwrap_or(&forecast.group);
    let mut names = [plain(name(&forecast.service)), plain(group), last(forecast.now), refused(forecast.now)];
    let changes: Vec<_> = if forecast.changes.is_empty() {
        vec![("nothing that is known here".to_owned(), QUIET)]
    } else {
        forecast.changes.iter().map(change).collect()
    };
    for told in changes {
        table.row(names.into_iter().chain([told]));
        names = ["", "", "", ""].map(plain);
    }
}

fn last(outlook: Outlook) -> Cell {
    plain(format!("{} s", outlook.last_new_connection_seconds))
}

fn refused(outlook: Outlook) -> Cell {
    let (most, least) = (outlook.refused_seconds, outlook.refused_at_least_seconds);
    let style = if most == 0 { GOOD } else { BAD };
    (if most == least { format!("{most} s") } else { format!("{most} s ({least} s)") }, style)
}

fn change(change: &Change) -> Cell {
    let then = change.then;
    plain(format!("{}: {}, {} refused", change.what, last(then).0, refused(then).0))
}

fn not_checked(entries: &[NotChecked]) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let mut text = format!("{BOLD}Not checked{BOLD:#} {QUIET}which does not mean fine{QUIET:#}\n");
    for entry in entries {
        let checks = if entry.checks.is_empty() { "all".to_owned() } else { entry.checks.join(", ") };
        text += &format!("  {CAREFUL}{}{CAREFUL:#}: {}\n    {QUIET}{checks}{QUIET:#}\n", entry.subject, entry.why);
    }
    text + "\n"
}

fn summary(diagnosis: &Diagnosis) -> String {
    if diagnosis.services == 0 && diagnosis.findings.is_empty() {
        return format!("{BOLD}doctor{BOLD:#} {CAREFUL}found no service to examine{CAREFUL:#}\n");
    }
    let (found, style) = counts(diagnosis);
    let mut text = format!("{BOLD}doctor{BOLD:#} {style}{found}{style:#}");
    text += &format!(" in {} by {} checks", plural(diagnosis.services, "service"), CHECKS.len());
    let accepted = diagnosis.findings.len() - diagnosis.open().count();
    if accepted > 0 {
        text += &format!("; {accepted} accepted");
    }
    if !diagnosis.not_checked.is_empty() {
        text += &format!("; {CAREFUL}not all was checked{CAREFUL:#}");
    }
    text + "\n"
}

fn counts(diagnosis: &Diagnosis) -> (String, Style) {
    let count = |severity| diagnosis.open().filter(|finding| finding.check.severity == severity).count();
    let all = [Severity::Error, Severity::Warning, Severity::Note];
    let told = all.map(|severity| plural(count(severity), severity.as_str()));
    match diagnosis.worst() {
        None => ("nothing found".to_owned(), GOOD),
        Some(Severity::Error) => (told.join(", "), BAD),
        Some(Severity::Warning) => (told.join(", "), CAREFUL),
        Some(Severity::Note) => (told.join(", "), GOOD),
    }
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

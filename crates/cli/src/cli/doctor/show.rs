//! The diagnosis as text.

use std::io::Write as _;

use anstyle::Style;
use spotdrain_doctor::Severity;
use spotdrain_doctor::delays::{Delays, LoadBalancerDelays};
use spotdrain_doctor::diagnosis::{Diagnosis, Finding, NotApplicable, NotChecked};
use spotdrain_doctor::forecast::{Change, Forecast, Outlook};
use spotdrain_doctor::model::root::{Origin, Place};

use crate::cli::exit::CliError;
use crate::cli::output::style::{BAD, BOLD, CAREFUL, GOOD, QUIET};
use crate::cli::output::table::{Cell, Table, plain};
use crate::cli::output::write_error;

/// Prints the diagnosis. For a template or a plan a fix is a line of its configuration, otherwise a command.
pub(crate) fn diagnosis(diagnosis: &Diagnosis, unused: &[String]) -> Result<(), CliError> {
    let mut text = String::new();
    for group in diagnosis.groups() {
        text += &format!("{}\n", finding_table(&group, diagnosis.origin));
    }
    text += &forecasts(&diagnosis.forecasts, diagnosis.delays, diagnosis.origin);
    text += &not_applicable(&diagnosis.not_applicable);
    text += &not_checked(&diagnosis.not_checked);
    for line in unused.iter().chain(&diagnosis.stale) {
        text += &format!("{CAREFUL}accepted but no longer found{CAREFUL:#}: {line}\n");
    }
    text += &summary(diagnosis);
    write!(anstream::stdout(), "{text}").map_err(|error| write_error(&error))
}

/// The colour of a severity.
pub(crate) fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Error => BAD,
        Severity::Warning => CAREFUL,
        Severity::Note => Style::new(),
    }
}

/// A table of equal findings: the places one below the other, and the rest once.
fn finding_table(findings: &[&Finding], origin: Origin) -> Table {
    let mut table = Table::plain(0);
    let [finding, others @ ..] = findings else { return table };
    let problem = &finding.problem;
    let severity = finding.severity();
    let label = (severity.as_str().to_owned(), severity_style(severity));
    table.row([(finding.check.id.to_owned(), BOLD), label, (place(&problem.place), BOLD)]);
    for other in others {
        table.row([plain(""), plain(""), (place(&other.problem.place), BOLD)]);
    }
    if let Some(why) = &finding.if_on_spot {
        let text = format!("this runs on Fargate Spot, which is unknown: {why}");
        table.row([plain(""), ("if".to_owned(), CAREFUL), plain(text)]);
    }
    let impact = problem.impact.to_string();
    let lines = [("problem", problem.description.as_str()), ("impact", &impact), ("fix", problem.fix.of(origin))];
    for (label, text) in lines {
        table.row([plain(""), (label.to_owned(), QUIET), plain(text)]);
    }
    table
}

fn place(place: &Place) -> String {
    match (&place.file, place.line) {
        (Some(file), Some(line)) => format!("{}  ({file}:{line})", place.name),
        _ => place.name.clone(),
    }
}

fn forecasts(forecasts: &[Forecast], delays: Delays, origin: Origin) -> String {
    if forecasts.is_empty() {
        return String::new();
    }
    let mut table = Table::new(2, &["SERVICE", "TARGET GROUP", "LAST NEW", "REFUSED", "WOULD CHANGE IT"]);
    for forecast in forecasts {
        forecast_rows(&mut table, forecast);
    }
    format!(
        "{BOLD}Forecast{BOLD:#}{QUIET}\n  LAST NEW: seconds from SIGTERM until the load balancer sends the last new connection\n  \
         REFUSED: for how many seconds they are refused if the application closes its port on SIGTERM\n  \
         (in brackets: if it serves until SIGKILL){QUIET:#}\n{}{table}{}\n",
        measured(delays),
        missing_function(forecasts, origin)
    )
}

/// Where the function comes from, if it would change the forecast and the files do not contain it.
fn missing_function(forecasts: &[Forecast], origin: Origin) -> String {
    let helps = forecasts.iter().flat_map(|forecast| &forecast.changes).any(|change| change.what == "function");
    if origin == Origin::Deployed || !helps {
        return String::new();
    }
    format!("  {QUIET}The function is not in these files. To deploy it: docs/deploy.md{QUIET:#}\n")
}

/// Says which of the delays the user has measured.
fn measured(delays: Delays) -> String {
    let lines = [("NLB", delays.network), ("ALB", delays.application)];
    let line = |(name, delays): (&str, LoadBalancerDelays)| {
        format!("{QUIET}with your measurement of an {name}: {delays}{QUIET:#}\n")
    };
    lines.into_iter().filter(|(_, delays)| delays.is_measured).map(line).collect()
}

/// Adds a row for each change that would help. The first has the service and the target group.
fn forecast_rows(table: &mut Table, forecast: &Forecast) {
    let name = |text: &str| text.split_once(' ').map_or(text, |(_, name)| name).to_owned();
    let group = forecast.group.strip_prefix("target group ").unwrap_or(&forecast.group);
    let mut names = [plain(name(&forecast.service)), plain(group), last(forecast.now), refused(forecast.now)];
    let changes: Vec<_> = if forecast.changes.is_empty() {
        vec![("nothing known here".to_owned(), QUIET)]
    } else {
        forecast.changes.iter().map(change).collect()
    };
    for change in changes {
        table.row(names.into_iter().chain([change]));
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

fn not_applicable(entries: &[NotApplicable]) -> String {
    let mut text = String::new();
    for entry in entries {
        text += &format!("{BOLD}{}{BOLD:#}: {}: {} checks do not apply\n", entry.subject, entry.why, entry.checks);
    }
    if text.is_empty() { text } else { text + "\n" }
}

fn not_checked(entries: &[NotChecked]) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let mut text = format!("{BOLD}Not checked{BOLD:#} {QUIET}this does not mean fine{QUIET:#}\n");
    for entry in entries {
        let checks = if entry.checks.is_empty() { "all".to_owned() } else { entry.checks.join(", ") };
        text += &format!("  {CAREFUL}{}{CAREFUL:#}: {}\n    {QUIET}{checks}{QUIET:#}\n", entry.subject, entry.why);
    }
    text + "\n"
}

fn summary(diagnosis: &Diagnosis) -> String {
    if diagnosis.is_empty() {
        return String::new();
    }
    let never = diagnosis.not_applicable.len();
    if diagnosis.findings.is_empty() && diagnosis.services > 0 && never == diagnosis.services {
        let services = plural(never, "service");
        return format!("{BOLD}doctor{BOLD:#} {CAREFUL}{services}, none of them on Fargate Spot{CAREFUL:#}\n");
    }
    let (found, style) = counts(diagnosis);
    let mut text = format!("{BOLD}doctor{BOLD:#} {style}{found}{style:#}");
    text += &format!(" in {} by {} checks", plural(diagnosis.services, "service"), diagnosis.checks);
    if never > 0 {
        text += &format!("; {} never on Fargate Spot", plural(never, "service"));
    }
    let accepted = diagnosis.findings.len() - diagnosis.open().count();
    if accepted > 0 {
        text += &format!("; {accepted} accepted");
    }
    if !diagnosis.not_checked.is_empty() {
        text += &format!("; {CAREFUL}some settings were not checked{CAREFUL:#}");
    }
    text + "\n"
}

fn counts(diagnosis: &Diagnosis) -> (String, Style) {
    let count = |severity| diagnosis.open().filter(|finding| finding.severity() == severity).count();
    let all = [Severity::Error, Severity::Warning, Severity::Note];
    let counted = all.map(|severity| plural(count(severity), severity.as_str()));
    match diagnosis.worst() {
        None if diagnosis.open().next().is_some() => (counted.join(", "), CAREFUL),
        None => ("nothing found".to_owned(), GOOD),
        Some(Severity::Error) => (counted.join(", "), BAD),
        Some(Severity::Warning) => (counted.join(", "), CAREFUL),
        Some(Severity::Note) => (counted.join(", "), GOOD),
    }
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

//! The demo's timeline: the notice, the calls that the local AWS received, and the outcomes.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use spotdrain_core::model::observed::Target;
use spotdrain_core::report::{NoticeRecord, RegistrationRecord, Report};
use spotdrain_localaws::Call;

use super::style::{GOOD, QUIET};
use super::table::{Table, plain};

#[derive(Debug, Serialize)]
struct Step {
    milliseconds: f64,
    #[serde(rename = "step")]
    verb: &'static str,
    what: String,
}

/// The steps, in order.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Timeline(Vec<Step>);

/// Builds the timeline. `interrupted` is the time of the interruption on the local AWS's clock; `took` is the duration of
/// `handle`.
pub(crate) fn timeline(calls: &[Call], interrupted: Duration, took: Duration, report: &Report) -> Timeline {
    let mut steps: Vec<_> = report.notices.iter().map(notice).collect();
    let calls = calls.iter().filter(|call| call.at >= interrupted);
    steps.extend(calls.map(|call| of_call(call, interrupted)));
    let outcomes = report.notices.iter().flat_map(|notice| &notice.registrations);
    steps.extend(outcomes.map(|row| outcome(row, took)));
    Timeline(steps)
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

fn notice(notice: &NoticeRecord) -> Step {
    let id: String = notice.notice.task.arn.id().chars().take(8).collect();
    let code = notice.notice.task.stop_code.as_ref().map_or("no stop code", |code| code.as_ref());
    let addresses: Vec<_> = notice.notice.task.addresses.iter().map(ToString::to_string).collect();
    Step { milliseconds: 0.0, verb: "notice", what: format!("{code}: task {id} at {}", addresses.join(", ")) }
}

fn of_call(call: &Call, interrupted: Duration) -> Step {
    let verb = if call.action.starts_with("Describe") { "observe" } else { "execute" };
    let resource = call.resource.as_deref().map(short).unwrap_or_default();
    let targets = if call.targets.is_empty() { String::new() } else { format!(": {}", call.targets.join(", ")) };
    let what = format!("{} {resource}{targets}", call.action);
    Step { milliseconds: milliseconds(call.at.saturating_sub(interrupted)), verb, what }
}

/// Returns the NAME in `targetgroup/NAME/ID` and `cluster/NAME`.
fn short(arn: &str) -> &str {
    arn.split('/').nth(1).unwrap_or(arn)
}

fn outcome(row: &RegistrationRecord, took: Duration) -> Step {
    let target = Target { address: row.target, port: row.port };
    let before = row.state.as_ref().map_or("not there", |state| state.as_ref());
    let what = format!("{} {target} in {} (was {before})", row.outcome.as_str(), row.target_group.name());
    Step { milliseconds: milliseconds(took), verb: "report", what }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::plain(2);
        let width = self.0.iter().map(|step| format!("{:.1}", step.milliseconds).len()).max().unwrap_or_default();
        for step in &self.0 {
            let style = if step.verb == "report" { GOOD } else { anstyle::Style::new() };
            let at = format!("{:>width$.1} ms", step.milliseconds);
            table.row([(at, QUIET), plain(step.verb), (step.what.clone(), style)]);
        }
        table.fmt(f)
    }
}

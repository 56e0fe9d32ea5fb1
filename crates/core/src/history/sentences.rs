//! What the numbers mean, in sentences for people.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::counts::Firsts;
use super::percentiles::Percentiles;
use super::summary::Summary;

/// A sentence, and whether it is good news.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sentence {
    pub tone: Tone,
    pub text: String,
}

/// How a reader should take a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    Plain,
    Good,
    /// Somebody should look at it.
    Careful,
}

/// Says what a report shows.
pub(crate) fn sentences(summary: &Summary) -> Vec<Sentence> {
    if summary.interruptions == 0 {
        return none(summary);
    }
    let all = [
        unread_accounts(summary),
        Some(who_was_first(summary)),
        value(summary),
        summary.notice_to_deregistered_ms.as_ref().map(times),
        fall(summary),
        sweep(summary),
        holds(summary),
        replacements(summary),
        placement_failures(summary),
        problems(summary),
    ];
    all.into_iter().flatten().collect()
}

fn plain(text: String) -> Sentence {
    Sentence { tone: Tone::Plain, text }
}

fn careful(text: String) -> Sentence {
    Sentence { tone: Tone::Careful, text }
}

fn good(text: String) -> Sentence {
    Sentence { tone: Tone::Good, text }
}

/// No interruption: say so, and what was read.
fn none(summary: &Summary) -> Vec<Sentence> {
    let read = match summary.lines.read {
        0 => "No log lines were read.".to_owned(),
        lines => format!("{} read.", number(lines, "log line was", "log lines were")),
    };
    let text = format!("No interruptions in {}. {read}", summary.window);
    let all = [unread_accounts(summary), Some(plain(text)), placement_failures(summary), problems(summary)];
    all.into_iter().flatten().collect()
}

/// "1 of 3 accounts could not be read, and is not in the numbers: staging in eu-west-1."
fn unread_accounts(summary: &Summary) -> Option<Sentence> {
    let unread: Vec<_> = summary.accounts.iter().filter(|account| account.problem.is_some()).collect();
    let names: Vec<_> = unread.iter().map(|account| account.name.to_string()).collect();
    let (count, all) = (unread.len(), summary.accounts.len());
    let rest = if count == 1 { "is not in the numbers" } else { "are not in the numbers" };
    let text = format!("{count} of {all} accounts could not be read, and {rest}: {}.", names.join(", "));
    (count > 0).then(|| careful(text))
}

/// "In 30 days ECS was first 96 times of 100; spotdrain deregistered 4."
fn who_was_first(summary: &Summary) -> Sentence {
    let (Firsts { ecs, spotdrain, .. }, window, known) = (summary.first, &summary.window, summary.first.known());
    let others = others(summary);
    if known == 0 {
        let interrupted = number(summary.interruptions, "task was", "tasks were");
        return plain(format!("In {window} {interrupted} interrupted.{others}"));
    }
    let deregistered = deregistered(summary, spotdrain);
    plain(format!("In {window} ECS was first {} of {known}; {deregistered}.{others}", number(ecs, "time", "times")))
}

/// Describes the interruptions for which it is unknown who was first: tasks without a load balancer, and groups that were read
/// too late.
fn others(summary: &Summary) -> String {
    let without = summary.problems.without_load_balancer;
    let unknown = summary.first.unknown.saturating_sub(without);
    let without = match without {
        0 => String::new(),
        _ => format!(" {} no load balancer.", number(without, "interrupted task has", "interrupted tasks have")),
    };
    match unknown {
        0 => without,
        _ => format!("{without} For {} it is unknown who was first.", number(unknown, "interruption", "interruptions")),
    }
}

/// Says whether spotdrain deregistered where it was first, or only observed.
fn deregistered(summary: &Summary, first: u64) -> String {
    match (summary.deregistered, summary.would_deregister) {
        (_, 0) => format!("spotdrain deregistered {first}"),
        (0, _) => format!("spotdrain would have deregistered {first} (observe mode)"),
        (_, _) => format!("spotdrain deregistered {first}, some of them only in observe mode"),
    }
}

/// Answers the question whether spotdrain is needed.
fn value(summary: &Summary) -> Option<Sentence> {
    let Firsts { spotdrain, .. } = summary.first;
    if summary.first.known() == 0 {
        return None;
    }
    let times = number(spotdrain, "interruption", "interruptions");
    Some(match (spotdrain, summary.deregistered) {
        (0, _) => good(
            "In every case in which it is known who was first, it was ECS: spotdrain made no difference.".to_owned(),
        ),
        (_, 0) => {
            careful(format!("In {times} the target was still in service when spotdrain read it. Nothing was changed."))
        }
        (_, _) => good(format!(
            "In {times} the target was still in service when spotdrain read it: without spotdrain it would have stayed in service longer."
        )),
    })
}

fn times(times: &Percentiles) -> Sentence {
    plain(format!(
        "From notice to deregistration: p50 {}, p90 {}, p99 {}, of {}.",
        milliseconds(times.p50),
        milliseconds(times.p90),
        milliseconds(times.p99),
        number(times.count as u64, "interruption", "interruptions")
    ))
}

fn fall(summary: &Summary) -> Option<Sentence> {
    let trend = summary.trend.as_ref().filter(|trend| trend.ecs_share_fell_by_half)?;
    let (recent, before) = (trend.last_7_days.ecs_percent()?, trend.the_28_days_before.ecs_percent()?);
    Some(careful(format!(
        "ECS was first in {recent:.0} % of the interruptions of the last 7 days ({}), and in {before:.0} % of the 28 days before ({}).",
        trend.last_7_days.known(),
        trend.the_28_days_before.known()
    )))
}

fn sweep(summary: &Summary) -> Option<Sentence> {
    let sweep = summary.sweeps.first()?;
    let at = minute(sweep.from);
    Some(plain(format!("The largest sweep took {} tasks within {} s, on {at}.", sweep.tasks, sweep.seconds.max(1))))
}

fn holds(summary: &Summary) -> Option<Sentence> {
    let rows = summary.holds.as_ref()?.by_load_balancer.iter();
    let (row, times) =
        rows.filter_map(|row| Some((row, row.last_new_ms.as_ref()?))).max_by_key(|(_, times)| times.max)?;
    let behind = match row.load_balancer.as_str() {
        "unknown" => "Behind a load balancer of unknown type".to_owned(),
        known => format!("Behind an {known}"),
    };
    let (p50, most) = (milliseconds(times.p50), milliseconds(times.max));
    Some(plain(format!("{behind} the last new connection came {p50} after the stop signal (p50), at most {most}.")))
}

fn replacements(summary: &Summary) -> Option<Sentence> {
    let found = summary.replacements.as_ref()?;
    let without = match found.without {
        0 => String::new(),
        without => {
            format!(" {} no replacement within an hour.", number(without, "interruption had", "interruptions had"))
        }
    };
    let tone = if found.without == 0 { Tone::Plain } else { Tone::Careful };
    let text = found
        .seconds
        .as_ref()
        .map(|times| format!("A replacement ran after {} s (p50), {} s (p90).", times.p50, times.p90));
    let text = text.unwrap_or_default() + &without;
    (!text.is_empty()).then(|| Sentence { tone, text: text.trim_start().to_owned() })
}

fn placement_failures(summary: &Summary) -> Option<Sentence> {
    let rows = &summary.replacements.as_ref()?.placement_failures;
    let failures = rows.iter().map(|row| row.count).sum::<u64>();
    let services = number(rows.len() as u64, "service", "services");
    let failed = number(failures, "placement failure", "placement failures");
    (failures > 0).then(|| careful(format!("ECS reported {failed} for {services}.")))
}

fn problems(summary: &Summary) -> Option<Sentence> {
    let problems = &summary.problems;
    if !problems.need_attention() {
        return None;
    }
    let parts = [
        (problems.failed, "interruption failed", "interruptions failed"),
        (problems.target_group_not_found, "target group was not found", "target groups were not found"),
        (problems.unreadable_messages, "message could not be read", "messages could not be read"),
    ];
    let parts: Vec<_> =
        parts.into_iter().filter(|part| part.0 > 0).map(|(count, one, many)| number(count, one, many)).collect();
    Some(careful(format!("Needs attention: {}.", parts.join(", "))))
}

/// `1 time`, `4 times`.
fn number(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// `840 ms`, `2.3 s`, `41 s`.
#[must_use]
pub fn milliseconds(milliseconds: u64) -> String {
    match milliseconds {
        0..1000 => format!("{milliseconds} ms"),
        1000..10_000 => format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
        _ => format!("{} s", milliseconds / 1000),
    }
}

/// `2026-11-12 03:14 UTC`.
#[must_use]
pub fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// `30 days`, `12 hours`, `90 minutes`.
#[must_use]
pub fn window(since: SignedDuration) -> String {
    let minutes = u64::try_from(since.as_mins()).unwrap_or(0);
    match minutes {
        0 => format!("{} seconds", since.as_secs()),
        _ if minutes % (24 * 60) == 0 => number(minutes / (24 * 60), "day", "days"),
        _ if minutes % 60 == 0 => number(minutes / 60, "hour", "hours"),
        _ => number(minutes, "minute", "minutes"),
    }
}

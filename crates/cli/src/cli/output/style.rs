//! Colours, times and sentences for people.

use anstyle::{AnsiColor, Style};
use jiff::{SignedDuration, Timestamp, Unit};
use spotdrain_core::model::notice::Ignored;
use spotdrain_core::model::outcome::Outcome;
use spotdrain_core::report::Verdict;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// For what needs attention.
pub(crate) const CAREFUL: Style = AnsiColor::Yellow.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// For details.
pub(crate) const QUIET: Style = Style::new().dimmed();
/// For headings.
pub(crate) const BOLD: Style = Style::new().bold();

/// Formats a duration in a suitable unit: `12.3 ms`, `4.2 s`, `17 min`, `5 h`, `3 days`.
pub(crate) fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds.abs() {
        less if less < 1.0 => format!("{:.1} ms", seconds * 1000.0),
        less if less < 120.0 => format!("{seconds:.1} s"),
        less if less < 7200.0 => format!("{:.0} min", seconds / 60.0),
        less if less < 172_800.0 => format!("{:.0} h", seconds / 3600.0),
        _ => format!("{:.0} days", seconds / 86_400.0),
    }
}

/// Returns the current time, rounded down to a millisecond: rounded up it would lie in the future and not count as fresh.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// Formats a time with milliseconds, in UTC.
pub(crate) fn moment(timestamp: Timestamp) -> String {
    let rounded = timestamp.round(Unit::Millisecond).unwrap_or(timestamp);
    rounded.strftime("%Y-%m-%d %H:%M:%S%.3f UTC").to_string()
}

/// Returns the text of a verdict, with its colour.
pub(crate) fn verdict(verdict: Verdict) -> (&'static str, Style) {
    match verdict {
        Verdict::Done => ("done", GOOD),
        Verdict::Nothing => ("nothing to do", QUIET),
        Verdict::Retry => ("failed, a retry may succeed", BAD),
        Verdict::Failed => ("failed, a retry would fail too", BAD),
    }
}

/// Explains why an event is ignored.
pub(crate) fn ignored(reason: Ignored) -> &'static str {
    match reason {
        Ignored::OtherEvent => "the event has another source or detail-type",
        Ignored::NotStopping => "the task is not stopping (desiredStatus is not STOPPED)",
        Ignored::NotSpot => "the task is stopping, but not because of a Spot interruption",
        Ignored::AlreadyDown => "the task's network interface is being deleted, and another task may get its address",
        Ignored::OutOfScope => "the cluster is out of scope, or the service's tag spotdrain is off",
        Ignored::NoAddress => "the task has not reached RUNNING, and the event has no address",
        Ignored::Repeated => "the task was already handled, at this version or a later one",
    }
}

/// Returns the colour of an outcome.
pub(crate) fn outcome_style(outcome: &Outcome) -> Style {
    match outcome {
        Outcome::Deregistered | Outcome::WouldDeregister => GOOD,
        Outcome::Failed(_) => BAD,
        Outcome::KeptLastHealthy | Outcome::Stale => CAREFUL,
        Outcome::AlreadyDraining | Outcome::NotRegistered | Outcome::LeftToHold | Outcome::AlreadyGone => QUIET,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_formatted_in_a_suitable_unit() {
        let text = |milliseconds| duration(SignedDuration::from_millis(milliseconds));
        assert_eq!([text(12), text(4_200), text(600_000), text(18_000_000)], ["12.0 ms", "4.2 s", "10 min", "5 h"]);
    }

    #[test]
    fn a_time_is_formatted_in_utc() {
        assert_eq!(moment("2026-03-14T09:26:53.4187Z".parse().unwrap()), "2026-03-14 09:26:53.419 UTC");
    }
}

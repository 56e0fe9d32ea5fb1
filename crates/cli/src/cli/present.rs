//! How values are shown to people: times, ids, colours.

use anstyle::{AnsiColor, Style};
use jiff::{SignedDuration, Timestamp, Unit};
use spotdrain_core::model::notice::Ignored;
use spotdrain_core::model::outcome::Outcome;
use spotdrain_core::report::Verdict;

/// What is good news.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What a person should look at.
pub(crate) const CAREFUL: Style = AnsiColor::Yellow.on_default();
/// What went wrong.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// What matters less.
pub(crate) const QUIET: Style = Style::new().dimmed();
/// Headings.
pub(crate) const BOLD: Style = Style::new().bold();

/// A duration with the unit that suits it: `12.3 ms`, `4.2 s`, `17 min`, `5 h`, `3 days`.
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

/// This moment, to the millisecond that has begun: rounded up it would be in the future, and count as old.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// A moment to the millisecond, in UTC.
pub(crate) fn moment(timestamp: Timestamp) -> String {
    let rounded = timestamp.round(Unit::Millisecond).unwrap_or(timestamp);
    rounded.strftime("%Y-%m-%d %H:%M:%S%.3f UTC").to_string()
}

/// The word for a verdict, with its colour.
pub(crate) fn verdict(verdict: Verdict) -> (&'static str, Style) {
    match verdict {
        Verdict::Done => ("done", GOOD),
        Verdict::Nothing => ("nothing to do", QUIET),
        Verdict::Retry => ("failed, worth another try", BAD),
        Verdict::Failed => ("failed for good", BAD),
    }
}

/// Why an event is ignored, in a sentence.
pub(crate) fn ignored(reason: Ignored) -> &'static str {
    match reason {
        Ignored::OtherEvent => "another source or detail-type",
        Ignored::NotStopping => "ECS does not want the task to stop (desiredStatus is not STOPPED)",
        Ignored::NotSpot => "the task stops for another reason than a Spot interruption",
        Ignored::AlreadyDown => "the task's network interface is gone or going, and its address may be another task's",
        Ignored::OutOfScope => "the cluster is out of scope, or the service's tag spotdrain says off",
        Ignored::NoAddress => "the task has not reached RUNNING, and the event has no address of it",
        Ignored::Repeated => "the task was handled to the end, at this version or a later one",
    }
}

/// The colour of an outcome.
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
    fn a_duration_has_the_unit_that_suits_it() {
        let told = |milliseconds| duration(SignedDuration::from_millis(milliseconds));
        assert_eq!([told(12), told(4_200), told(600_000), told(18_000_000)], ["12.0 ms", "4.2 s", "10 min", "5 h"]);
    }

    #[test]
    fn a_moment_is_told_in_utc() {
        assert_eq!(moment("2026-03-14T09:26:53.4187Z".parse().unwrap()), "2026-03-14 09:26:53.419 UTC");
    }
}

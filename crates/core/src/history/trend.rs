//! Is ECS first less often than it was? The last 7 days against the 28 before.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::counts::Firsts;
use super::interruption::PastInterruption;

/// The length of the recent period.
pub const RECENT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The length of both periods together. Records of this time are needed.
pub const COMPARED: SignedDuration = SignedDuration::from_hours(35 * 24);

/// The minimum number of notices in each period for a comparison.
pub const LEAST_NOTICES: u64 = 20;

/// Who was first, recently and before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trend {
    pub last_7_days: Firsts,
    pub the_28_days_before: Firsts,
    /// The share of ECS is at most half of what it was, with at least 20 notices on both sides.
    pub ecs_share_fell_by_half: bool,
}

/// Compares the interruptions of the last 35 days.
pub(crate) fn trend(interruptions: &[PastInterruption], now: Timestamp) -> Trend {
    let is_within = |one: &&PastInterruption, time| now.duration_since(one.at) <= time;
    let compared = interruptions.iter().filter(|one| is_within(one, COMPARED));
    let (recent, before): (Vec<_>, Vec<_>) = compared.partition(|one| is_within(one, RECENT));
    let (recent, before) = (Firsts::of(recent), Firsts::of(before));
    Trend { last_7_days: recent, the_28_days_before: before, ecs_share_fell_by_half: fell_by_half(recent, before) }
}

fn fell_by_half(recent: Firsts, before: Firsts) -> bool {
    let is_enough = recent.known() >= LEAST_NOTICES && before.known() >= LEAST_NOTICES;
    let shares = recent.ecs_percent().zip(before.ecs_percent());
    is_enough && shares.is_some_and(|(recent, before)| before > 0.0 && recent <= before / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fall_by_half_needs_twenty_notices_on_both_sides() {
        let firsts = |ecs, spotdrain| Firsts { ecs, spotdrain, unknown: 9 };
        for (recent, before, expected) in [
            (firsts(9, 11), firsts(90, 10), true),
            (firsts(9, 9), firsts(90, 10), false),
            (firsts(0, 20), firsts(19, 0), false),
            (firsts(10, 10), firsts(20, 0), true),
            (firsts(11, 9), firsts(20, 0), false),
            (firsts(0, 20), firsts(0, 20), false),
            (firsts(0, 0), firsts(20, 0), false),
        ] {
            assert_eq!(fell_by_half(recent, before), expected, "{recent:?} {before:?}");
        }
    }
}

//! How many of a service's tasks a strategy puts on Spot.
//!
//! The base comes first, then the weights divide the rest. If the tasks cannot be divided exactly, AWS does not say which
//! provider gets the remaining ones, so the result is a range.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html>

use std::ops::RangeInclusive;

use crate::model::placement::SPOT;
use crate::model::service::StrategyItem;

/// Returns the least and the most of `tasks` that are on Spot.
pub(crate) fn on_spot(items: &[StrategyItem], tasks: u32) -> RangeInclusive<u32> {
    if let [only] = items {
        // The weight of a single provider does not matter.
        let all = if only.provider == SPOT { tasks } else { 0 };
        return all..=all;
    }
    let (mut left, mut base_on_spot) = (tasks, 0);
    for item in items {
        let base = item.base.min(left);
        left -= base;
        base_on_spot += if item.provider == SPOT { base } else { 0 };
    }
    let total: u64 = items.iter().map(|item| u64::from(item.weight)).sum();
    let of = |item: &StrategyItem| u64::from(left) * u64::from(item.weight);
    let whole =
        |item: &StrategyItem| of(item).checked_div(total).and_then(|whole| u32::try_from(whole).ok()).unwrap_or(0);
    let has_part = |item: &&StrategyItem| of(item).checked_rem(total).unwrap_or(0) > 0;
    let rest = if total == 0 { 0 } else { left - items.iter().map(whole).sum::<u32>().min(left) };
    let parts = u32::try_from(items.iter().filter(has_part).count()).unwrap_or(u32::MAX);
    let spot = || items.iter().filter(|item| item.provider == SPOT);
    let least = base_on_spot + spot().map(whole).sum::<u32>();
    let divided = u32::try_from(spot().filter(has_part).count()).unwrap_or(u32::MAX);
    let sure = divided.min(rest.saturating_sub(parts.saturating_sub(divided)));
    least + sure..=least + divided.min(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_comes_first_and_the_weights_divide_the_rest() {
        let table = [
            ((2, 1), (0, 1), 4, 1..=1),
            ((2, 1), (0, 1), 5, 1..=2),
            ((2, 1), (0, 1), 10, 4..=4),
            ((2, 1), (0, 1), 2, 0..=0),
            ((0, 1), (0, 1), 1, 0..=1),
            ((0, 1), (0, 4), 10, 8..=8),
            ((0, 1), (0, 4), 2, 1..=2),
            ((0, 0), (0, 1), 7, 7..=7),
            ((0, 1), (1, 0), 7, 1..=1),
            ((0, 0), (0, 0), 7, 0..=0),
        ];
        for ((base, weight), (spot_base, spot_weight), tasks, expected) in table {
            let item = |provider: &str, base, weight| StrategyItem { provider: provider.to_owned(), base, weight };
            let items = [item("FARGATE", base, weight), item(SPOT, spot_base, spot_weight)];
            assert_eq!(on_spot(&items, tasks), expected, "{items:?} {tasks}");
        }
        let single = StrategyItem { provider: SPOT.to_owned(), base: 0, weight: 0 };
        assert_eq!(on_spot(&[single], 3), 3..=3);
    }
}

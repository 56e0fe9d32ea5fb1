//! How many of a service's tasks a strategy puts on Spot.
//!
//! The base comes first, then the weights divide the rest. AWS does not say where a task goes that cannot be divided; here
//! it goes to the provider that is furthest behind its share, of equals to the first.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html>

use crate::model::service::StrategyItem;
use crate::model::subject::SPOT;

/// The number of tasks on Spot of so many.
pub(crate) fn on_spot(items: &[StrategyItem], tasks: u32) -> u32 {
    spread(items, tasks).into_iter().filter(|(provider, _)| *provider == SPOT).map(|(_, count)| count).sum()
}

fn spread(items: &[StrategyItem], tasks: u32) -> Vec<(&str, u32)> {
    let mut left = tasks;
    let mut counts = Vec::new();
    for item in items {
        let base = item.base.min(left);
        left -= base;
        counts.push((item.provider.as_str(), base));
    }
    let total: u64 = items.iter().map(|item| u64::from(item.weight)).sum();
    let share = |item: &StrategyItem| u64::from(left) * u64::from(item.weight);
    let mut rest = left;
    for ((_, count), item) in counts.iter_mut().zip(items) {
        let whole = u32::try_from(share(item).checked_div(total).unwrap_or(0)).unwrap_or(0);
        *count += whole;
        rest -= whole.min(rest);
    }
    let mut behind: Vec<_> = items.iter().enumerate().filter(|(_, item)| item.weight > 0).collect();
    behind.sort_by_key(|(_, item)| std::cmp::Reverse(share(item).checked_rem(total).unwrap_or(0)));
    for (index, _) in behind.into_iter().take(rest as usize) {
        if let Some((_, count)) = counts.get_mut(index) {
            *count += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_comes_first_and_the_weights_divide_the_rest() {
        let table = [
            ((2, 1), (0, 1), 4, 1),
            ((2, 1), (0, 1), 5, 1),
            ((2, 1), (0, 1), 10, 4),
            ((2, 1), (0, 1), 2, 0),
            ((0, 1), (0, 4), 10, 8),
            ((0, 0), (0, 1), 7, 7),
            ((0, 1), (1, 0), 7, 1),
            ((0, 0), (0, 0), 7, 0),
        ];
        for ((base, weight), (spot_base, spot_weight), tasks, expected) in table {
            let item = |provider: &str, base, weight| StrategyItem { provider: provider.to_owned(), base, weight };
            let items = [item("FARGATE", base, weight), item(SPOT, spot_base, spot_weight)];
            assert_eq!(on_spot(&items, tasks), expected, "{items:?} {tasks}");
        }
    }
}

//! Percentiles by nearest rank: the smallest value that at least p percent of the values do not exceed. Every percentile is a
//! value that was measured.

use serde::Serialize;

/// The spread of some values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    pub count: usize,
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub max: u64,
}

impl Percentiles {
    /// Returns the percentiles; `None` without values.
    #[must_use]
    pub fn of(mut values: Vec<u64>) -> Option<Self> {
        values.sort_unstable();
        let max = *values.last()?;
        let at = |percent| nearest_rank(&values, percent).unwrap_or(max);
        Some(Self { count: values.len(), p50: at(50), p90: at(90), p99: at(99), max })
    }
}

fn nearest_rank(sorted: &[u64], percent: usize) -> Option<u64> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measured_values() {
        let of = |values: &[u64]| Percentiles::of(values.to_vec()).map(|all| [all.p50, all.p90, all.p99, all.max]);
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[7]), Some([7, 7, 7, 7]));
        assert_eq!(of(&[4, 1, 3, 2]), Some([2, 4, 4, 4]));
        assert_eq!(of(&(1..=100).collect::<Vec<_>>()), Some([50, 90, 99, 100]));
        assert_eq!(of(&(1..=1000).collect::<Vec<_>>()), Some([500, 900, 990, 1000]));
    }
}

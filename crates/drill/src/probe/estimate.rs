//! Estimates how long a target still received new connections: the bounds of the delay, from the times of its connections. Pure.

use serde::{Deserialize, Serialize};

use crate::clock::rounded;

/// If connections arrive at random at `rate` per second, a pause of this many times `1 / rate` has a probability of 1 %:
/// -ln(0.01).
const PAUSE_AT_99_PERCENT: f64 = 4.6;

/// The bounds of a delay, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    pub at_least: f64,
    /// `None` if new connections were still arriving when the probe ended.
    pub at_most: Option<f64>,
}

/// An event whose exact time is unknown: it happened between these two times.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub from: f64,
    pub to: f64,
}

/// Why there is no estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoEstimate {
    #[error("no connection was served by this target before the experiment, so that its end cannot be seen")]
    NeverServed,
    #[error("fewer than ten connections were served by this target before the experiment: raise --rate or --before")]
    TooFew,
}

/// Estimates the delay from `step` to the last new connection of a target.
///
/// `connections` are the times at which the target's connections were opened, and `end` is when the clients stopped. The upper
/// bound holds with a probability of 99 %: if the load balancer had sent for longer, another connection would have been seen.
pub fn delay(connections: &[f64], step: Interval, end: f64) -> Result<Bounds, NoEstimate> {
    let before = connections.iter().filter(|at| **at < step.from).count();
    if before == 0 {
        return Err(NoEstimate::NeverServed);
    }
    if before < 10 {
        return Err(NoEstimate::TooFew);
    }
    #[allow(clippy::cast_precision_loss, reason = "a probe opens thousands of connections")]
    let pause = PAUSE_AT_99_PERCENT * step.from / before as f64;
    let last = connections.iter().copied().fold(step.from, f64::max);
    let at_most = (last + pause < end).then(|| rounded(last + pause - step.from));
    Ok(Bounds { at_least: rounded((last - step.to).max(0.0)), at_most })
}

impl Bounds {
    /// The delay to calculate with: the upper bound. [`Measured::parse`](super::measured::Measured::parse) refuses a delay without
    /// one.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.at_most.unwrap_or(self.at_least)
    }
}

impl std::fmt::Display for Bounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.at_most {
            Some(at_most) => write!(f, "{:.1} to {at_most:.1} s", self.at_least),
            None => write!(f, "more than {:.1} s", self.at_least),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Ten connections a second until `last`.
    fn every_tenth(last: f64) -> Vec<f64> {
        (0..10_000_u32).map(|number| f64::from(number) / 10.0).take_while(|at| *at <= last).collect()
    }

    #[test]
    fn the_bounds_contain_the_delay() {
        let step = Interval { from: 20.0, to: 20.2 };
        let bounds = delay(&every_tenth(60.0), step, 200.0).unwrap();
        assert_eq!(bounds, Bounds { at_least: 39.8, at_most: Some(40.46) });
        assert_eq!(bounds.to_string(), "39.8 to 40.5 s");
    }

    #[test]
    fn what_has_not_ended_has_no_upper_bound() {
        let bounds = delay(&every_tenth(100.0), Interval { from: 20.0, to: 20.0 }, 100.0).unwrap();
        assert_eq!(bounds, Bounds { at_least: 80.0, at_most: None });
        assert_eq!(bounds.to_string(), "more than 80.0 s");
    }

    #[test]
    fn a_target_without_connections_has_no_estimate() {
        let step = Interval { from: 20.0, to: 20.0 };
        assert_eq!(delay(&[30.0], step, 100.0), Err(NoEstimate::NeverServed));
        assert_eq!(delay(&[1.0, 30.0], step, 100.0), Err(NoEstimate::TooFew));
    }

    proptest! {
        /// For connections at random times, the true delay is within the bounds, unless the last pause was one of the longest 1 %.
        #[test]
        fn the_bounds_hold_for_random_arrivals(gaps in prop::collection::vec(0.0_f64..1.0, 400), delay_seconds in 0.0_f64..120.0) {
            let rate = 8.0;
            let mut at = 0.0;
            let step = Interval { from: 20.0, to: 20.1 };
            let stops = 20.05 + delay_seconds;
            let mut times = Vec::new();
            for gap in gaps.iter().cycle() {
                at += -(1.0 - gap).ln() / rate;
                if at > stops { break }
                times.push(at);
            }
            if let Ok(bounds) = delay(&times, step, 1000.0) {
                let last = times.iter().copied().fold(0.0, f64::max);
                prop_assert!(bounds.at_least <= delay_seconds + 0.01);
                let pause = stops - last;
                let before = u32::try_from(times.iter().filter(|at| **at < step.from).count()).unwrap();
                prop_assume!(pause <= 4.6 * 20.0 / f64::from(before));
                prop_assert!(bounds.at_most.unwrap() >= delay_seconds - 0.01);
            }
        }
    }
}

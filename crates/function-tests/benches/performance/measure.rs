//! What the calls of a storm came to.

use std::collections::BTreeMap;
use std::time::Duration;

use spotdrain_localaws::{Call, CallAnswer};

/// How long a notice lasts.
pub const NOTICE: Duration = Duration::from_mins(2);

/// One storm, measured.
#[derive(Debug, Clone, Default)]
pub struct Storm {
    pub tasks: u32,
    pub groups: u32,
    /// Of each target that left its group: how long after its own notice, and when since the storm began.
    pub left: Vec<(Duration, Duration)>,
    /// Calls to ELB and ECS.
    pub calls: usize,
    pub refused: usize,
    /// Of the function with the largest, in megabytes.
    pub peak_megabytes: f64,
}

impl Storm {
    /// From the log of the calls. `noticed`: when the notice of each address came.
    pub fn of(tasks: u32, groups: u32, calls: &[Call], noticed: &BTreeMap<String, Duration>, began: Duration) -> Self {
        let counted = calls.iter().filter(|call| !is_of_the_queue(&call.action));
        let (mut all, mut refused) = (0, 0);
        let mut first: BTreeMap<&str, Duration> = BTreeMap::new();
        for call in counted {
            all += 1;
            refused += usize::from(matches!(&call.answer, CallAnswer::Error(code) if code.contains("Throttling")));
            if call.action == "DeregisterTargets" && call.answer == CallAnswer::Ok {
                for target in &call.targets {
                    let address = target.split(':').next().unwrap_or(target);
                    first.entry(address).or_insert(call.at);
                }
            }
        }
        let since = |(address, at): (&str, Duration)| {
            Some((at.saturating_sub(*noticed.get(address)?), at.saturating_sub(began)))
        };
        let left = first.into_iter().filter_map(since).collect();
        Self { tasks, groups, left, calls: all, refused, peak_megabytes: 0.0 }
    }

    /// How many left their group before their notice was over.
    pub fn in_time(&self) -> usize {
        self.left.iter().filter(|(after, _)| *after < NOTICE).count()
    }

    /// The longest time from a notice to its target's leaving.
    pub fn last(&self) -> Option<Duration> {
        self.left.iter().map(|(after, _)| *after).filter(|after| *after < NOTICE).max()
    }
}

fn is_of_the_queue(action: &str) -> bool {
    action.contains("Message") || action.contains("Queue")
}

/// The middle one.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

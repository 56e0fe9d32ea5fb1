//! The measured results of a storm.

use std::collections::BTreeMap;
use std::time::Duration;

use spotdrain_localaws::{Call, CallResult};

/// How long a notice lasts.
pub const NOTICE: Duration = Duration::from_mins(2);

/// How the queue answers ReceiveMessage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receives {
    /// After 5 to 100 ms, with one to ten messages even if there are more.
    Uneven,
    /// After this long, with as many messages as fit.
    Every(Duration),
}

/// A storm: `tasks` tasks in `groups` target groups, interrupted within this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    pub tasks: u32,
    pub groups: u32,
    pub within: Duration,
    pub receives: Receives,
}

impl Plan {
    pub const fn new(tasks: u32, groups: u32, seconds: u64) -> Self {
        Self { tasks, groups, within: Duration::from_secs(seconds), receives: Receives::Uneven }
    }

    pub const fn receives(self, receives: Receives) -> Self {
        Self { receives, ..self }
    }

    pub fn name(self) -> String {
        let receives = match self.receives {
            Receives::Uneven => String::new(),
            Receives::Every(time) => format!(", a receive takes {} ms", time.as_millis()),
        };
        format!("{} / {} within {} s{receives}", self.tasks, self.groups, self.within.as_secs())
    }
}

/// The results of one storm.
#[derive(Debug, Clone)]
pub struct Storm {
    pub plan: Plan,
    /// For each deregistered target: the time since its notice, and since the start of the storm.
    pub left: Vec<(Duration, Duration)>,
    /// Calls to ELB, and how many of them are writes.
    pub elb_calls: usize,
    pub writes: usize,
    /// Calls to ECS.
    pub ecs_calls: usize,
    pub refused: usize,
    /// The largest peak memory of a function, in megabytes.
    pub peak_megabytes: f64,
}

impl Storm {
    /// Computes the results from the log of calls. `noticed` has the time of each address's notice.
    pub fn of(plan: Plan, calls: &[Call], noticed: &BTreeMap<String, Duration>, began: Duration) -> Self {
        let mut storm =
            Self { plan, left: Vec::new(), elb_calls: 0, writes: 0, ecs_calls: 0, refused: 0, peak_megabytes: 0.0 };
        let mut first: BTreeMap<&str, Duration> = BTreeMap::new();
        for call in calls.iter().filter(|call| !is_of_the_queue(&call.action)) {
            let is_write = call.action == "DeregisterTargets";
            let is_elb = is_write || ELB_READS.contains(&call.action.as_str());
            storm.elb_calls += usize::from(is_elb);
            storm.ecs_calls += usize::from(!is_elb);
            storm.writes += usize::from(is_write);
            storm.refused +=
                usize::from(matches!(&call.answer, CallResult::Error(code) if code.contains("Throttling")));
            if is_write && call.answer == CallResult::Ok {
                for target in &call.targets {
                    let address = target.split(':').next().unwrap_or(target);
                    first.entry(address).or_insert(call.at);
                }
            }
        }
        let since = |(address, at): (&str, Duration)| {
            Some((at.saturating_sub(*noticed.get(address)?), at.saturating_sub(began)))
        };
        storm.left = first.into_iter().filter_map(since).collect();
        storm
    }

    /// The number of targets that were deregistered before their notice ended.
    pub fn in_time(&self) -> usize {
        self.left.iter().filter(|(after, _)| *after < NOTICE).count()
    }

    /// The time since the notice within which this share of the targets in time was deregistered.
    pub fn share_left(&self, share: f64) -> Option<Duration> {
        let mut times: Vec<_> = self.left.iter().map(|(after, _)| *after).filter(|after| *after < NOTICE).collect();
        times.sort_unstable();
        let last = times.len().checked_sub(1)?;
        times.get((last as f64 * share).round() as usize).copied()
    }
}

/// The function's read calls to ELB.
const ELB_READS: [&str; 3] = ["DescribeTargetHealth", "DescribeTargetGroups", "DescribeLoadBalancers"];

fn is_of_the_queue(action: &str) -> bool {
    action.contains("Message") || action.contains("Queue")
}

/// Returns the median.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

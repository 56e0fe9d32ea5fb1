//! What AWS's limits allow at best: the arithmetic of the buckets.

/// DeregisterTargets: so many at once, and then so many a second, for an account and Region.
/// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html>
const BURST: f64 = 20.0;
const PER_SECOND: f64 = 4.0;

/// When the last of the groups can be written to at the earliest, with one call a group: seconds from the first call.
pub fn one_call_a_group(groups: u32) -> f64 {
    seconds(f64::from(groups))
}

/// The same with one call a group from each of two sandboxes, because the queue deals the notices of a group to both.
pub fn one_call_a_group_and_sandbox(groups: u32) -> f64 {
    seconds(f64::from(groups) * 2.0)
}

fn seconds(calls: f64) -> f64 {
    ((calls - BURST) / PER_SECOND).max(0.0)
}

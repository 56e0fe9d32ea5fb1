//! The throttles of the API calls.
//!
//! The sizes are AWS's published defaults for one account and Region: *Request throttling for the Elastic Load Balancing API*
//! (`ELBv2` user guide, elb-api-throttling) and *Request throttling for the Amazon ECS API* (ECS developer guide,
//! request-throttling). AWS does not document whether a call that one bucket refuses takes a token from the other;
//! here it takes none. A call that passes takes its tokens even if it returns an error, but not if a fault replaces it. SQS has
//! no such bucket: a standard queue takes "a nearly unlimited number of API calls per second" (SQS developer guide, *Amazon
//! SQS message quotas*).

use std::time::Duration;

use crate::call::action::Action;
use crate::call::error::ApiError;
use crate::call::token_bucket::ThrottleBucket;

/// Whether calls are throttled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Throttles {
    Off,
    /// AWS's published token buckets.
    #[default]
    Published,
}

/// The token buckets of one account and Region.
#[derive(Debug, Clone)]
pub(crate) struct Limiter {
    throttles: Throttles,
    elb_account: ThrottleBucket,
    elb_registration: ThrottleBucket,
    elb_reads: ThrottleBucket,
    ecs_service_reads: ThrottleBucket,
    ecs_cluster_reads: ThrottleBucket,
    ecs_definition_reads: ThrottleBucket,
    ecs_revision_reads: ThrottleBucket,
}

impl Limiter {
    pub(crate) fn new(throttles: Throttles) -> Self {
        Self {
            throttles,
            elb_account: ThrottleBucket::new(40, 10),
            elb_registration: ThrottleBucket::new(20, 4),
            elb_reads: ThrottleBucket::new(40, 10),
            ecs_service_reads: ThrottleBucket::new(100, 20),
            ecs_cluster_reads: ThrottleBucket::new(100, 20),
            ecs_definition_reads: ThrottleBucket::new(50, 20),
            ecs_revision_reads: ThrottleBucket::new(50, 20),
        }
    }

    /// Takes a token from each bucket of the action, or from none if one is empty.
    pub(crate) fn pass(&mut self, action: Action, now: Duration) -> Result<(), ApiError> {
        if self.throttles == Throttles::Off {
            return Ok(());
        }
        let mut buckets = self.buckets(action);
        let mut all = true;
        for bucket in &mut buckets {
            all &= bucket.has_one(now);
        }
        if !all {
            return Err(ApiError::throttled(action.api()));
        }
        buckets.into_iter().for_each(ThrottleBucket::take_one);
        Ok(())
    }

    fn buckets(&mut self, action: Action) -> Vec<&mut ThrottleBucket> {
        match action {
            Action::RegisterTargets | Action::DeregisterTargets => {
                vec![&mut self.elb_registration, &mut self.elb_account]
            }
            Action::DescribeLoadBalancers
            | Action::DescribeLoadBalancerAttributes
            | Action::DescribeTargetGroups
            | Action::DescribeTargetGroupAttributes
            | Action::DescribeTargetHealth
            | Action::DescribeListeners
            | Action::DescribeTags => {
                vec![&mut self.elb_reads, &mut self.elb_account]
            }
            Action::DescribeServices | Action::ListServices => vec![&mut self.ecs_service_reads],
            Action::DescribeTasks | Action::ListTasks => vec![&mut self.ecs_cluster_reads],
            Action::DescribeTaskDefinition => vec![&mut self.ecs_definition_reads],
            Action::DescribeServiceRevisions => vec![&mut self.ecs_revision_reads],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(limiter: &mut Limiter, action: Action, calls: usize, seconds: u64) -> usize {
        (0..calls).filter(|_| limiter.pass(action, Duration::from_secs(seconds)).is_ok()).count()
    }

    #[test]
    fn registering_and_deregistering_share_a_bucket() {
        let mut limiter = Limiter::new(Throttles::Published);
        assert_eq!(passed(&mut limiter, Action::RegisterTargets, 15, 0), 15);
        assert_eq!(passed(&mut limiter, Action::DeregisterTargets, 15, 0), 5);
        assert_eq!(passed(&mut limiter, Action::DeregisterTargets, 15, 1), 4);
    }

    #[test]
    fn all_of_elb_shares_the_account_bucket() {
        let mut limiter = Limiter::new(Throttles::Published);
        assert_eq!(passed(&mut limiter, Action::DeregisterTargets, 20, 0), 20);
        assert_eq!(passed(&mut limiter, Action::DescribeTargetHealth, 40, 0), 20);
        assert_eq!(passed(&mut limiter, Action::DescribeServices, 1, 0), 1);
    }

    #[test]
    fn a_refused_call_takes_from_no_bucket() {
        let mut limiter = Limiter::new(Throttles::Published);
        assert_eq!(passed(&mut limiter, Action::DeregisterTargets, 500, 0), 20);
        assert_eq!(passed(&mut limiter, Action::DescribeTargetGroups, 500, 0), 20);
    }

    #[test]
    fn the_two_kinds_of_ecs_reads_do_not_share() {
        let mut limiter = Limiter::new(Throttles::Published);
        assert_eq!(passed(&mut limiter, Action::DescribeServices, 101, 0), 100);
        assert_eq!(passed(&mut limiter, Action::DescribeTasks, 101, 0), 100);
    }

    #[test]
    fn revisions_have_a_bucket_of_fifty() {
        let mut limiter = Limiter::new(Throttles::Published);
        assert_eq!(passed(&mut limiter, Action::DescribeServiceRevisions, 60, 0), 50);
        assert_eq!(passed(&mut limiter, Action::DescribeServiceRevisions, 60, 1), 20);
        assert_eq!(passed(&mut limiter, Action::DescribeTaskDefinition, 60, 1), 50);
    }

    #[test]
    fn queues_are_not_throttled() {
        let mut limiter = Limiter::new(Throttles::Published);
        assert_eq!(passed(&mut limiter, Action::ReceiveMessage, 1000, 0), 1000);
    }

    #[test]
    fn off_lets_everything_pass() {
        let mut limiter = Limiter::new(Throttles::Off);
        assert_eq!(passed(&mut limiter, Action::DeregisterTargets, 1000, 0), 1000);
    }
}

//! How long a load balancer sends new connections to a target that is deregistered or unhealthy.
//!
//! Where AWS states no figure, the defaults are measurements that users published. `spotdrain probe` measures the user's own load
//! balancer.

use std::fmt;

use serde::Serialize;

use crate::model::group::GroupKind;

/// Seconds for which a Network Load Balancer sends new connections to a deregistered target, measured by a user
/// (<https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/2366>); AWS Support stated 180 to 300 s.
pub const NLB_GOES_ON: u32 = 120;

/// Seconds for which a Network Load Balancer sends new connections to a target that is marked unhealthy: 30 to 40 s, measured by
/// a user (<https://github.com/aws/containers-roadmap/issues/470>).
pub const NLB_GOES_ON_UNHEALTHY: u32 = 40;

/// The same for an Application Load Balancer, which stops at once
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html>).
pub const ALB_GOES_ON: u32 = 1;

/// The delays of a kind of load balancer, in seconds from an event to the last new connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LoadBalancerDelays {
    /// From a deregistration.
    pub after_deregistration: u32,
    /// From the moment at which the target is marked unhealthy.
    pub after_unhealthy: u32,
    /// Whether the load balancer still considers the health of a target that is already draining. No measurement has been
    /// published. The default assumes that it does; SD034 covers the other case.
    pub health_counts_while_draining: bool,
    /// Whether the user measured these delays.
    pub is_measured: bool,
}

/// The delays of both kinds of load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Delays {
    #[serde(rename = "nlb")]
    pub network: LoadBalancerDelays,
    #[serde(rename = "alb")]
    pub application: LoadBalancerDelays,
}

impl Default for Delays {
    fn default() -> Self {
        let delays = |after_deregistration, after_unhealthy| LoadBalancerDelays {
            after_deregistration,
            after_unhealthy,
            health_counts_while_draining: true,
            is_measured: false,
        };
        Self { network: delays(NLB_GOES_ON, NLB_GOES_ON_UNHEALTHY), application: delays(ALB_GOES_ON, ALB_GOES_ON) }
    }
}

impl Delays {
    #[must_use]
    pub fn of(&self, kind: GroupKind) -> LoadBalancerDelays {
        match kind {
            GroupKind::Network => self.network,
            GroupKind::Application => self.application,
        }
    }
}

impl fmt::Display for LoadBalancerDelays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = if self.health_counts_while_draining { "" } else { ", but not while it drains" };
        write!(
            f,
            "left {} s after the deregistration, {} s after being marked unhealthy{not}",
            self.after_deregistration, self.after_unhealthy
        )
    }
}

//! Which interruptions a report counts.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::model::arn::last_segment;

/// A notice that is dated further than this in the future comes from a wrong clock.
const TOLERATED_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The type of a load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, strum::IntoStaticStr)]
pub enum BalancerKind {
    #[serde(rename = "ALB")]
    #[strum(serialize = "ALB")]
    Application,
    #[serde(rename = "NLB")]
    #[strum(serialize = "NLB")]
    Network,
    #[serde(rename = "GWLB")]
    #[strum(serialize = "GWLB")]
    Gateway,
}

impl BalancerKind {
    /// Returns the type of the load balancers that a target group of this protocol can be used with.
    /// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html>
    #[must_use]
    pub fn of_protocol(protocol: &str) -> Option<Self> {
        match protocol {
            "HTTP" | "HTTPS" => Some(Self::Application),
            "TCP" | "TLS" | "UDP" | "TCP_UDP" | "QUIC" | "TCP_QUIC" => Some(Self::Network),
            "GENEVE" => Some(Self::Gateway),
            _ => None,
        }
    }
}

/// What to count, and up to when.
#[derive(Debug, Clone)]
pub struct HistoryQuery {
    pub now: Timestamp,
    /// How far back the report goes.
    pub since: SignedDuration,
    /// Only this cluster, by name or ARN.
    pub cluster: Option<String>,
    /// Only this service, by name.
    pub service: Option<String>,
    /// Whether the notices of a simulator count.
    pub with_simulated: bool,
    /// The types of the load balancers, by the ARN of the target group.
    pub balancers: BTreeMap<String, BalancerKind>,
    /// Whether the records are made up.
    pub is_synthetic: bool,
}

impl HistoryQuery {
    /// A query for everything in this time.
    #[must_use]
    pub fn new(now: Timestamp, since: SignedDuration) -> Self {
        let balancers = BTreeMap::new();
        Self { now, since, cluster: None, service: None, with_simulated: false, balancers, is_synthetic: false }
    }

    /// Returns the beginning of the window.
    #[must_use]
    pub fn from(&self) -> Timestamp {
        self.now.saturating_sub(self.since).unwrap_or(Timestamp::MIN)
    }

    pub(crate) fn is_in_window(&self, at: Timestamp) -> bool {
        at >= self.from() && !self.is_future(at)
    }

    pub(crate) fn is_future(&self, at: Timestamp) -> bool {
        at.duration_since(self.now) > TOLERATED_SKEW
    }

    /// Whether a service of a cluster is in scope. `cluster` is an ARN, `service` a name.
    pub(crate) fn covers(&self, cluster: &str, service: Option<&str>) -> bool {
        let is_cluster = |wanted: &String| wanted == cluster || last_segment(cluster) == wanted;
        self.cluster.as_ref().is_none_or(is_cluster)
            && self.service.as_deref().is_none_or(|wanted| service == Some(wanted))
    }
}

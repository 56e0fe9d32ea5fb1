//! A target group with its attributes, its health check and, read live, its targets.
//! Sources: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroup.html>,
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html>

use crate::model::root::Place;
use crate::model::setting::{Fact, Unknown};

/// A target group.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Group {
    /// Where it is.
    pub place: Place,
    /// Its ARN; of a template one that stands for it.
    pub arn: String,
    /// Its protocol, which tells a Network Load Balancer's group from an Application Load Balancer's.
    pub protocol: Fact<String>,
    /// Its own port, which a registration can override.
    pub port: Fact<u16>,
    /// `ipv4` unless it is set.
    pub ip_address_type: Fact<String>,
    /// Its health check.
    pub health_check: HealthCheck,
    /// Its attributes.
    pub attributes: Attributes,
    /// Whether its load balancer sends from every zone to every target.
    pub cross_zone: Fact<bool>,
    /// In how many zones its load balancer is.
    pub zones: Fact<u32>,
    /// How many healthy targets it has in each zone; only read live.
    pub healthy_in_zones: Fact<Vec<u32>>,
    /// How many of its targets its load balancer does not use; only read live.
    pub unused: Fact<u32>,
    /// The listeners that forward to it, as `TCP:5044 of load balancer demo`; only read live, and where targets are unused.
    pub listeners: Fact<Vec<String>>,
    /// Its tags; read live only where a right depends on them.
    pub tags: Fact<Vec<(String, String)>>,
}

/// A group's health check.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HealthCheck {
    /// Seconds from one check to the next: 30 unless it is set.
    pub interval: Fact<u32>,
    /// How many checks must fail: 2 unless it is set.
    pub threshold: Fact<u32>,
    /// `traffic-port` unless it is set.
    pub port: Fact<String>,
}

/// A group's attributes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    /// `deregistration_delay.timeout_seconds`: 300 unless it is set.
    pub delay: Fact<u32>,
    /// `deregistration_delay.connection_termination.enabled`: false unless it is set.
    pub cuts_after_delay: Fact<bool>,
    /// `target_health_state.unhealthy.connection_termination.enabled`: true unless it is set.
    pub cuts_unhealthy: Fact<bool>,
}

/// What sends to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A Network Load Balancer.
    Network,
    /// An Application Load Balancer.
    Application,
}

impl Kind {
    /// As people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Network => "NLB",
            Self::Application => "ALB",
        }
    }
}

impl Group {
    /// What sends to it. HTTP and HTTPS are an Application Load Balancer's; a template that sets none is refused by AWS.
    pub fn kind(&self) -> Result<Kind, Unknown> {
        let protocol = self.protocol.need()?.map_or("", String::as_str);
        Ok(if matches!(protocol, "HTTP" | "HTTPS") { Kind::Application } else { Kind::Network })
    }

    /// Whether its connections can be cut: those of TCP and TLS, behind a Network Load Balancer.
    pub fn has_connections(&self) -> Result<bool, Unknown> {
        let protocol = self.protocol.need()?.map_or("", String::as_str);
        Ok(matches!(protocol, "TCP" | "TLS" | "TCP_UDP"))
    }

    /// How long until a target that answers its checks with a failure is unhealthy, at most.
    pub fn fails_after(&self) -> Result<u32, Unknown> {
        Ok(self.health_check.interval.or(30)?.saturating_mul(self.health_check.threshold.or(2)?))
    }

    /// The deregistration delay that is in force.
    pub fn delay(&self) -> Result<u32, Unknown> {
        self.attributes.delay.or(300)
    }
}

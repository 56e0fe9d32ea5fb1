//! A target group with its attributes, its health check and, read live, its targets.
//! Sources: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroup.html>,
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html>

use crate::model::root::Place;
use crate::model::setting::{Setting, Unknown};

/// A target group.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Group {
    /// Where it is.
    pub place: Place,
    /// Its ARN; in a template a placeholder.
    pub arn: String,
    /// Its protocol, which shows whether the group is of a Network or an Application Load Balancer.
    pub protocol: Setting<String>,
    /// The protocol version of an Application Load Balancer's group, `HTTP1`, `HTTP2` or `GRPC`: HTTP1 unless it is set.
    pub protocol_version: Setting<String>,
    /// `instance` unless it is set; Fargate needs `ip`.
    pub target_type: Setting<String>,
    /// Its own port, which a registration can override.
    pub port: Setting<u16>,
    /// `ipv4` unless it is set.
    pub ip_address_type: Setting<String>,
    /// Its health check.
    pub health_check: HealthCheck,
    /// Its attributes.
    pub attributes: Attributes,
    /// Whether cross-zone load balancing is on.
    pub cross_zone: Setting<bool>,
    /// Number of zones of its load balancer.
    pub zones: Setting<u32>,
    /// Number of healthy targets in each zone; only known for deployed groups.
    pub healthy_in_zones: Setting<Vec<u32>>,
    /// Number of targets that its load balancer does not use; only known for deployed groups.
    pub unused: Setting<u32>,
    /// The listeners that forward to it, as `TCP:5044 of load balancer demo`; only read where targets are unused.
    pub listeners: Setting<Vec<String>>,
    /// Its tags. For a deployed group they are only read if a permission depends on them.
    pub tags: Setting<Vec<(String, String)>>,
}

/// A group's health check.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HealthCheck {
    /// Seconds from one check to the next: 30 unless it is set.
    pub interval: Setting<u32>,
    /// How many checks must fail: 2 unless it is set.
    pub threshold: Setting<u32>,
    /// `traffic-port` unless it is set.
    pub port: Setting<String>,
    /// HTTP for an Application Load Balancer and TCP for a Network Load Balancer unless it is set.
    pub protocol: Setting<String>,
}

/// A group's attributes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    /// `deregistration_delay.timeout_seconds`: 300 unless it is set.
    pub delay: Setting<u32>,
    /// `deregistration_delay.connection_termination.enabled`: see [`Group::cuts_after_delay`].
    pub cuts_after_delay: Setting<bool>,
    /// `target_health_state.unhealthy.connection_termination.enabled`: true unless it is set.
    pub cuts_unhealthy: Setting<bool>,
    /// `target_health_state.unhealthy.draining_interval_seconds`: 0 unless it is set.
    pub draining_interval: Setting<u32>,
    /// `target_group_health.unhealthy_state_routing.minimum_healthy_targets.count`: 1 unless it is set.
    pub minimum_healthy_count: Setting<u32>,
    /// `target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage`, in percent: off unless it is set.
    pub minimum_healthy_percentage: Setting<u32>,
    /// `slow_start.duration_seconds`: 0 unless it is set.
    pub slow_start: Setting<u32>,
}

/// The kind of load balancer that sends to a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupKind {
    /// A Network Load Balancer.
    Network,
    /// An Application Load Balancer.
    Application,
}

impl GroupKind {
    /// Its short name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Network => "NLB",
            Self::Application => "ALB",
        }
    }
}

impl Group {
    /// Returns the kind of its load balancer. HTTP and HTTPS are an Application Load Balancer's; AWS refuses a template without
    /// a protocol.
    pub fn kind(&self) -> Result<GroupKind, Unknown> {
        let protocol = self.protocol.known_or_err()?.map_or("", String::as_str);
        Ok(if matches!(protocol, "HTTP" | "HTTPS") { GroupKind::Application } else { GroupKind::Network })
    }

    /// Returns whether its connections can be cut: those of TCP and TLS, behind a Network Load Balancer.
    pub fn has_connections(&self) -> Result<bool, Unknown> {
        let protocol = self.protocol.known_or_err()?.map_or("", String::as_str);
        Ok(matches!(protocol, "TCP" | "TLS" | "TCP_UDP"))
    }

    /// Returns whether it receives datagrams.
    pub fn carries_udp(&self) -> Result<bool, Unknown> {
        let protocol = self.protocol.known_or_err()?.map_or("", String::as_str);
        Ok(matches!(protocol, "UDP" | "TCP_UDP"))
    }

    /// Returns whether open connections are cut when the deregistration delay ends: by default only in new groups with UDP.
    /// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html>
    pub fn cuts_after_delay(&self) -> Result<bool, Unknown> {
        self.attributes.cuts_after_delay.value_or(self.carries_udp()?)
    }

    /// Returns after how many seconds of failing checks a target is unhealthy, at most.
    pub fn fails_after(&self) -> Result<u32, Unknown> {
        Ok(self.health_check.interval.value_or(30)?.saturating_mul(self.health_check.threshold.value_or(2)?))
    }

    /// Returns when open connections to a target that fails its health check are cut, in seconds from when it begins to fail;
    /// `None` where they are not. Only TCP and TLS have connections that can be kept.
    /// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html>
    pub fn cut_after(&self) -> Result<Option<u32>, Unknown> {
        let protocol = self.protocol.known_or_err()?.map_or("", String::as_str);
        if !matches!(protocol, "TCP" | "TLS") {
            return Ok(None);
        }
        if self.attributes.cuts_unhealthy.value_or(true)? {
            return Ok(Some(self.fails_after()?));
        }
        let interval = self.attributes.draining_interval.value_or(0)?;
        Ok(if interval == 0 { None } else { Some(self.fails_after()?.saturating_add(interval)) })
    }

    /// Returns the deregistration delay in force, in seconds.
    pub fn delay(&self) -> Result<u32, Unknown> {
        self.attributes.delay.value_or(300)
    }
}

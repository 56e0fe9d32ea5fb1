//! A target group with its settings and targets.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use crate::call::error::ApiError;
use crate::model::elb::health::{Health, State};
use crate::model::elb::network::Network;
use crate::model::elb::target::{Registered, Target};
use crate::model::elb::targets::{TargetKey, Targets};

/// The Availability Zone of a target outside the VPC.
const ALL_ZONES: &str = "all";

/// The kind of a target's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetType {
    /// An IP address: the only type for Fargate tasks.
    Ip,
    /// An EC2 instance id.
    Instance,
}

/// The address family of a target group of type `ip`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IpAddressType {
    Ipv4,
    Ipv6,
}

/// A target group with its targets.
#[derive(Debug, Clone)]
pub struct Group {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) port: u16,
    pub(crate) protocol: String,
    pub(crate) target_type: TargetType,
    pub(crate) ip_address_type: IpAddressType,
    pub(crate) load_balancers: Vec<String>,
    /// Interval in seconds, and unhealthy threshold.
    pub(crate) health_check: (u32, u32),
    /// The health check port; by default the target's port.
    pub(crate) check_port: Option<u16>,
    delay: Duration,
    warm_up: Option<Duration>,
    registers_as: State,
    rejected: BTreeSet<String>,
    vpc: Option<Network>,
    targets: Targets,
}

impl Group {
    /// A TCP target group of IPv4 addresses with AWS's default deregistration delay of 300 s.
    #[must_use]
    pub fn new(name: &str, port: u16) -> Self {
        Self {
            name: name.to_owned(),
            id: id_for(name),
            port,
            protocol: "TCP".to_owned(),
            target_type: TargetType::Ip,
            ip_address_type: IpAddressType::Ipv4,
            load_balancers: Vec::new(),
            health_check: (30, 2),
            check_port: None,
            delay: Duration::from_mins(5),
            warm_up: None,
            registers_as: State::Initial,
            rejected: BTreeSet::new(),
            vpc: None,
            targets: Targets::default(),
        }
    }

    /// Sets the last part of the ARN. By default it follows from the name.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }

    /// Sets `deregistration_delay.timeout_seconds`: how long a deregistered target drains.
    #[must_use]
    pub fn deregistration_delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sets the health check interval in seconds, and the unhealthy threshold. The defaults are 30 and 2.
    #[must_use]
    pub fn health_check(mut self, interval: u32, unhealthy_threshold: u32) -> Self {
        self.health_check = (interval, unhealthy_threshold);
        self
    }

    /// Sets the health check port. The default is `traffic-port`.
    #[must_use]
    pub fn health_check_port(mut self, port: u16) -> Self {
        self.check_port = Some(port);
        self
    }

    /// Sets how long a target is `initial` before it becomes `healthy`. By default it stays `initial` until its state is set.
    #[must_use]
    pub fn warm_up(mut self, time: Duration) -> Self {
        self.warm_up = Some(time);
        self
    }

    /// Sets the state of newly registered targets. The default is `initial`.
    #[must_use]
    pub fn registers_as(mut self, state: State) -> Self {
        self.registers_as = state;
        self
    }

    /// Sets the protocol. The default is `TCP`.
    #[must_use]
    pub fn protocol(mut self, protocol: &str) -> Self {
        protocol.clone_into(&mut self.protocol);
        self
    }

    #[must_use]
    pub fn target_type(mut self, target_type: TargetType) -> Self {
        self.target_type = target_type;
        self
    }

    #[must_use]
    pub fn ip_address_type(mut self, family: IpAddressType) -> Self {
        self.ip_address_type = family;
        self
    }

    /// Adds a load balancer that uses the group, by ARN.
    #[must_use]
    pub fn load_balancer(mut self, arn: &str) -> Self {
        self.load_balancers.push(arn.to_owned());
        self
    }

    /// Sets the addresses of the VPC. By default only targets registered with the zone `all` count as outside.
    #[must_use]
    pub fn vpc(mut self, addresses: Network) -> Self {
        self.vpc = Some(addresses);
        self
    }

    /// Adds a target.
    #[must_use]
    pub fn target(mut self, target: impl Into<Target>, state: State) -> Self {
        let target = target.into();
        let key = self.key(&target);
        self.targets.register(key, target.zone, state, Duration::ZERO);
        self
    }

    pub(crate) fn delay(&self) -> Duration {
        self.delay
    }

    pub(crate) fn reject(&mut self, id: &str) {
        self.rejected.insert(id.to_owned());
    }

    /// Checks all targets of a call. One invalid target fails the whole call.
    ///
    /// AWS documents `InvalidTarget` for these calls, and no partial success. Whether an address is in the VPC is not checked.
    pub(crate) fn check(&self, targets: &[Target]) -> Result<(), ApiError> {
        let bad: Vec<&str> = targets.iter().map(|target| target.id.as_str()).filter(|id| !self.takes(id)).collect();
        if bad.is_empty() { Ok(()) } else { Err(ApiError::invalid_target(&bad)) }
    }

    /// Checks that each target outside the VPC has the zone `all`. One without it fails the whole call.
    ///
    /// AWS documents that such an address needs the zone, but not whether `DeregisterTargets` checks it.
    pub(crate) fn check_zones(&self, targets: &[Target]) -> Result<(), ApiError> {
        let wrong = targets.iter().find(|target| self.is_outside(target) && target.zone.as_deref() != Some(ALL_ZONES));
        wrong.map_or(Ok(()), |target| Err(ApiError::zone_required(&target.id)))
    }

    fn is_outside(&self, target: &Target) -> bool {
        let beyond = |vpc: Network| target.id.parse().is_ok_and(|address| !vpc.contains(address));
        self.vpc.is_some_and(beyond) || self.targets.zone(&self.key(target)).as_deref() == Some(ALL_ZONES)
    }

    fn takes(&self, id: &str) -> bool {
        let well_formed = match (self.target_type, self.ip_address_type) {
            (TargetType::Instance, _) => id.starts_with("i-"),
            (TargetType::Ip, IpAddressType::Ipv4) => id.parse().is_ok_and(|address: IpAddr| address.is_ipv4()),
            (TargetType::Ip, IpAddressType::Ipv6) => id.parse().is_ok_and(|address: IpAddr| address.is_ipv6()),
        };
        well_formed && !self.rejected.contains(id)
    }

    pub(crate) fn register(&mut self, target: &Target, now: Duration) {
        self.targets.register(self.key(target), target.zone.clone(), self.registers_as, now);
    }

    pub(crate) fn deregister(&mut self, target: &Target, now: Duration) {
        self.targets.deregister(&self.key(target), self.delay, now);
    }

    pub(crate) fn set_state(&mut self, target: &Target, state: State, now: Duration) -> bool {
        self.targets.set_state(&self.key(target), state, self.delay, now)
    }

    /// The registered and draining targets.
    pub(crate) fn list(&self, now: Duration) -> Vec<Registered> {
        self.targets.list(self.warm_up, now)
    }

    pub(crate) fn health(&self, target: &Target, now: Duration) -> Option<Health> {
        self.targets.health(&self.key(target), self.warm_up, now)
    }

    /// The health of a target that a call names, also if it is not registered.
    pub(crate) fn look_up(&self, target: &Target, now: Duration) -> Registered {
        let key = self.key(target);
        let health = self.targets.health(&key, self.warm_up, now).unwrap_or(Health::NOT_REGISTERED);
        let zone = self.targets.zone(&key);
        let (id, port) = key;
        Registered { id, port, zone, health }
    }

    /// Compares ids as strings. It is undocumented whether AWS treats two spellings of an IPv6 address as one target, so a
    /// caller must send the id that it read.
    fn key(&self, target: &Target) -> TargetKey {
        (target.id.clone(), target.port.unwrap_or(self.port))
    }
}

/// Derives sixteen hex digits from the name (FNV-1a), so that an ARN is the same in every run.
fn id_for(name: &str) -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", name.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(group: &Group, id: &str) -> bool {
        group.check(&[id.into()]).is_ok()
    }

    #[test]
    fn accepts_only_targets_of_its_type() {
        let ipv4 = Group::new("a", 80);
        let ipv6 = Group::new("a", 80).ip_address_type(IpAddressType::Ipv6);
        let instance = Group::new("a", 80).target_type(TargetType::Instance);
        let table = [
            ("10.0.0.1", true, false, false),
            ("fd00::1", false, true, false),
            ("i-0123456789abcdef0", false, false, true),
            ("10.0.0", false, false, false),
            ("", false, false, false),
        ];
        for (id, in_ipv4, in_ipv6, in_instance) in table {
            assert_eq!(
                (takes(&ipv4, id), takes(&ipv6, id), takes(&instance, id)),
                (in_ipv4, in_ipv6, in_instance),
                "{id}"
            );
        }
    }

    #[test]
    fn one_invalid_target_fails_the_call_and_is_named() {
        let mut group = Group::new("a", 80);
        group.reject("10.0.0.9");
        let error = group.check(&["10.0.0.1".into(), "10.0.0.9".into()]).unwrap_err();
        assert_eq!((error.status, error.code), (400, "InvalidTarget"));
        assert!(error.message.contains("10.0.0.9") && !error.message.contains("10.0.0.1"));
    }

    #[test]
    fn an_address_is_found_only_by_its_exact_spelling() {
        let mut group = Group::new("a", 80).ip_address_type(IpAddressType::Ipv6).target("fd00:0:0::1", State::Healthy);
        assert_eq!(group.list(Duration::ZERO)[0].id, "fd00:0:0::1");
        group.deregister(&"fd00::1".into(), Duration::ZERO);
        assert_eq!(group.look_up(&"fd00::1".into(), Duration::ZERO).state(), State::Unused);
        assert_eq!(group.look_up(&"fd00:0:0::1".into(), Duration::ZERO).state(), State::Healthy);
        group.deregister(&"fd00:0:0::1".into(), Duration::ZERO);
        assert_eq!(group.look_up(&"fd00:0:0::1".into(), Duration::ZERO).state(), State::Draining);
    }

    #[test]
    fn a_target_outside_the_vpc_needs_the_zone_all() {
        let group = Group::new("a", 80).vpc("10.200.0.0/16".parse().unwrap());
        let zoned = |id: &str, zone: &str| Target { zone: Some(zone.to_owned()), ..id.into() };
        let table = [
            (Target::from("10.200.0.1"), true),
            (Target::from("10.1.4.17"), false),
            (zoned("10.1.4.17", "eu-central-1a"), false),
            (zoned("10.1.4.17", "all"), true),
        ];
        for (target, passes) in table {
            assert_eq!(group.check_zones(&["10.200.0.1".into(), target.clone()]).is_ok(), passes, "{target:?}");
        }
        let peer = Group::new("b", 80).target(zoned("10.1.4.17", "all"), State::Healthy);
        assert_eq!(peer.check_zones(&["10.1.4.17".into()]).unwrap_err().code, "ValidationError");
        assert!(peer.check_zones(&["10.1.4.18".into()]).is_ok(), "nothing is known of its VPC");
    }
}

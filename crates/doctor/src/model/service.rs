//! A service and its task definition: the fields that affect connections.
//! Sources: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html>,
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>

use std::collections::BTreeMap;

use crate::model::group::Group;
use crate::model::root::{Lines, Place};
use crate::model::setting::Setting;

/// A service.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Service {
    /// Where it is.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// Its ARN; in a template a placeholder.
    pub arn: String,
    /// The ARN of its cluster.
    pub cluster: Setting<String>,
    /// Where its tasks run.
    pub capacity: Capacity,
    /// `desiredCount`.
    pub desired: Setting<u32>,
    /// Its auto scaling.
    pub scaling: Setting<Scaling>,
    /// `minimumHealthyPercent`: 100 % unless it is set.
    pub minimum_healthy: Setting<u32>,
    /// `maximumPercent`: 200 % unless it is set.
    pub maximum: Setting<u32>,
    /// Whether the deployment circuit breaker is on; off unless it is set.
    pub circuit_breaker: Setting<bool>,
    /// `healthCheckGracePeriodSeconds`: 0 unless it is set.
    pub grace_period: Setting<u32>,
    /// `availabilityZoneRebalancing`; `ENABLED` for new services unless it is set.
    pub zone_rebalancing: Setting<String>,
    /// Whether it has placement strategies, placement constraints or DAEMON scheduling, which only EC2 has.
    pub uses_ec2_placement: Setting<bool>,
    /// How clients reach it other than by its target groups.
    pub reached_by: Setting<Vec<Reach>>,
    /// `platformVersion`; `LATEST` is 1.4.0.
    pub platform_version: Setting<String>,
    /// Its target groups.
    pub balancers: Setting<Vec<Balancer>>,
    /// The value of its tag `spotdrain`.
    pub tag: Setting<String>,
    /// Whether its tasks have an IPv6 address.
    pub has_ipv6: Setting<bool>,
    /// Its task definition.
    pub task_definition: Setting<TaskDefinition>,
}

/// How clients reach a service without a target group that spotdrain could deregister from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// ECS Service Connect.
    ServiceConnect,
    /// AWS Cloud Map (`serviceRegistries`).
    CloudMap,
    /// Amazon VPC Lattice.
    Lattice,
    /// Ingress that ECS manages: a gateway connector, or Express Mode.
    ManagedIngress,
}

/// The scalable target of a service in Application Auto Scaling.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scaling {
    /// Where it is set.
    pub place: Place,
    /// `MinCapacity`, in tasks.
    pub min: Setting<u32>,
}

/// Where a service's tasks run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Capacity {
    /// The service's `launchType`.
    pub launch_type: Setting<String>,
    /// The service's own strategy.
    pub strategy: Setting<Vec<StrategyItem>>,
    /// The cluster's default strategy.
    pub cluster_strategy: Setting<Vec<StrategyItem>>,
    /// The cluster's capacity providers.
    pub providers: Setting<Vec<String>>,
}

/// One part of a capacity provider strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrategyItem {
    /// Such as `FARGATE_SPOT`.
    pub provider: String,
    /// The least number of its tasks.
    pub base: u32,
    /// Its share of the other tasks.
    pub weight: u32,
}

/// A target group of a service, and the container behind it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Balancer {
    /// The target group.
    pub group: Setting<Group>,
    /// The other target group of a blue/green service.
    pub alternate: Setting<Group>,
    /// The container that serves. A name that is an unknown parameter is `${Parameter}`.
    pub container: Setting<String>,
    /// Its port.
    pub port: Setting<u16>,
    /// Whether ECS manages the target group: only known of what is deployed.
    pub is_managed: bool,
}

/// A task definition.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TaskDefinition {
    /// Where it is.
    pub place: Place,
    /// `requiresCompatibilities`.
    pub compatibilities: Setting<Vec<String>>,
    /// `networkMode`: `bridge` unless it is set.
    pub network_mode: Setting<String>,
    /// `runtimePlatform.cpuArchitecture`; `X86_64` unless it is set.
    pub architecture: Setting<String>,
    /// `runtimePlatform.operatingSystemFamily`; `LINUX` unless it is set.
    pub system: Setting<String>,
    /// Its containers.
    pub containers: Setting<Vec<Container>>,
}

/// A container of a task definition.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Container {
    /// Its name. One that is an unknown parameter is `${Parameter}`.
    pub name: String,
    /// `stopTimeout`: on Fargate 30 s unless it is set, and 120 s at most.
    pub stop_timeout: Setting<u32>,
    /// Its entry point and its command, one after the other; absent where the image's own are used.
    pub words: Setting<Vec<String>>,
    /// The names and values of its environment.
    pub environment: Setting<BTreeMap<String, Setting<String>>>,
    /// Its `containerPort`s.
    pub ports: Setting<Vec<u16>>,
    /// The containers that it waits for, each with the condition.
    pub depends_on: Setting<Vec<(String, String)>>,
    /// The line where it begins in its template.
    pub line: Option<usize>,
    /// The lines of its properties, by their names.
    pub lines: Lines,
}

//! A service and its task definition, as far as they decide over connections.
//! Sources: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html>,
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>

use std::collections::BTreeMap;

use crate::model::group::Group;
use crate::model::root::Place;
use crate::model::setting::Fact;

/// A service.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Service {
    /// Where it is.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// Its ARN; of a template one that stands for it.
    pub arn: String,
    /// The ARN of its cluster.
    pub cluster: Fact<String>,
    /// What is set of its cluster.
    pub capacity: Capacity,
    /// `desiredCount`.
    pub desired: Fact<u32>,
    /// `minimumHealthyPercent`; 100 for a service of replicas.
    pub minimum_healthy: Fact<u32>,
    /// `platformVersion`; `LATEST` is 1.4.0.
    pub platform_version: Fact<String>,
    /// Its target groups.
    pub balancers: Fact<Vec<Balancer>>,
    /// The value of its tag `spotdrain`.
    pub tag: Fact<String>,
    /// Whether its tasks have an IPv6 address.
    pub has_ipv6: Fact<bool>,
    /// What its tasks are made of.
    pub task_definition: Fact<TaskDefinition>,
}

/// Where a service's tasks run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Capacity {
    /// The service's `launchType`.
    pub launch_type: Fact<String>,
    /// The service's own strategy.
    pub strategy: Fact<Vec<StrategyItem>>,
    /// The cluster's default strategy.
    pub cluster_strategy: Fact<Vec<StrategyItem>>,
    /// The cluster's capacity providers.
    pub providers: Fact<Vec<String>>,
}

/// One part of a capacity provider strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrategyItem {
    /// Such as `FARGATE_SPOT`.
    pub provider: String,
    /// How many tasks it has at least.
    pub base: u32,
    /// Its share of the others.
    pub weight: u32,
}

/// A target group of a service, and the container behind it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Balancer {
    /// The target group.
    pub group: Fact<Group>,
    /// The other target group of a blue/green service.
    pub alternate: Fact<Group>,
    /// The container that serves.
    pub container: Fact<String>,
    /// Its port.
    pub port: Fact<u16>,
}

/// A task definition.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TaskDefinition {
    /// Where it is.
    pub place: Place,
    /// `runtimePlatform.cpuArchitecture`; `X86_64` unless it is set.
    pub architecture: Fact<String>,
    /// `runtimePlatform.operatingSystemFamily`; `LINUX` unless it is set.
    pub system: Fact<String>,
    /// Its containers.
    pub containers: Fact<Vec<Container>>,
}

/// A container of a task definition.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// `stopTimeout`: on Fargate 30 s unless it is set, and 120 s at most.
    pub stop_timeout: Fact<u32>,
    /// Its entry point and its command, one after the other; absent where the image's own are used.
    pub words: Fact<Vec<String>>,
    /// The names and values of its environment.
    pub environment: Fact<BTreeMap<String, Fact<String>>>,
    /// Its `containerPort`s.
    pub ports: Fact<Vec<u16>>,
    /// What it waits for: the other container, and the condition.
    pub depends_on: Fact<Vec<(String, String)>>,
}

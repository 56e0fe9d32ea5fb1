//! An ECS service, in the format of `DescribeServices`.
//!
//! The shapes are the API's `Service`, `LoadBalancer` and `TaskSet` (botocore, `ecs`, 2014-11-13), limited to the fields that
//! this repository reads.

use serde::Serialize;

use crate::model::ecs::revision::Revision;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ServiceStatus {
    #[default]
    Active,
    /// Being deleted, with tasks left.
    Draining,
    /// Deleted.
    Inactive,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeploymentController {
    #[default]
    Ecs,
    /// AWS `CodeDeploy`: the target groups are in the task sets.
    CodeDeploy,
    /// A third party: the target groups are in the task sets.
    External,
}

/// A target group of a service, and the container port behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancer {
    pub target_group_arn: String,
    pub container_name: String,
    pub container_port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advanced_configuration: Option<AdvancedConfiguration>,
}

impl LoadBalancer {
    #[must_use]
    pub fn new(target_group_arn: &str, container_name: &str, container_port: u16) -> Self {
        Self {
            target_group_arn: target_group_arn.to_owned(),
            container_name: container_name.to_owned(),
            container_port,
            advanced_configuration: None,
        }
    }

    /// Sets the other target group of a blue/green deployment.
    #[must_use]
    pub fn alternate(mut self, target_group_arn: &str) -> Self {
        let other = AdvancedConfiguration {
            alternate_target_group_arn: target_group_arn.to_owned(),
            production_listener_rule: None,
            role_arn: None,
        };
        self.advanced_configuration = Some(other);
        self
    }
}

/// The settings of a blue/green deployment by ECS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdvancedConfiguration {
    pub alternate_target_group_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub production_listener_rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
}

/// A task set of a service with another deployment controller than ECS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskSet {
    pub id: String,
    pub task_set_arn: String,
    /// PRIMARY, ACTIVE or DRAINING.
    pub status: String,
    pub load_balancers: Vec<LoadBalancer>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CapacityProviderStrategyItem {
    /// For example `FARGATE_SPOT`.
    pub capacity_provider: String,
    pub weight: u32,
    /// The minimum number of tasks.
    pub base: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tag {
    pub key: String,
    pub value: String,
}

impl Tag {
    #[must_use]
    pub fn new(key: &str, value: &str) -> Self {
        Self { key: key.to_owned(), value: value.to_owned() }
    }
}

/// An ECS service. Its ARN follows from the world's location; its `runningCount` is the number of its running tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    #[serde(skip)]
    pub cluster: String,
    pub service_name: String,
    pub status: ServiceStatus,
    pub load_balancers: Vec<LoadBalancer>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub task_sets: Vec<TaskSet>,
    pub deployment_controller: DeploymentController,
    pub desired_count: u32,
    pub capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    /// All revisions; `currentServiceRevisions` lists the current ones.
    #[serde(skip)]
    pub revisions: Vec<Revision>,
    /// Only calls that request tags receive them.
    #[serde(skip)]
    pub tags: Vec<Tag>,
}

impl Service {
    /// An active service with one desired task, deployed by ECS.
    #[must_use]
    pub fn new(cluster: &str, name: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            service_name: name.to_owned(),
            status: ServiceStatus::default(),
            load_balancers: Vec::new(),
            task_sets: Vec::new(),
            deployment_controller: DeploymentController::default(),
            desired_count: 1,
            capacity_provider_strategy: Vec::new(),
            revisions: Vec::new(),
            tags: Vec::new(),
        }
    }

    #[must_use]
    pub fn load_balancer(mut self, load_balancer: LoadBalancer) -> Self {
        self.load_balancers.push(load_balancer);
        self
    }

    #[must_use]
    pub fn task_set(mut self, set: TaskSet) -> Self {
        self.task_sets.push(set);
        self
    }

    #[must_use]
    pub fn deployed_by(mut self, controller: DeploymentController) -> Self {
        self.deployment_controller = controller;
        self
    }

    #[must_use]
    pub fn desired_count(mut self, count: u32) -> Self {
        self.desired_count = count;
        self
    }

    /// Adds a capacity provider to the strategy.
    #[must_use]
    pub fn capacity_provider(mut self, name: &str, weight: u32, base: u32) -> Self {
        let item = CapacityProviderStrategyItem { capacity_provider: name.to_owned(), weight, base };
        self.capacity_provider_strategy.push(item);
        self
    }

    #[must_use]
    pub fn revision(mut self, revision: Revision) -> Self {
        self.revisions.push(revision);
        self
    }

    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.push(Tag::new(key, value));
        self
    }
}

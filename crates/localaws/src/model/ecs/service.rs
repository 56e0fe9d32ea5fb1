//! What is an ECS service, and what does `DescribeServices` show of it?
//!
//! The shapes are those of the API's `Service`, `LoadBalancer` and `TaskSet` (botocore, `ecs`, 2014-11-13), without the
//! fields that nothing here needs.

use serde::Serialize;

use crate::model::ecs::revision::Revision;

/// Whether a service runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ServiceStatus {
    /// It runs.
    #[default]
    Active,
    /// It is being deleted, and tasks are left.
    Draining,
    /// It is deleted.
    Inactive,
}

/// What deploys a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeploymentController {
    /// ECS itself.
    #[default]
    Ecs,
    /// AWS `CodeDeploy`: the target groups are those of the task sets.
    CodeDeploy,
    /// Somebody else: the target groups are those of the task sets.
    External,
}

/// A target group of a service, and the container that serves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancer {
    /// The target group.
    pub target_group_arn: String,
    /// The container.
    pub container_name: String,
    /// Its port.
    pub container_port: u16,
    /// What a blue/green deployment needs beside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advanced_configuration: Option<AdvancedConfiguration>,
}

impl LoadBalancer {
    /// A target group served by a container's port.
    #[must_use]
    pub fn new(target_group_arn: &str, container_name: &str, container_port: u16) -> Self {
        Self {
            target_group_arn: target_group_arn.to_owned(),
            container_name: container_name.to_owned(),
            container_port,
            advanced_configuration: None,
        }
    }

    /// With the other target group of a blue/green deployment.
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

/// The other target group of a blue/green deployment by ECS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdvancedConfiguration {
    /// The other target group.
    pub alternate_target_group_arn: String,
    /// The listener or rule that the deployment moves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub production_listener_rule: Option<String>,
    /// The role by which ECS moves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
}

/// A task set of a service that `CodeDeploy` or somebody else deploys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskSet {
    /// The id.
    pub id: String,
    /// The ARN.
    pub task_set_arn: String,
    /// PRIMARY, ACTIVE or DRAINING.
    pub status: String,
    /// Its target groups.
    pub load_balancers: Vec<LoadBalancer>,
}

/// One part of a capacity provider strategy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CapacityProviderStrategyItem {
    /// For example `FARGATE_SPOT`.
    pub capacity_provider: String,
    /// Its share.
    pub weight: u32,
    /// How many tasks it has at least.
    pub base: u32,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

impl Tag {
    /// A key and its value.
    #[must_use]
    pub fn new(key: &str, value: &str) -> Self {
        Self { key: key.to_owned(), value: value.to_owned() }
    }
}

/// A service. Its ARN follows from the world's account and Region; its `runningCount` is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// The cluster's name.
    #[serde(skip)]
    pub cluster: String,
    /// The name.
    pub service_name: String,
    /// Whether it runs.
    pub status: ServiceStatus,
    /// Its target groups.
    pub load_balancers: Vec<LoadBalancer>,
    /// Its task sets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub task_sets: Vec<TaskSet>,
    /// What deploys it.
    pub deployment_controller: DeploymentController,
    /// How many tasks it shall have.
    pub desired_count: u32,
    /// Where its tasks run.
    pub capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    /// Its revisions: `currentServiceRevisions` lists the current ones.
    #[serde(skip)]
    pub revisions: Vec<Revision>,
    /// Its tags, shown only to a call that asks for them.
    #[serde(skip)]
    pub tags: Vec<Tag>,
}

impl Service {
    /// An active service of a cluster, deployed by ECS.
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

    /// With a target group.
    #[must_use]
    pub fn load_balancer(mut self, load_balancer: LoadBalancer) -> Self {
        self.load_balancers.push(load_balancer);
        self
    }

    /// With a task set that has target groups of its own.
    #[must_use]
    pub fn task_set(mut self, set: TaskSet) -> Self {
        self.task_sets.push(set);
        self
    }

    /// Deployed by somebody else.
    #[must_use]
    pub fn deployed_by(mut self, controller: DeploymentController) -> Self {
        self.deployment_controller = controller;
        self
    }

    /// With so many tasks wanted.
    #[must_use]
    pub fn desired_count(mut self, count: u32) -> Self {
        self.desired_count = count;
        self
    }

    /// With a part of its tasks on this capacity provider.
    #[must_use]
    pub fn capacity_provider(mut self, name: &str, weight: u32, base: u32) -> Self {
        let item = CapacityProviderStrategyItem { capacity_provider: name.to_owned(), weight, base };
        self.capacity_provider_strategy.push(item);
        self
    }

    /// With a revision.
    #[must_use]
    pub fn revision(mut self, revision: Revision) -> Self {
        self.revisions.push(revision);
        self
    }

    /// With a tag.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.push(Tag::new(key, value));
        self
    }
}

//! What is a service revision, and where does it name target groups that `DescribeServices` does not show?
//!
//! The shapes are those of the API's `ServiceRevision`, `ServiceCurrentRevisionSummary` and `ECSManagedResources` (AWS SDK for
//! Rust, `aws-sdk-ecs` 1.157), without the fields that nothing here needs. A task does not name its revision.

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::ecs::service::LoadBalancer;

/// A revision of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// `arn:aws:ecs:REGION:ACCOUNT:service-revision/CLUSTER/SERVICE/ID`
    pub arn: String,
    /// Whether the service's `currentServiceRevisions` list it.
    pub current: bool,
    /// How many tasks it shall have.
    pub requested_task_count: u32,
    /// How many tasks run.
    pub running_task_count: u32,
    /// How many tasks are being started.
    pub pending_task_count: u32,
    /// Its target groups as the service was configured.
    pub load_balancers: Vec<LoadBalancer>,
    /// Its target groups as ECS resolved them.
    pub resolved_load_balancers: Vec<ResolvedLoadBalancer>,
    /// Its connections to an ECS Gateway.
    pub gateway_connections: Vec<GatewayConnection>,
    /// The target groups of its Express Mode ingress, each in a path of its own.
    pub ingress_target_groups: Vec<String>,
}

/// A target group in `resolvedConfiguration.loadBalancers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolvedLoadBalancer {
    /// The target group.
    pub target_group_arn: String,
    /// The production listener or rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub production_listener_rule: Option<String>,
}

/// The target groups of a connection to an ECS Gateway, in `resources.hostSharedAlb[]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GatewayConnection {
    /// The target group.
    pub target_group_arn: String,
    /// The other target group of a deployment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alternate_target_group_arn: Option<String>,
}

impl Revision {
    /// A current revision with one running task and no target groups.
    #[must_use]
    pub fn new(arn: &str) -> Self {
        Self {
            arn: arn.to_owned(),
            current: true,
            requested_task_count: 1,
            running_task_count: 1,
            pending_task_count: 0,
            load_balancers: Vec::new(),
            resolved_load_balancers: Vec::new(),
            gateway_connections: Vec::new(),
            ingress_target_groups: Vec::new(),
        }
    }

    /// No longer in the service's `currentServiceRevisions`, and without tasks.
    #[must_use]
    pub fn past(self) -> Self {
        Self { current: false, requested_task_count: 0, running_task_count: 0, ..self }
    }

    /// With this many running tasks, all of them requested.
    #[must_use]
    pub fn running(self, tasks: u32) -> Self {
        Self { requested_task_count: tasks, running_task_count: tasks, ..self }
    }

    /// With a configured target group.
    #[must_use]
    pub fn load_balancer(mut self, load_balancer: LoadBalancer) -> Self {
        self.load_balancers.push(load_balancer);
        self
    }

    /// With a target group that ECS resolved.
    #[must_use]
    pub fn resolved_load_balancer(mut self, target_group_arn: &str) -> Self {
        let target_group_arn = target_group_arn.to_owned();
        self.resolved_load_balancers.push(ResolvedLoadBalancer { target_group_arn, production_listener_rule: None });
        self
    }

    /// With a connection to an ECS Gateway, which has a target group and perhaps an alternate one.
    #[must_use]
    pub fn gateway_connection(mut self, target_group_arn: &str, alternate: Option<&str>) -> Self {
        self.gateway_connections.push(GatewayConnection {
            target_group_arn: target_group_arn.to_owned(),
            alternate_target_group_arn: alternate.map(str::to_owned),
        });
        self
    }

    /// With an ingress path of Express Mode to a target group.
    #[must_use]
    pub fn ingress_path(mut self, target_group_arn: &str) -> Self {
        self.ingress_target_groups.push(target_group_arn.to_owned());
        self
    }

    /// The revision in a service's `currentServiceRevisions`.
    pub(crate) fn summary(&self) -> Value {
        json!({
            "arn": self.arn,
            "requestedTaskCount": self.requested_task_count,
            "runningTaskCount": self.running_task_count,
            "pendingTaskCount": self.pending_task_count,
        })
    }

    /// The revision as `DescribeServiceRevisions` shows it. Managed resources appear only where there are some.
    pub(crate) fn described(&self, service_arn: &str, cluster_arn: &str) -> Value {
        let mut described = json!({
            "serviceRevisionArn": self.arn,
            "serviceArn": service_arn,
            "clusterArn": cluster_arn,
            "launchType": "FARGATE",
            "loadBalancers": self.load_balancers,
            "resolvedConfiguration": {"loadBalancers": self.resolved_load_balancers},
        });
        let managed = self.managed_resources();
        if let Some(fields) = described.as_object_mut().filter(|_| managed != json!({})) {
            fields.insert("ecsManagedResources".to_owned(), managed);
        }
        described
    }

    fn managed_resources(&self) -> Value {
        let mut managed = json!({});
        let lists = [
            ("gatewayConnections", self.gateway_connections.iter().map(gateway_connection).collect::<Vec<_>>()),
            ("ingressPaths", self.ingress_target_groups.iter().map(|arn| ingress_path(arn)).collect()),
        ];
        if let Some(fields) = managed.as_object_mut() {
            let some = lists.into_iter().filter(|(_, list)| !list.is_empty());
            fields.extend(some.map(|(name, list)| (name.to_owned(), list.into())));
        }
        managed
    }
}

fn gateway_connection(connection: &GatewayConnection) -> Value {
    json!({"status": "ACTIVE", "accessType": "PRIVATE", "resources": {"hostSharedAlb": [connection]}})
}

fn ingress_path(target_group_arn: &str) -> Value {
    let target_group = json!({
        "arn": target_group_arn,
        "status": "ACTIVE",
        "updatedAt": 1_767_225_600,
        "healthCheckPath": "/",
        "healthCheckPort": 80,
        "port": 80,
    });
    json!({"accessType": "PUBLIC", "endpoint": "https://app.example.com", "targetGroups": [target_group]})
}

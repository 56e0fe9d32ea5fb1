//! How does ECS show a service and a task in JSON?
//!
//! Fields that have no value are left out, as AWS does. Times are seconds since 1970 as a number (awsJson1.1).

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::ecs::revision::Revision;
use crate::model::ecs::service::{Service, Tag};
use crate::model::ecs::task::{NetworkInterface, Task, TaskStatus};
use crate::model::world::World;

/// A service with what is known only to the world.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceShape<'a> {
    service_arn: &'a str,
    cluster_arn: String,
    running_count: usize,
    task_definition: String,
    #[serde(flatten)]
    service: &'a Service,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    current_service_revisions: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a [Tag]>,
}

impl<'a> ServiceShape<'a> {
    pub(crate) fn of(world: &World, arn: &'a str, service: &'a Service, with_tags: bool) -> Self {
        let group = format!("service:{}", service.service_name);
        let runs = |task: &&Task| {
            task.cluster == service.cluster && task.group == group && task.last_status == TaskStatus::Running
        };
        Self {
            service_arn: arn,
            cluster_arn: world.location.cluster_arn(&service.cluster),
            task_definition: world.location.task_definition_arn(&service.service_name),
            running_count: world.tasks.values().filter(runs).count(),
            current_service_revisions: current(&service.revisions),
            service,
            tags: with_tags.then_some(service.tags.as_slice()),
        }
    }
}

fn current(revisions: &[Revision]) -> Vec<Value> {
    revisions.iter().filter(|revision| revision.current).map(Revision::summary).collect()
}

/// A task as `DescribeTasks` shows it.
pub(crate) fn task(world: &World, arn: &str, task: &Task, with_tags: bool) -> Value {
    let start = world.since_1970();
    let stop = task.stop.as_ref();
    let family = task.group.split_once(':').map_or("app", |(_, name)| name);
    let times = |at: Duration| seconds(start.saturating_add(at));
    without_nulls(json!({
        "taskArn": arn,
        "clusterArn": world.location.cluster_arn(&task.cluster),
        "taskDefinitionArn": world.location.task_definition_arn(family),
        "group": task.group,
        "startedBy": task.started_by,
        "version": task.version,
        "lastStatus": task.last_status,
        "desiredStatus": task.desired_status,
        "launchType": "FARGATE",
        "capacityProviderName": task.capacity_provider,
        "availabilityZone": task.zone,
        "cpu": "256",
        "memory": "512",
        "attachments": task.interface.iter().map(|known| attachment(known, &world.location.region)).collect::<Vec<_>>(),
        "containers": task.containers.iter().map(|name| container(arn, name, task)).collect::<Vec<_>>(),
        "startedAt": seconds(start.saturating_sub(task.started_before)),
        "stopCode": stop.and_then(|stop| stop.code.as_deref()),
        "stoppedReason": stop.map(|stop| &stop.reason),
        "stoppingAt": stop.map(|stop| times(stop.stopping_at)),
        "stoppedAt": stop.and_then(|stop| stop.stopped_at).map(times),
        "tags": with_tags.then_some(&task.tags),
    }))
}

/// The names of the details are those of AWS's published samples; none is known for an IPv6 address.
fn attachment(interface: &NetworkInterface, region: &str) -> Value {
    let dns = interface.ipv4.as_ref().map(|ip| format!("ip-{}.{region}.compute.internal", ip.replace('.', "-")));
    let details = [
        ("subnetId", Some(&interface.subnet)),
        ("networkInterfaceId", Some(&interface.id)),
        ("macAddress", Some(&interface.mac)),
        ("privateDnsName", dns.as_ref()),
        ("privateIPv4Address", interface.ipv4.as_ref()),
    ];
    let detail = |(name, value): (&str, Option<&String>)| value.map(|value| json!({"name": name, "value": value}));
    json!({
        "id": interface.attachment_id,
        "type": "ElasticNetworkInterface",
        "status": interface.status,
        "details": details.into_iter().filter_map(detail).collect::<Vec<_>>(),
    })
}

/// Every container of the task repeats the task's one interface.
fn container(task_arn: &str, name: &str, task: &Task) -> Value {
    let interface = |known: &NetworkInterface| {
        without_nulls(json!({
            "attachmentId": known.attachment_id,
            "privateIpv4Address": known.ipv4,
            "ipv6Address": known.ipv6,
        }))
    };
    json!({
        "name": name,
        "taskArn": task_arn,
        "lastStatus": container_status(task.last_status),
        "networkInterfaces": task.interface.iter().map(interface).collect::<Vec<_>>(),
    })
}

fn container_status(task: TaskStatus) -> &'static str {
    match task {
        TaskStatus::Provisioning | TaskStatus::Pending | TaskStatus::Activating => "PENDING",
        TaskStatus::Running | TaskStatus::Deactivating | TaskStatus::Stopping => "RUNNING",
        TaskStatus::Deprovisioning | TaskStatus::Stopped | TaskStatus::Deleted => "STOPPED",
    }
}

/// Whole milliseconds, as AWS gives them.
fn seconds(at: Duration) -> f64 {
    let beyond = Duration::from_nanos(u64::from(at.subsec_nanos() % 1_000_000));
    at.saturating_sub(beyond).as_secs_f64()
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        other => other,
    }
}

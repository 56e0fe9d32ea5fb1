//! The event that ECS would send for a Spot interruption of a task, made from the answer of DescribeTasks.
//!
//! An event describes a task almost as the API does. The differences: the attachment's type is `eni` instead of
//! `ElasticNetworkInterface`, times are strings, `desiredStatus` is STOPPED with the stop code and reason of a Spot
//! interruption, and the version is one higher.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html>

use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types::{Attachment, Attribute, Connectivity, Container, LaunchType, NetworkInterface, Task};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use spotdrain_core::model::arn::TaskArn;
use spotdrain_core::read::event::TASK_STATE_CHANGE;

/// Returns the notice of a task, with this event source.
pub(crate) fn notice(task: &Task, source: &str, now: Timestamp) -> Result<Value, String> {
    let arn = TaskArn::parse(task.task_arn().unwrap_or_default()).map_err(|error| error.to_string())?;
    let whole = Timestamp::from_second(now.as_second()).unwrap_or(now);
    Ok(json!({
        "version": "0",
        "id": event_id(now),
        "detail-type": TASK_STATE_CHANGE,
        "source": source,
        "account": arn.account(),
        "time": whole.to_string(),
        "region": arn.region(),
        "resources": [arn.as_str()],
        "detail": detail(task, now),
    }))
}

fn detail(task: &Task, now: Timestamp) -> Value {
    let mut detail = unchanged_fields(task);
    detail.extend(fields(json!({
        "desiredStatus": "STOPPED",
        "lastStatus": "RUNNING",
        "stopCode": "SpotInterruption",
        "stoppedReason": "Your Spot Task was interrupted.",
        "stoppingAt": now.to_string(),
        "updatedAt": now.to_string(),
        "version": task.version() + 1,
    })));
    Value::Object(detail)
}

fn unchanged_fields(task: &Task) -> Map<String, Value> {
    fields(json!({
        "attachments": task.attachments().iter().map(attachment).collect::<Vec<_>>(),
        "attributes": task.attributes().iter().map(attribute).collect::<Vec<_>>(),
        "availabilityZone": task.availability_zone(),
        "capacityProviderName": task.capacity_provider_name(),
        "clusterArn": task.cluster_arn(),
        "connectivity": task.connectivity().map(Connectivity::as_str),
        "connectivityAt": moment(task.connectivity_at()),
        "containers": task.containers().iter().map(container).collect::<Vec<_>>(),
        "cpu": task.cpu(),
        "createdAt": moment(task.created_at()),
        "enableExecuteCommand": task.enable_execute_command(),
        "ephemeralStorage": task.ephemeral_storage().map(|disk| json!({"sizeInGiB": disk.size_in_gib()})),
        "group": task.group(),
        "launchType": task.launch_type().map(LaunchType::as_str),
        "memory": task.memory(),
        "overrides": {"containerOverrides": task.containers().iter().map(|one| json!({"name": one.name()})).collect::<Vec<_>>()},
        "platformVersion": task.platform_version(),
        "pullStartedAt": moment(task.pull_started_at()),
        "pullStoppedAt": moment(task.pull_stopped_at()),
        "startedAt": moment(task.started_at()),
        "startedBy": task.started_by(),
        "taskArn": task.task_arn(),
        "taskDefinitionArn": task.task_definition_arn(),
    }))
}

fn attachment(attachment: &Attachment) -> Value {
    let kind = match attachment.r#type() {
        Some("ElasticNetworkInterface") => Some("eni"),
        other => other,
    };
    let details = attachment.details().iter().map(|pair| json!({"name": pair.name(), "value": pair.value()}));
    let details: Vec<_> = details.collect();
    json!({"id": attachment.id(), "type": kind, "status": attachment.status(), "details": details})
}

fn attribute(attribute: &Attribute) -> Value {
    json!({"name": attribute.name(), "value": attribute.value()})
}

fn container(container: &Container) -> Value {
    Value::Object(fields(json!({
        "containerArn": container.container_arn(),
        "lastStatus": container.last_status(),
        "name": container.name(),
        "image": container.image(),
        "imageDigest": container.image_digest(),
        "runtimeId": container.runtime_id(),
        "taskArn": container.task_arn(),
        "networkInterfaces": container.network_interfaces().iter().map(interface).collect::<Vec<_>>(),
        "cpu": container.cpu(),
        "memory": container.memory(),
    })))
}

fn interface(interface: &NetworkInterface) -> Value {
    Value::Object(fields(json!({
        "attachmentId": interface.attachment_id(),
        "privateIpv4Address": interface.private_ipv4_address(),
        "ipv6Address": interface.ipv6_address(),
    })))
}

/// Removes the fields without a value, as an event does.
fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    }
}

fn moment(time: Option<&DateTime>) -> Option<String> {
    let time = Timestamp::from_millisecond(time?.to_millis().ok()?).ok()?;
    Some(time.to_string())
}

/// Returns an id in EventBridge's form that is recognizable in the log as the simulator's.
fn event_id(now: Timestamp) -> String {
    format!("51a01a7e-0000-4000-8000-{:012x}", now.as_millisecond() & 0xffff_ffff_ffff)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use spotdrain_core::read::event::read_event;
    use spotdrain_localaws::{LocalAws, Scene};

    use super::*;
    use spotdrain_function::Aws;

    const SAMPLE: &str = include_str!("../../../../../events/spot-interruption.json");

    async fn simulated() -> Value {
        let scene = Scene::demo();
        let task = scene.spot[0].clone();
        let local = LocalAws::start(scene.world).await.unwrap();
        let aws = Aws::local(&local.endpoint(), "eu-central-1").unwrap();
        let task = super::super::running_task(&aws, "demo", &task).await.unwrap();
        notice(&task, "aws.ecs", "2026-03-14T09:26:53.418Z".parse().unwrap()).unwrap()
    }

    fn keys(value: &Value) -> BTreeSet<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[tokio::test]
    async fn a_simulated_notice_is_read_like_the_sample() {
        let sources = ["aws.ecs".to_owned()];
        let made = read_event(&simulated().await.to_string(), &sources).unwrap().change.unwrap();
        let sample = read_event(SAMPLE, &sources).unwrap().change.unwrap();
        assert_eq!((&made.arn, &made.addresses), (&sample.arn, &sample.addresses));
        assert_eq!((made.version, made.stopping_at), (sample.version, sample.stopping_at));
        assert_eq!((made.stop_code, made.stopped_reason), (sample.stop_code, sample.stopped_reason));
        assert_eq!((made.service, made.capacity_provider), (sample.service, sample.capacity_provider));
    }

    #[tokio::test]
    async fn a_simulated_notice_has_the_sample_s_envelope_and_no_other_fields_in_its_detail() {
        let (made, sample) = (simulated().await, serde_json::from_str::<Value>(SAMPLE).unwrap());
        assert_eq!(keys(&made), keys(&sample));
        let (detail, sample) = (&made["detail"], &sample["detail"]);
        assert_eq!(keys(detail).difference(&keys(sample)).collect::<Vec<_>>(), Vec::<&&str>::new());
        assert_eq!(detail["attachments"][0]["type"], "eni");
        assert_eq!(keys(&detail["containers"][0]).difference(&keys(&sample["containers"][0])).count(), 0);
    }
}

//! ECS's events as the capacity watch writes them to its log group: placement failures, and tasks that run.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_events.html>

use jiff::Timestamp;
use serde::Deserialize;

use super::line::LogEntry;
use crate::model::arn::last_segment;
use crate::read::event::TASK_STATE_CHANGE;

const SERVICE_ACTION: &str = "ECS Service Action";
const PLACEMENT_FAILURE: &str = "SERVICE_TASK_PLACEMENT_FAILURE";

/// ECS could not place a task of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlacementFailure {
    pub(crate) cluster: String,
    pub(crate) service: String,
    pub(crate) at: Timestamp,
    pub(crate) reason: String,
    /// The names of the capacity providers.
    pub(crate) providers: Vec<String>,
    /// EventBridge's id: the event may come twice.
    pub(crate) event_id: String,
}

/// A service's task has started to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TaskStart {
    pub(crate) task: String,
    pub(crate) cluster: String,
    pub(crate) service: String,
    pub(crate) created_at: Timestamp,
    pub(crate) started_at: Timestamp,
    pub(crate) provider: Option<String>,
}

#[derive(Deserialize)]
struct EcsEvent {
    id: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
    time: Timestamp,
    #[serde(default)]
    resources: Vec<String>,
    detail: EcsDetail,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EcsDetail {
    #[serde(default)]
    cluster_arn: String,
    #[serde(default)]
    event_name: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    capacity_provider_arns: Vec<String>,
    #[serde(default)]
    task_arn: Option<String>,
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    last_status: Option<String>,
    #[serde(default)]
    created_at: Option<Timestamp>,
    #[serde(default)]
    started_at: Option<Timestamp>,
    #[serde(default)]
    capacity_provider_name: Option<String>,
}

/// Reads an event.
pub(crate) fn read(json: &str) -> LogEntry {
    let event: EcsEvent = match serde_json::from_str(json) {
        Ok(event) => event,
        Err(error) => return LogEntry::Unreadable(format!("event of ECS: {error}")),
    };
    match event.detail_type.as_str() {
        SERVICE_ACTION if event.detail.event_name.as_deref() == Some(PLACEMENT_FAILURE) => placement_failure(event),
        TASK_STATE_CHANGE if event.detail.last_status.as_deref() == Some("RUNNING") => start(event.detail),
        _ => LogEntry::Other,
    }
}

fn placement_failure(event: EcsEvent) -> LogEntry {
    let service = event.resources.iter().find(|arn| arn.contains(":service/"));
    let Some(service) = service.map(|arn| last_segment(arn)) else {
        return LogEntry::Unreadable("placement failure: resources has no ARN of a service".to_owned());
    };
    let name = |arn: &String| last_segment(arn).to_owned();
    LogEntry::PlacementFailure(PlacementFailure {
        service: service.to_owned(),
        cluster: event.detail.cluster_arn,
        at: event.time,
        reason: event.detail.reason.unwrap_or_else(|| "no reason".to_owned()),
        providers: event.detail.capacity_provider_arns.iter().map(name).collect(),
        event_id: event.id,
    })
}

/// Returns the start of a service's task. Standalone tasks are left out, because they replace no other task.
fn start(detail: EcsDetail) -> LogEntry {
    let service = detail.group.as_deref().and_then(|group| group.strip_prefix("service:")).map(str::to_owned);
    match (service, detail.task_arn, detail.started_at) {
        (Some(service), Some(task), Some(started_at)) => LogEntry::Start(TaskStart {
            task,
            cluster: detail.cluster_arn,
            service,
            created_at: detail.created_at.unwrap_or(started_at),
            started_at,
            provider: detail.capacity_provider_name,
        }),
        _ => LogEntry::Other,
    }
}

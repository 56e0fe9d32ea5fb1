//! What one EventBridge event says. Text becomes types here, once, and what does not fit is refused with its path.
//!
//! Only an "ECS Task State Change" of one of the accepted sources is read further than its envelope. A task's addresses stand in
//! two places: in the `eni` attachment, anywhere among the attachments, as `privateIPv4Address`; and in every container as
//! `privateIpv4Address` and `ipv6Address`. DescribeTasks calls the same attachment `ElasticNetworkInterface`. An interface that
//! is detached or deleted is left out: its address may already belong to another task.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html>

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;

use crate::arn::{ClusterArn, ServiceName, TaskArn};
use crate::json::{self, Attachment, Container, EventError, TaskDetail, from_json};
use crate::stop::{StopCode, TaskStatus};

/// The detail-type of the events that are read.
pub const TASK_STATE_CHANGE: &str = "ECS Task State Change";

/// One event of a bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// EventBridge's id of the event.
    pub id: String,
    /// Who sent it: `aws.ecs`, or the source of a drill.
    pub source: String,
    /// What kind it is.
    pub detail_type: String,
    /// The task's change; `None` for every other event.
    pub change: Option<TaskChange>,
}

/// A task as it was when ECS sent the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskChange {
    /// The task.
    #[serde(rename = "task")]
    pub arn: TaskArn,
    /// Its cluster. The old task ARN has none, so this comes from its own field.
    pub cluster: ClusterArn,
    /// Its service, unless it is a standalone task.
    pub service: Option<ServiceName>,
    /// Where the task is in its life.
    pub last_status: TaskStatus,
    /// Where ECS wants it to be.
    pub desired_status: TaskStatus,
    /// Why ECS stops it. Real notices without one have been reported.
    pub stop_code: Option<StopCode>,
    /// The same for people; for a notice "Your Spot Task was interrupted."
    pub stopped_reason: Option<String>,
    /// When the event was made, to the second.
    #[serde(skip)]
    pub event_time: Timestamp,
    /// When the stop began.
    #[serde(skip)]
    pub stopping_at: Option<Timestamp>,
    /// Counts the task's changes; a repeated event has an equal one.
    pub version: Option<u64>,
    /// `FARGATE_SPOT`, where the task came from a capacity provider.
    pub capacity_provider: Option<String>,
    /// The addresses of its interfaces, IPv4 first.
    pub addresses: Vec<IpAddr>,
    /// The status of its `elb` attachment, if it has one: how far ECS is with its own deregistration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elb_attachment: Option<String>,
}

impl TaskChange {
    /// When the stop began: `stoppingAt`, else the event's own time.
    #[must_use]
    pub fn interrupted_at(&self) -> Timestamp {
        self.stopping_at.unwrap_or(self.event_time)
    }
}

/// Reads the text of one event. An [`EventError`] names the path and what was expected.
pub fn read_event(text: &str, sources: &[String]) -> Result<Event, EventError> {
    // Nearly every event is a task's, and then one pass is enough; what is none need only have the envelope.
    let event = match from_json::<json::TaskEvent<'_>>(text) {
        Ok(event) if is_read(&event.source, &event.detail_type, sources) => event,
        Ok(event) => return Ok(other_event(&event.id, &event.source, &event.detail_type)),
        Err(error) => {
            let envelope: json::Envelope<'_> = from_json(text)?;
            let is_ours = is_read(&envelope.source, &envelope.detail_type, sources);
            return if is_ours {
                Err(error)
            } else {
                Ok(other_event(&envelope.id, &envelope.source, &envelope.detail_type))
            };
        }
    };
    let change = Some(read_change(&event)?);
    Ok(Event { change, ..other_event(&event.id, &event.source, &event.detail_type) })
}

fn is_read(source: &str, detail_type: &str, sources: &[String]) -> bool {
    detail_type == TASK_STATE_CHANGE && sources.iter().any(|accepted| accepted == source)
}

fn other_event(id: &str, source: &str, detail_type: &str) -> Event {
    Event { id: id.to_owned(), source: source.to_owned(), detail_type: detail_type.to_owned(), change: None }
}

fn read_change(event: &json::TaskEvent<'_>) -> Result<TaskChange, EventError> {
    let detail = &event.detail;
    let (arn, cluster) = read_arns(event)?;
    Ok(TaskChange {
        arn,
        cluster,
        service: detail.group.as_deref().and_then(ServiceName::from_group),
        last_status: TaskStatus::from_text(&detail.last_status),
        desired_status: TaskStatus::from_text(&detail.desired_status),
        stop_code: detail.stop_code.as_deref().map(StopCode::from_text),
        stopped_reason: detail.stopped_reason.as_deref().map(str::to_owned),
        event_time: read_time("time", &event.time)?,
        stopping_at: detail.stopping_at.as_deref().map(|text| read_time("detail.stoppingAt", text)).transpose()?,
        version: detail.version,
        capacity_provider: detail.capacity_provider_name.as_deref().map(str::to_owned),
        addresses: addresses(detail)?,
        elb_attachment: elb_attachment(detail),
    })
}

/// An event that names another account or Region than its task was not made by ECS.
fn read_arns(event: &json::TaskEvent<'_>) -> Result<(TaskArn, ClusterArn), EventError> {
    let task = TaskArn::parse(&event.detail.task_arn).map_err(|e| EventError::arn("detail.taskArn", &e))?;
    let cluster = ClusterArn::parse(&event.detail.cluster_arn).map_err(|e| EventError::arn("detail.clusterArn", &e))?;
    let same = |path: &str, expected: &str, found: &str| {
        let of_task = || format!("{expected:?}, as in detail.taskArn");
        if expected == found { Ok(()) } else { Err(EventError::new(path, &of_task(), found)) }
    };
    same("region", task.region(), &event.region)?;
    same("account", task.account(), &event.account)?;
    same("detail.clusterArn", task.region(), cluster.region())?;
    same("detail.clusterArn", task.account(), cluster.account())?;
    Ok((task, cluster))
}

fn read_time(path: &str, text: &str) -> Result<Timestamp, EventError> {
    text.parse().map_err(|_| EventError::new(path, "a time such as 2026-01-31T12:00:00Z", text))
}

fn elb_attachment(detail: &json::TaskDetail<'_>) -> Option<String> {
    let attachment = detail.attachments.iter().find(|attachment| attachment.kind.as_deref() == Some("elb"))?;
    attachment.status.as_deref().map(str::to_owned)
}

/// The addresses of the task's interfaces that are still attached, IPv4 first, each once.
pub(crate) fn addresses(detail: &TaskDetail<'_>) -> Result<Vec<IpAddr>, EventError> {
    let mut found = BTreeSet::new();
    for (index, attachment) in detail.attachments.iter().enumerate() {
        from_attachment(attachment, &format!("detail.attachments[{index}]"), &mut found)?;
    }
    let gone: BTreeSet<&str> =
        detail.attachments.iter().filter(|a| is_gone(a)).filter_map(|a| a.id.as_deref()).collect();
    for (index, container) in detail.containers.iter().enumerate() {
        from_container(container, index, &gone, &mut found)?;
    }
    Ok(found.into_iter().collect())
}

/// Whether an attachment is a task's network interface, by the name that events use or by the API's.
#[must_use]
pub fn is_network_interface(kind: &str) -> bool {
    matches!(kind, "eni" | "ElasticNetworkInterface")
}

/// Whether a detail of a network interface's attachment holds an address. The name of an IPv6 detail is not published;
/// the container's form of it is taken.
#[must_use]
pub fn is_address_detail(name: &str) -> bool {
    matches!(name, "privateIPv4Address" | "ipv6Address")
}

/// Whether an attachment's status says that its interface is no longer the task's.
#[must_use]
pub fn is_detached(status: &str) -> bool {
    matches!(status, "DETACHED" | "DELETED" | "FAILED")
}

fn is_gone(attachment: &Attachment<'_>) -> bool {
    attachment.status.as_deref().is_some_and(is_detached)
}

fn from_attachment(attachment: &Attachment<'_>, path: &str, found: &mut BTreeSet<IpAddr>) -> Result<(), EventError> {
    if is_gone(attachment) || !attachment.kind.as_deref().is_some_and(is_network_interface) {
        return Ok(());
    }
    for (index, detail) in attachment.details.iter().enumerate() {
        if detail.name.as_deref().is_some_and(is_address_detail) {
            let path = || format!("{path}.details[{index}].value");
            found.extend(parse(detail.value.as_deref(), path)?);
        }
    }
    Ok(())
}

fn from_container(
    container: &Container<'_>,
    index: usize,
    gone: &BTreeSet<&str>,
    found: &mut BTreeSet<IpAddr>,
) -> Result<(), EventError> {
    for (number, interface) in container.network_interfaces.iter().enumerate() {
        if interface.attachment_id.as_deref().is_some_and(|id| gone.contains(id)) {
            continue;
        }
        let path = |name: &str| format!("detail.containers[{index}].networkInterfaces[{number}].{name}");
        found.extend(parse(interface.private_ipv4_address.as_deref(), || path("privateIpv4Address"))?);
        found.extend(parse(interface.ipv6_address.as_deref(), || path("ipv6Address"))?);
    }
    Ok(())
}

/// An empty text is an address that is not there yet, as a missing one is.
fn parse(text: Option<&str>, path: impl FnOnce() -> String) -> Result<Option<IpAddr>, EventError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let address = text.parse::<IpAddr>().map_err(|_| EventError::new(path(), "an IP address", text))?;
    Ok(Some(address))
}

//! Parses one EventBridge event into types. An error has the path of the value that is wrong.
//!
//! Only an "ECS Task State Change" of an accepted source is parsed beyond its envelope. A task's addresses are in two places:
//! in the `eni` attachment, which may be any of the attachments, as `privateIPv4Address`; and in every container as
//! `privateIpv4Address` and `ipv6Address`. DescribeTasks calls the same attachment `ElasticNetworkInterface`. An interface that
//! is detached or deleted is skipped, because its address may already belong to another task.
//!
//! Some fields are not needed to act safely. If they are unreadable, the record has a warning: `stoppingAt` (the event's own time
//! is used, so the notice only seems younger), `version` (the event counts as new), and `capacityProviderName`. One of `stopCode`
//! and `stoppedReason` may be unreadable if the other shows a Spot interruption.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html>

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::Timestamp;

use crate::model::arn::{ClusterArn, ServiceName, TaskArn};
use crate::model::task_change::TaskChange;
use crate::model::task_status::{StopCode, TaskStatus, spot_interruption};
use crate::read::json::{self, Attachment, EventError, TaskDetail, WireContainer, from_json};
use crate::read::loose::{FieldWarnings, TIME, loose_number, loose_text, loose_time};
use crate::read::task_platform::task_platform;

/// The detail-type of the events that may be notices.
pub const TASK_STATE_CHANGE: &str = "ECS Task State Change";

/// One event of an event bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// EventBridge's id of the event.
    pub id: String,
    /// Who sent it: `aws.ecs`, or the source of simulated events.
    pub source: String,
    pub detail_type: String,
    /// `None` if it is not a task's event from an accepted source.
    pub change: Option<TaskChange>,
}

/// Parses one event.
pub fn read_event(text: &str, sources: &[String]) -> Result<Event, EventError> {
    // Fast path: parse as a task's event; only on failure look at the envelope alone.
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
    let mut warnings = FieldWarnings::default();
    let (stop_code, stopped_reason) = read_cause(detail, &mut warnings)?;
    let stopping_at = loose_time(detail.stopping_at, "detail.stoppingAt");
    let version = loose_number(detail.version, "detail.version");
    let provider = loose_text(detail.capacity_provider_name, "detail.capacityProviderName");
    Ok(TaskChange {
        arn,
        cluster,
        service: detail.group.as_deref().and_then(ServiceName::from_group),
        last_status: TaskStatus::from_text(&detail.last_status),
        desired_status: TaskStatus::from_text(&detail.desired_status),
        stop_code,
        stopped_reason,
        event_time: read_time("time", &event.time)?,
        stopping_at: warnings.or_without(stopping_at, "the event's time is used"),
        version: warnings.or_without(version, "the event counts as new"),
        capacity_provider: warnings.or_without(provider, "left out"),
        addresses: addresses(detail)?,
        elb_attachment: elb_attachment(detail),
        platform: task_platform(detail, &mut warnings),
        warnings: warnings.0,
    })
}

/// Returns the stop code and the reason. An unreadable one is an error unless the other shows a Spot interruption: otherwise
/// an event would be ignored because of a value that could not be read.
fn read_cause(
    detail: &TaskDetail<'_>,
    warnings: &mut FieldWarnings,
) -> Result<(Option<StopCode>, Option<String>), EventError> {
    let code = loose_text(detail.stop_code, "detail.stopCode").map(|code| code.as_deref().map(StopCode::from_text));
    let reason = loose_text(detail.stopped_reason, "detail.stoppedReason");
    let readable = (code.as_ref().ok().and_then(Option::as_ref), reason.as_ref().ok().and_then(Option::as_deref));
    if spot_interruption(readable.0, readable.1).is_none() {
        return Ok((code?, reason?));
    }
    let code = warnings.or_without(code, "the interruption is recognised by stoppedReason");
    let reason = warnings.or_without(reason, "the interruption is recognised by stopCode");
    Ok((code, reason))
}

/// Returns the ARNs of the task and its cluster. ECS never sends an event whose account or Region differs from the task's.
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
    text.parse().map_err(|_| EventError::new(path, TIME, text))
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

/// Returns whether an attachment is a network interface: events and DescribeTasks have different names for its type.
#[must_use]
pub fn is_network_interface(kind: &str) -> bool {
    matches!(kind, "eni" | "ElasticNetworkInterface")
}

/// Returns whether a detail of a network interface's attachment holds an address. The name of an IPv6 detail is undocumented;
/// that of the container's field is assumed.
#[must_use]
pub fn is_address_detail(name: &str) -> bool {
    matches!(name, "privateIPv4Address" | "ipv6Address")
}

/// Returns whether the status of an attachment says that the task no longer has the interface.
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
    container: &WireContainer<'_>,
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

/// An empty text means that there is no address yet, like a missing one.
fn parse(text: Option<&str>, path: impl FnOnce() -> String) -> Result<Option<IpAddr>, EventError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let address = text.parse::<IpAddr>().map_err(|_| EventError::new(path(), "an IP address", text))?;
    Ok(Some(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::json::EventError;
    use serde_json::{Value, json};

    fn with(fields: &[(&str, Value)]) -> Result<TaskChange, EventError> {
        let mut event: Value = serde_json::from_str(include_str!("../../../../events/spot-interruption.json")).unwrap();
        for (name, value) in fields {
            event["detail"][name] = value.clone();
        }
        read_event(&event.to_string(), &["aws.ecs".to_owned()]).map(|event| event.change.unwrap())
    }

    #[test]
    fn an_unreadable_field_that_is_not_needed_is_a_warning() {
        let stopping_at = |value, found: &str| {
            let expected = format!("detail.stoppingAt: expected {TIME}, found {found}: the event's time is used");
            ("stoppingAt", value, expected)
        };
        let other = |name: &'static str, value, rest: &str| (name, value, format!("detail.{name}: {rest}"));
        for (name, value, warning) in [
            stopping_at(json!(""), r#""""#),
            stopping_at(json!("2026-03-14T09:26:53"), r#""2026-03-14T09:26:53""#),
            stopping_at(json!(1_773_480_413), r#""1773480413""#),
            stopping_at(json!({}), r#""{}""#),
            other("version", json!("four"), r#"expected a whole number, found "four": the event counts as new"#),
            other("version", json!(-1), r#"expected a whole number, found "-1": the event counts as new"#),
            other("capacityProviderName", json!(7), r#"expected a string, found "7": left out"#),
            other(
                "stopCode",
                json!(7),
                r#"expected a string, found "7": the interruption is recognised by stoppedReason"#,
            ),
            other(
                "stoppedReason",
                json!([]),
                r#"expected a string, found "[]": the interruption is recognised by stopCode"#,
            ),
        ] {
            let change = with(&[(name, value.clone())]).unwrap();
            assert_eq!(change.warnings, [warning], "{name} = {value}");
            let expected = if name == "stoppingAt" { "2026-03-14T09:26:53Z" } else { "2026-03-14T09:26:53.418Z" };
            assert_eq!(change.interrupted_at(), expected.parse().unwrap(), "{name} = {value}");
            assert_eq!(change.version, (name != "version").then_some(4), "{name} = {value}");
        }
    }

    #[test]
    fn a_version_may_be_written_as_a_string() {
        let change = with(&[("version", json!("4"))]).unwrap();
        assert_eq!((change.version, change.warnings), (Some(4), Vec::new()));
    }

    #[test]
    fn a_cause_that_cannot_be_read_is_an_error_unless_the_other_says_spot() {
        for (code, reason, path) in [
            (json!(7), json!("Scaling activity"), "detail.stopCode"),
            (json!(7), Value::Null, "detail.stopCode"),
            (json!("ServiceSchedulerInitiated"), json!(7), "detail.stoppedReason"),
            (Value::Null, json!(7), "detail.stoppedReason"),
            (json!(7), json!(7), "detail.stopCode"),
        ] {
            let error = with(&[("stopCode", code), ("stoppedReason", reason)]).unwrap_err();
            assert_eq!(error.path, path);
        }
    }

    #[test]
    fn a_field_that_is_needed_stays_an_error() {
        for name in ["taskArn", "clusterArn", "lastStatus", "desiredStatus", "group"] {
            assert!(with(&[(name, json!(7))]).is_err(), "{name}");
        }
    }
}

//! The addresses of a task, from the two places where an event holds them.
//!
//! The `eni` attachment stands anywhere among the attachments (beside `elb`, Service Connect and others) and has
//! `privateIPv4Address`; every container repeats its interfaces as `privateIpv4Address` and `ipv6Address`.
//! DescribeTasks calls the same attachment `ElasticNetworkInterface`. An interface that is detached or deleted is left
//! out: its address may already be another task's.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html>

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::json::EventError;
use crate::wire::{Attachment, Container, TaskDetail};

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

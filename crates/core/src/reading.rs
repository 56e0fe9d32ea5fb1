//! From the messages of an invocation to its notices: each event is judged, and what is none is kept with its reason.

use serde::Serialize;

use crate::arn::{ClusterArn, ServiceName, TaskArn};
use crate::batch::{Batch, Message};
use crate::event::Event;
use crate::fate::{Fate, Ignored, judge};
use crate::json::EventError;
use crate::memory::Memory;
use crate::notice::Notice;
use crate::settings::Settings;

/// A notice, with the message that brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// SQS's id of the message; `None` for a direct event.
    pub message_id: Option<String>,
    /// The notice.
    pub notice: Notice,
}

/// An event that needs nothing, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IgnoredEvent {
    /// EventBridge's id of the event.
    pub event_id: String,
    /// SQS's id of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The task, if the event is one's.
    pub task: Option<TaskArn>,
    /// Its cluster.
    pub cluster: Option<ClusterArn>,
    /// Its service.
    pub service: Option<ServiceName>,
    /// Why it is ignored.
    pub reason: Ignored,
}

/// A message that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// SQS's id of the message; `None` for a direct event.
    pub message_id: Option<String>,
    /// What is wrong with it.
    pub error: EventError,
}

/// All messages of one invocation, read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// What is to be acted on.
    pub notices: Vec<Incoming>,
    /// What needs nothing.
    pub ignored: Vec<IgnoredEvent>,
    /// What could not be read, and goes back.
    pub malformed: Vec<Malformed>,
}

/// Reads and judges every message of a batch.
#[must_use]
pub fn read(batch: Batch, settings: &Settings, memory: &Memory) -> Reading {
    let mut reading = Reading::default();
    for Message { id: message_id, event, .. } in batch.messages {
        match event {
            Err(error) => reading.malformed.push(Malformed { message_id, error }),
            Ok(event) => match judge(&event, settings, memory) {
                Fate::Notice(notice) => reading.notices.push(Incoming { message_id, notice: *notice }),
                Fate::Ignored(reason) => reading.ignored.push(ignored(event, message_id, reason)),
            },
        }
    }
    reading
}

fn ignored(event: Event, message_id: Option<String>, reason: Ignored) -> IgnoredEvent {
    let (task, cluster, service) = match event.change {
        Some(change) => (Some(change.task), Some(change.cluster), change.service),
        None => (None, None, None),
    };
    IgnoredEvent { event_id: event.id, message_id, task, cluster, service, reason }
}

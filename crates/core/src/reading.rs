//! From the messages of an invocation to its notices: each event is judged, and what is none is kept with its reason.

use serde::Serialize;

use crate::arn::{ClusterArn, ServiceName, TaskArn};
use crate::batch::Message;
use crate::event::TaskChange;
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Malformed {
    /// SQS's id of the message; `None` for a direct event.
    pub message_id: Option<String>,
    /// What is wrong with it.
    #[serde(flatten)]
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
pub fn read(messages: Vec<Message>, settings: &Settings, memory: &Memory) -> Reading {
    let mut reading = Reading::default();
    for Message { id: message_id, event, .. } in messages {
        match event {
            Err(error) => reading.malformed.push(Malformed { message_id, error }),
            Ok(event) => match judge(&event, settings, memory) {
                Fate::Notice(notice) => reading.notices.push(Incoming { message_id, notice: *notice }),
                Fate::Ignored(reason) => {
                    reading.ignored.push(IgnoredEvent::new(event.id, message_id, event.change, reason));
                }
            },
        }
    }
    reading
}

impl IgnoredEvent {
    fn new(event_id: String, message_id: Option<String>, change: Option<TaskChange>, reason: Ignored) -> Self {
        let (task, cluster, service) = match change {
            Some(change) => (Some(change.arn), Some(change.cluster), change.service),
            None => (None, None, None),
        };
        Self { event_id, message_id, task, cluster, service, reason }
    }
}

impl Incoming {
    /// Turns a notice that needs nothing into an ignored event.
    pub(crate) fn ignored(self, reason: Ignored) -> IgnoredEvent {
        IgnoredEvent::new(self.notice.event_id, self.message_id, Some(self.notice.task), reason)
    }
}

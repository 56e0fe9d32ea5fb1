//! What does an event mean for us: is it a notice, is it ignored for a reason, or can it not be read?

use jiff::Timestamp;
use serde::Serialize;

use crate::model::arn::{ClusterArn, ServiceName, TaskArn};
use crate::model::notice::{Ignored, Notice};
use crate::model::task_change::TaskChange;
use crate::model::task_status::{TaskStatus, spot_interruption};
use crate::read::batch::Message;
use crate::read::event::Event;
use crate::read::json::EventError;
use crate::read::memory::Memory;
use crate::settings::Settings;

/// What an event means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Classification {
    Notice(Box<Notice>),
    Ignored(Ignored),
}

/// Classifies an event. The reasons to ignore it are examined in the order of the design's table, and the first one counts.
#[must_use]
pub fn classify_event(event: &Event, settings: &Settings, memory: &Memory) -> Classification {
    let Some(change) = &event.change else {
        return Classification::Ignored(Ignored::OtherEvent);
    };
    if change.desired_status != TaskStatus::Stopped {
        return Classification::Ignored(Ignored::NotStopping);
    }
    let Some(recognised_by) = spot_interruption(change.stop_code.as_ref(), change.stopped_reason.as_deref()) else {
        return Classification::Ignored(Ignored::NotSpot);
    };
    if let Some(reason) = why_not_ours(change, settings, memory) {
        return Classification::Ignored(reason);
    }
    Classification::Notice(Box::new(Notice {
        event_id: event.id.clone(),
        task: change.clone(),
        recognised_by,
        source: event.source.clone(),
    }))
}

fn why_not_ours(change: &TaskChange, settings: &Settings, memory: &Memory) -> Option<Ignored> {
    if change.last_status.is_down() || memory.is_down(&change.arn) {
        Some(Ignored::AlreadyDown)
    } else if !settings.in_scope(&change.cluster) {
        Some(Ignored::OutOfScope)
    } else if change.addresses.is_empty() && change.last_status.is_before_running() {
        Some(Ignored::NoAddress)
    } else if memory.has(&change.arn, change.version) {
        Some(Ignored::Repeated)
    } else {
        None
    }
}

/// A notice and the message that brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedNotice {
    /// SQS's id of the message; `None` for a direct event.
    pub message_id: Option<String>,
    pub notice: Notice,
}

/// An event that needs no action, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IgnoredEvent {
    /// EventBridge's id of the event.
    pub event_id: String,
    /// SQS's id of the message; `None` for a direct event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The task, its cluster and its service, if it is a task's event.
    pub task: Option<TaskArn>,
    pub cluster: Option<ClusterArn>,
    pub service: Option<ServiceName>,
    pub reason: Ignored,
}

/// A message that could not be read. It returns to the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Malformed {
    /// SQS's id of the message; `None` for a direct event.
    pub message_id: Option<String>,
    #[serde(flatten)]
    pub error: EventError,
}

/// The messages of a batch, sorted by what their events mean.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClassifiedBatch {
    pub notices: Vec<ReceivedNotice>,
    pub ignored: Vec<IgnoredEvent>,
    pub malformed: Vec<Malformed>,
}

/// One message and what its event means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classified {
    /// SQS's id of the message; `None` for a direct event.
    pub message_id: Option<String>,
    /// The event and its classification, or why the message cannot be acted on.
    pub event: Result<(Event, Classification), EventError>,
}

/// Classifies every message of a batch. First the memory notes which tasks are down or interrupted, because events are
/// unordered.
#[must_use]
pub fn classify(messages: Vec<Message>, settings: &Settings, memory: &mut Memory, now: Timestamp) -> Vec<Classified> {
    memory.note(&messages, now);
    messages.into_iter().map(|message| classify_message(message, settings, memory)).collect()
}

/// A notice of another account or Region than its queue is an error; any other event from there is only ignored.
fn classify_message(message: Message, settings: &Settings, memory: &Memory) -> Classified {
    let elsewhere = message.elsewhere();
    let event = message.event.and_then(|event| match (classify_event(&event, settings, memory), elsewhere) {
        (Classification::Notice(_), Some(error)) => Err(error),
        (classification, _) => Ok((event, classification)),
    });
    Classified { message_id: message.id, event }
}

/// Classifies every message of a batch like [`classify`], and sorts them by what they mean.
#[must_use]
pub fn classify_batch(
    messages: Vec<Message>,
    settings: &Settings,
    memory: &mut Memory,
    now: Timestamp,
) -> ClassifiedBatch {
    let mut batch = ClassifiedBatch::default();
    for Classified { message_id, event } in classify(messages, settings, memory, now) {
        match event {
            Err(error) => batch.malformed.push(Malformed { message_id, error }),
            Ok((_, Classification::Notice(notice))) => {
                batch.notices.push(ReceivedNotice { message_id, notice: *notice });
            }
            Ok((event, Classification::Ignored(reason))) => {
                batch.ignored.push(IgnoredEvent::new(event.id, message_id, event.change, reason));
            }
        }
    }
    batch
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

impl ReceivedNotice {
    /// Turns a notice that needs no action into an ignored event.
    pub(crate) fn ignored(self, reason: Ignored) -> IgnoredEvent {
        IgnoredEvent::new(self.notice.event_id, self.message_id, Some(self.notice.task), reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::batch::parse_payload;
    use serde_json::{Value, json};

    const SPOT: &str = include_str!("../../../../events/spot-interruption.json");
    const OTHER_STOP: &str = include_str!("../../../../events/scale-in.json");
    const HERE: &str = "arn:aws:sqs:eu-central-1:123456789012:notices";

    fn now() -> Timestamp {
        "2026-03-14T09:26:55Z".parse().unwrap()
    }

    fn fates(payload: &Value, memory: &mut Memory) -> Vec<Result<&'static str, String>> {
        let settings = Settings::default();
        let batch = parse_payload(payload.to_string().as_bytes(), &settings.event_sources).unwrap();
        let fate = |classified: Classified| match classified.event {
            Ok((_, Classification::Notice(_))) => Ok("notice"),
            Ok((_, Classification::Ignored(reason))) => Ok(reason.as_str()),
            Err(error) => Err(error.to_string()),
        };
        classify(batch.messages, &settings, memory, now()).into_iter().map(fate).collect()
    }

    fn record(queue: &str, body: &str) -> Value {
        json!({"messageId": "m", "body": body, "eventSourceARN": queue})
    }

    #[test]
    fn a_notice_from_elsewhere_is_an_error_and_is_not_noted() {
        for (queue, body, expected) in [
            (HERE, SPOT, Ok("notice")),
            (
                "arn:aws:sqs:us-east-1:123456789012:notices",
                SPOT,
                Err("the queue is in account 123456789012 in us-east-1:"),
            ),
            (
                "arn:aws:sqs:eu-central-1:210987654321:notices",
                SPOT,
                Err("the queue is in account 210987654321 in eu-central-1:"),
            ),
            ("arn:aws:sqs:us-east-1:210987654321:notices", OTHER_STOP, Ok("NotSpot")),
            ("not an ARN", SPOT, Ok("notice")),
        ] {
            let mut memory = Memory::new();
            let found = fates(&json!({"Records": [record(queue, body)]}), &mut memory).remove(0);
            match (&found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(*found, expected, "{queue}"),
                (Err(error), Err(expected)) => {
                    let here = "at detail.taskArn: the event is from account 123456789012 in eu-central-1, ";
                    assert!(error.starts_with(&format!("{here}{expected} deploy spotdrain in")), "{error}");
                }
                _ => panic!("{queue}: {found:?}"),
            }
            let is_noted = memory.departing().has("10.0.2.21".parse().unwrap(), now());
            assert_eq!(is_noted, found == Ok("notice"), "{queue}");
        }
        let direct: Value = serde_json::from_str(SPOT).unwrap();
        assert_eq!(fates(&direct, &mut Memory::new()), [Ok("notice")], "a direct event has no queue");
    }

    #[test]
    fn a_task_that_is_down_by_any_message_is_down_for_all_of_them() {
        let mut stopped: Value = serde_json::from_str(SPOT).unwrap();
        stopped["detail"]["lastStatus"] = json!("STOPPED");
        stopped["detail"]["version"] = json!(7);
        let (stopped, notice) = (record(HERE, &stopped.to_string()), record(HERE, SPOT));
        for records in [json!([stopped, notice]), json!([notice, stopped])] {
            let found = fates(&json!({"Records": records}), &mut Memory::new());
            assert_eq!(found, [Ok("AlreadyDown"), Ok("AlreadyDown")]);
        }
    }

    #[test]
    fn without_an_address_a_task_is_ignored_only_until_it_runs() {
        for (status, expected) in [
            ("PROVISIONING", "NoAddress"),
            ("PENDING", "NoAddress"),
            ("ACTIVATING", "NoAddress"),
            ("RUNNING", "notice"),
            ("DEACTIVATING", "notice"),
            ("STOPPING", "notice"),
            ("HIBERNATING", "notice"),
            ("DEPROVISIONING", "AlreadyDown"),
        ] {
            let mut event: Value = serde_json::from_str(SPOT).unwrap();
            event["detail"]["lastStatus"] = json!(status);
            event["detail"]["attachments"] = json!([]);
            event["detail"]["containers"] = json!([]);
            assert_eq!(fates(&event, &mut Memory::new()), [Ok(expected)], "{status}");
        }
    }
}

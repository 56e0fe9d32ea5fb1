//! From messages to notices: each event is a notice, or ignored for a reason, or malformed.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use strum::IntoStaticStr;

use crate::arn::{ClusterArn, ServiceName, TaskArn};
use crate::batch::Message;
use crate::event::{Event, TaskChange};
use crate::finding::TaskSighting;
use crate::json::EventError;
use crate::limits::NOTICE;
use crate::memory::Memory;
use crate::settings::Settings;
use crate::stop::{RecognisedBy, TaskStatus, spot_interruption};

/// One task's Spot interruption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// EventBridge's id of the event.
    pub event_id: String,
    /// The task as the event has it. It may have no address: see [`Notice::needs_address`].
    #[serde(flatten)]
    pub task: TaskChange,
    /// By what the interruption was recognised.
    pub recognised_by: RecognisedBy,
    /// Who sent the event: `aws.ecs`, or a simulator.
    #[serde(skip)]
    pub source: String,
}

impl Notice {
    /// When the interruption began: `stoppingAt`, else the event's own time.
    #[must_use]
    pub fn interrupted_at(&self) -> Timestamp {
        self.task.interrupted_at()
    }

    /// When the task is gone at the latest.
    #[must_use]
    pub fn deadline(&self) -> Timestamp {
        self.interrupted_at().saturating_add(NOTICE).unwrap_or(Timestamp::MAX)
    }

    /// How old the interruption is; `None` if it is dated in the future, from which nothing follows: it then counts as old.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> Option<SignedDuration> {
        let age = now.duration_since(self.interrupted_at());
        (!age.is_negative()).then_some(age)
    }

    /// Whether ECS says that the task is not stopping. A simulated notice is always contradicted, and acted on all the same.
    #[must_use]
    pub fn is_contradicted_by(&self, task: &TaskSighting) -> bool {
        self.source == "aws.ecs" && task.desired_status != TaskStatus::Stopped
    }

    /// Whether ECS must be asked for the task's addresses: it runs or has run, so it has some, and the event names none.
    #[must_use]
    pub fn needs_address(&self) -> bool {
        self.task.addresses.is_empty()
    }

    /// Whether ECS must be asked that the addresses are still the task's: the notice is older than `fresh`, or the task
    /// is past RUNNING. ECS gives an address to another task only after the interface of the first is deleted.
    #[must_use]
    pub fn needs_ownership(&self, now: Timestamp, fresh: SignedDuration) -> bool {
        let is_fresh = self.age(now).is_some_and(|age| age <= fresh);
        !is_fresh || self.task.last_status.is_past_running() || self.task.addresses.is_empty()
    }
}

/// Why an event is none of our business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, IntoStaticStr)]
pub enum Ignored {
    /// Another source or detail-type.
    OtherEvent,
    /// ECS does not want the task to stop.
    NotStopping,
    /// It stops, and not because its Spot capacity is taken back.
    NotSpot,
    /// Its network interface is gone or going.
    AlreadyDown,
    /// Another cluster than those in scope, or its service's tag `spotdrain` is `off`.
    OutOfScope,
    /// It has not reached RUNNING, and has no network interface with an address.
    NoAddress,
    /// This task was handled to the end, at this version or a later one.
    Repeated,
}

impl Ignored {
    /// The name, as it is in reports and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The fate of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is a task's Spot interruption.
    Notice(Box<Notice>),
    /// It is not, or not ours.
    Ignored(Ignored),
}

/// Judges an event, in the order of the design's table: the first reason that holds is the one that is told.
#[must_use]
pub fn judge(event: &Event, settings: &Settings, memory: &Memory) -> Fate {
    let Some(change) = &event.change else {
        return Fate::Ignored(Ignored::OtherEvent);
    };
    if change.desired_status != TaskStatus::Stopped {
        return Fate::Ignored(Ignored::NotStopping);
    }
    let Some(recognised_by) = spot_interruption(change.stop_code.as_ref(), change.stopped_reason.as_deref()) else {
        return Fate::Ignored(Ignored::NotSpot);
    };
    if let Some(reason) = out_of_reach(change, settings, memory) {
        return Fate::Ignored(reason);
    }
    Fate::Notice(Box::new(Notice {
        event_id: event.id.clone(),
        task: change.clone(),
        recognised_by,
        source: event.source.clone(),
    }))
}

fn out_of_reach(change: &TaskChange, settings: &Settings, memory: &Memory) -> Option<Ignored> {
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

/// A message, and what its event is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classified {
    /// SQS's id of the message; `None` for a direct event.
    pub message_id: Option<String>,
    /// The event with its fate, or why the message cannot be acted on.
    pub event: Result<(Event, Fate), EventError>,
}

/// Classifies every message of a batch. What their events say of tasks that are down or interrupted is noted before any of
/// them is judged, because events come in no order.
#[must_use]
pub fn classify(messages: Vec<Message>, settings: &Settings, memory: &mut Memory, now: Timestamp) -> Vec<Classified> {
    memory.note(&messages, now);
    messages.into_iter().map(|message| classify_one(message, settings, memory)).collect()
}

/// A notice from elsewhere is an error. An event from elsewhere that needs nothing is only ignored.
fn classify_one(message: Message, settings: &Settings, memory: &Memory) -> Classified {
    let elsewhere = message.elsewhere();
    let event = message.event.and_then(|event| match (judge(&event, settings, memory), elsewhere) {
        (Fate::Notice(_), Some(error)) => Err(error),
        (fate, _) => Ok((event, fate)),
    });
    Classified { message_id: message.id, event }
}

/// Classifies every message of a batch, and sorts them by what is to be done.
#[must_use]
pub fn read(messages: Vec<Message>, settings: &Settings, memory: &mut Memory, now: Timestamp) -> Reading {
    let mut reading = Reading::default();
    for Classified { message_id, event } in classify(messages, settings, memory, now) {
        match event {
            Err(error) => reading.malformed.push(Malformed { message_id, error }),
            Ok((_, Fate::Notice(notice))) => reading.notices.push(Incoming { message_id, notice: *notice }),
            Ok((event, Fate::Ignored(reason))) => {
                reading.ignored.push(IgnoredEvent::new(event.id, message_id, event.change, reason));
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::take_apart;
    use serde_json::{Value, json};

    const SPOT: &str = include_str!("../../../events/spot-interruption.json");
    const OTHER_STOP: &str = include_str!("../../../events/scale-in.json");
    const HERE: &str = "arn:aws:sqs:eu-central-1:123456789012:notices";

    fn now() -> Timestamp {
        "2026-03-14T09:26:55Z".parse().unwrap()
    }

    fn fates(payload: &Value, memory: &mut Memory) -> Vec<Result<&'static str, String>> {
        let settings = Settings::default();
        let batch = take_apart(payload.to_string().as_bytes(), &settings.event_sources).unwrap();
        let fate = |classified: Classified| match classified.event {
            Ok((_, Fate::Notice(_))) => Ok("notice"),
            Ok((_, Fate::Ignored(reason))) => Ok(reason.as_str()),
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
            let is_noted = memory.going().has("10.0.2.21".parse().unwrap(), now());
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

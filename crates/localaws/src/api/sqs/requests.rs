//! How does SQS read its requests, and what does each do?
//!
//! The API is that of 2012-11-05 (botocore, `sqs`) with standard queues only. What is checked, in this order: the body, the
//! queue's URL, the queue, then the parameters.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::api::sqs::attributes;
use crate::api::sqs::batch;
use crate::api::sqs::error::{invalid, missing, no_queue};
use crate::api::sqs::long_poll::{Done, Poll};
use crate::api::sqs::message_calls;
use crate::api::sqs::shapes::{
    Addressed, BatchBody, ChangeBody, CreateBody, DeleteBody, MESSAGE_ATTRIBUTES, NameBody, NamesBody, ReceiveBody,
    SendBody, SettingsBody,
};
use crate::call::action::{Action, Api};
use crate::call::error::ApiError;
use crate::call::log::Subject;
use crate::location::ACCOUNT;
use crate::model::sqs::queue::Queue;
use crate::model::sqs::queues::{self, Wanted};
use crate::model::sqs::receipt::Receipt;
use crate::model::world::World;
use crate::protocol::json;

/// A request that is well formed.
#[derive(Debug, Clone)]
pub(crate) enum SqsRequest {
    Create(CreateBody),
    Url(NameBody),
    Of { queue: String, work: QueueWork },
}

/// What is to be done with a queue that is named by its URL.
#[derive(Debug, Clone)]
pub(crate) enum QueueWork {
    Attributes(NamesBody),
    SetAttributes(SettingsBody),
    Purge,
    Send(SendBody),
    SendBatch(BatchBody<SendBody>),
    Receive(ReceiveBody),
    Delete(DeleteBody),
    DeleteBatch(BatchBody<DeleteBody>),
    Change(ChangeBody),
    ChangeBatch(BatchBody<ChangeBody>),
}

impl SqsRequest {
    /// Reads a request, or gives none for an action of another API.
    pub(crate) fn parse(action: Action, body: &[u8]) -> Option<Result<Self, ApiError>> {
        let work = match action {
            Action::CreateQueue => return Some(json::read(Api::Sqs, body).map(Self::Create)),
            Action::GetQueueUrl => return Some(json::read(Api::Sqs, body).map(Self::Url)),
            Action::GetQueueAttributes => json::read(Api::Sqs, body).map(QueueWork::Attributes),
            Action::SetQueueAttributes => json::read(Api::Sqs, body).map(QueueWork::SetAttributes),
            Action::PurgeQueue => Ok(QueueWork::Purge),
            Action::SendMessage => json::read(Api::Sqs, body).map(QueueWork::Send),
            Action::SendMessageBatch => json::read(Api::Sqs, body).map(QueueWork::SendBatch),
            Action::ReceiveMessage => json::read(Api::Sqs, body).map(QueueWork::Receive),
            Action::DeleteMessage => json::read(Api::Sqs, body).map(QueueWork::Delete),
            Action::DeleteMessageBatch => json::read(Api::Sqs, body).map(QueueWork::DeleteBatch),
            Action::ChangeMessageVisibility => json::read(Api::Sqs, body).map(QueueWork::Change),
            Action::ChangeMessageVisibilityBatch => json::read(Api::Sqs, body).map(QueueWork::ChangeBatch),
            _ => return None,
        };
        Some(work.and_then(|work| Ok(Self::Of { queue: addressed(body)?, work })))
    }

    /// Does the work. `origin` is what the caller puts before a path to come here: queue URLs begin with it.
    pub(crate) fn run(self, world: &mut World, origin: &str, now: Duration) -> Result<Done, ApiError> {
        let answer = match self {
            Self::Create(body) => create(world, &body, origin, now)?,
            Self::Url(body) => url(world, body.queue_name.as_deref(), origin)?,
            Self::Of { queue, work } => {
                world.queues.get(&queue).ok_or_else(no_queue)?;
                match work {
                    QueueWork::Receive(body) => return receive(world, queue, &body, now),
                    work => at_once(world, &queue, &work, now)?,
                }
            }
        };
        json::write(Api::Sqs, &answer).map(Done::Now)
    }

    /// The queue's name, and the messages that are meant.
    pub(crate) fn subject(&self) -> Subject {
        let (resource, handles) = match self {
            Self::Create(CreateBody { queue_name, .. }) | Self::Url(NameBody { queue_name }) => {
                (queue_name.clone(), Vec::new())
            }
            Self::Of { queue, work } => (Some(queue.clone()), work.handles()),
        };
        let of = resource.as_deref().unwrap_or_default();
        let ids = handles.into_iter().filter_map(|handle| Some(Receipt::parse(handle, of)?.message_id())).collect();
        Subject { resource, targets: ids, with_tags: false }
    }
}

impl QueueWork {
    fn handles(&self) -> Vec<&str> {
        let handles: Vec<&Option<String>> = match self {
            Self::Delete(body) => vec![&body.receipt_handle],
            Self::Change(body) => vec![&body.receipt_handle],
            Self::DeleteBatch(batch) => batch.entries.iter().map(|entry| &entry.body.receipt_handle).collect(),
            Self::ChangeBatch(batch) => batch.entries.iter().map(|entry| &entry.body.receipt_handle).collect(),
            _ => Vec::new(),
        };
        handles.into_iter().filter_map(Option::as_deref).collect()
    }
}

/// The name of the queue that a request's `QueueUrl` means: whatever the host, the path is `/ACCOUNT/NAME`.
fn addressed(body: &[u8]) -> Result<String, ApiError> {
    let read: Addressed = json::read(Api::Sqs, body)?;
    let url = read.queue_url.ok_or_else(|| missing("QueueUrl"))?;
    let wrong = || ApiError::bad("InvalidAddress", format!("The address {url} is not valid for this endpoint."));
    let (_, after) = url.split_once("://").ok_or_else(wrong)?;
    match after.split('/').collect::<Vec<_>>().as_slice() {
        [_, ACCOUNT, name] if !name.is_empty() => Ok((*name).to_owned()),
        [_, _, name] if !name.is_empty() => Err(no_queue()),
        _ => Err(wrong()),
    }
}

fn create(world: &mut World, body: &CreateBody, origin: &str, now: Duration) -> Result<Map<String, Value>, ApiError> {
    let name = body.queue_name.as_deref().ok_or_else(|| missing("QueueName"))?;
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if name.is_empty() || name.len() > 80 || !name.chars().all(allowed) {
        let reason = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.";
        return Err(invalid("QueueName", name, reason));
    }
    let known = world.queues.get(name).map(|stock| stock.queue.clone());
    let mut queue = known.clone().unwrap_or_else(|| Queue::new(name));
    attributes::set(&mut queue, &body.attributes, |arn| exists(world, arn))?;
    match known {
        Some(known) if known != queue => {
            let message = "A queue already exists with the same name and a different value for an attribute";
            return Err(ApiError::bad("QueueNameExists", message));
        }
        Some(_) => {}
        None => world.queues.set(queue, now),
    }
    Ok(url_of(name, origin))
}

fn url(world: &World, name: Option<&str>, origin: &str) -> Result<Map<String, Value>, ApiError> {
    let name = name.ok_or_else(|| missing("QueueName"))?;
    world.queues.get(name).ok_or_else(no_queue)?;
    Ok(url_of(name, origin))
}

fn url_of(name: &str, origin: &str) -> Map<String, Value> {
    object([("QueueUrl", json!(format!("{origin}/{ACCOUNT}/{name}")))])
}

fn at_once(world: &mut World, queue: &str, work: &QueueWork, now: Duration) -> Result<Map<String, Value>, ApiError> {
    match work {
        QueueWork::Attributes(body) => attributes(world, queue, &body.attribute_names, now),
        QueueWork::SetAttributes(body) => set_attributes(world, queue, body, now),
        QueueWork::Purge => purge(world, queue, now),
        QueueWork::Send(body) => message_calls::send(world, queue, body, now),
        QueueWork::SendBatch(batch) => {
            batch::check(&batch.entries)?;
            message_calls::check_length(&batch.entries)?;
            Ok(batch::each(&batch.entries, |body| message_calls::send(world, queue, body, now)))
        }
        QueueWork::Delete(body) => message_calls::delete(world, queue, body),
        QueueWork::DeleteBatch(batch) => {
            batch::check(&batch.entries)?;
            Ok(batch::each(&batch.entries, |body| message_calls::delete(world, queue, body)))
        }
        QueueWork::Change(body) => message_calls::change(world, queue, body, now),
        QueueWork::ChangeBatch(batch) => {
            batch::check(&batch.entries)?;
            Ok(batch::each(&batch.entries, |body| message_calls::change(world, queue, body, now)))
        }
        QueueWork::Receive(_) => Err(ApiError::internal(Api::Sqs)),
    }
}

fn attributes(world: &World, queue: &str, names: &[String], now: Duration) -> Result<Map<String, Value>, ApiError> {
    let stock = world.queues.get(queue).ok_or_else(no_queue)?;
    let found = attributes::describe(stock, names, world.since_1970(), now)?;
    let mut found: BTreeMap<&str, String> = found.into_iter().collect();
    // What is only shown, such as a policy.
    let set = world.canned.attributes.get(&stock.queue.arn()).into_iter().flatten();
    let is_asked = |name: &str| names.iter().any(|asked| asked == "All" || asked == name);
    found.extend(set.filter(|(name, _)| is_asked(name)).map(|(name, value)| (name.as_str(), value.clone())));
    Ok(if found.is_empty() { Map::new() } else { object([("Attributes", json!(found))]) })
}

fn set_attributes(
    world: &mut World,
    queue: &str,
    body: &SettingsBody,
    now: Duration,
) -> Result<Map<String, Value>, ApiError> {
    let mut changed = world.queues.get(queue).ok_or_else(no_queue)?.queue.clone();
    attributes::set(&mut changed, &body.attributes, |arn| exists(world, arn))?;
    world.queues.set(changed, now);
    Ok(Map::new())
}

fn purge(world: &mut World, queue: &str, now: Duration) -> Result<Map<String, Value>, ApiError> {
    let refused = || {
        let message = format!("Only one PurgeQueue operation on {queue} is allowed every 60 seconds.");
        ApiError::bad("PurgeQueueInProgress", message)
    };
    if world.queues.purge(queue, now) { Ok(Map::new()) } else { Err(refused()) }
}

fn receive(world: &mut World, queue: String, body: &ReceiveBody, now: Duration) -> Result<Done, ApiError> {
    let own = world.queues.get(&queue).ok_or_else(no_queue)?.queue.receive_wait;
    let most = message_calls::within("MaxNumberOfMessages", body.max_number_of_messages, 1..=10)?.unwrap_or(1);
    let hidden = message_calls::within("VisibilityTimeout", body.visibility_timeout, 0..=43_200)?;
    let wait = message_calls::within("WaitTimeSeconds", body.wait_time_seconds, 0..=20)?;
    let wait = wait.map_or(own, |seconds| Duration::from_secs(seconds.into()));
    let names = body.names();
    if let Some(name) = names.iter().find(|name| *name != "All" && !MESSAGE_ATTRIBUTES.contains(&name.as_str())) {
        return Err(attributes::unknown(name));
    }
    let hidden = hidden.map(|seconds| Duration::from_secs(seconds.into()));
    let wanted = Wanted { most: most as usize, hidden, short_poll: wait.is_zero() };
    let poll = Poll { queue, wanted, names, until: now.saturating_add(wait) };
    Ok(poll.look(world, now)?.map_or(Done::Later(poll), Done::Now))
}

fn exists(world: &World, arn: &str) -> bool {
    world.queues.get(queues::name_in(arn)).is_some_and(|stock| stock.queue.arn() == arn)
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

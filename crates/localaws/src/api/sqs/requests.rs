//! Parses and runs the requests of SQS (API version 2012-11-05; botocore, `sqs`), for standard queues only.
//!
//! Only the calls of a consumer are simulated; tests create queues and send messages through
//! [`World`](crate::World). Checks run in this order: the body, the queue URL, the queue, the parameters.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::api::sqs::attributes;
use crate::api::sqs::batch;
use crate::api::sqs::error::{missing, no_queue};
use crate::api::sqs::long_poll::{LongPoll, PollAnswer};
use crate::api::sqs::message_calls;
use crate::api::sqs::shapes::{
    Addressed, BatchBody, ChangeBody, DeleteBody, MESSAGE_ATTRIBUTES, NameBody, NamesBody, ReceiveBody,
};
use crate::call::action::{Action, Api};
use crate::call::error::ApiError;
use crate::call::log::Subject;
use crate::location::ACCOUNT;
use crate::model::sqs::queues::Wanted;
use crate::model::sqs::receipt::Receipt;
use crate::model::world::World;
use crate::protocol::json;

/// A well-formed request.
#[derive(Debug, Clone)]
pub(crate) enum SqsRequest {
    Url(NameBody),
    Of { queue: String, call: QueueCall },
}

/// A call on a queue that the request names by URL.
#[derive(Debug, Clone)]
pub(crate) enum QueueCall {
    Attributes(NamesBody),
    Receive(ReceiveBody),
    Delete(BatchBody<DeleteBody>),
    ChangeVisibility(BatchBody<ChangeBody>),
}

impl SqsRequest {
    /// Parses a request; `None` for an action of another API.
    pub(crate) fn parse(action: Action, body: &[u8]) -> Option<Result<Self, ApiError>> {
        let call = match action {
            Action::GetQueueUrl => return Some(json::read(Api::Sqs, body).map(Self::Url)),
            Action::GetQueueAttributes => json::read(Api::Sqs, body).map(QueueCall::Attributes),
            Action::ReceiveMessage => json::read(Api::Sqs, body).map(QueueCall::Receive),
            Action::DeleteMessageBatch => json::read(Api::Sqs, body).map(QueueCall::Delete),
            Action::ChangeMessageVisibilityBatch => json::read(Api::Sqs, body).map(QueueCall::ChangeVisibility),
            _ => return None,
        };
        Some(call.and_then(|call| Ok(Self::Of { queue: addressed(body)?, call })))
    }

    /// Runs the request. `origin` is the scheme and host that the caller used; queue URLs begin with it.
    pub(crate) fn run(self, world: &mut World, origin: &str, now: Duration) -> Result<PollAnswer, ApiError> {
        let answer = match self {
            Self::Url(body) => url(world, body.queue_name.as_deref(), origin)?,
            Self::Of { queue, call } => {
                world.queues.get(&queue).ok_or_else(no_queue)?;
                match call {
                    QueueCall::Receive(body) => return receive(world, queue, &body, now),
                    QueueCall::Attributes(body) => describe(world, &queue, &body.attribute_names, now)?,
                    QueueCall::Delete(batch) => {
                        batch::each(&batch.entries, |body| message_calls::delete(world, &queue, body))?
                    }
                    QueueCall::ChangeVisibility(batch) => {
                        batch::each(&batch.entries, |body| message_calls::change_visibility(world, &queue, body, now))?
                    }
                }
            }
        };
        json::write(Api::Sqs, &answer).map(PollAnswer::Now)
    }

    /// The queue's name, and the ids of the messages that the request names.
    pub(crate) fn subject(&self) -> Subject {
        let (resource, handles) = match self {
            Self::Url(NameBody { queue_name }) => (queue_name.clone(), Vec::new()),
            Self::Of { queue, call } => (Some(queue.clone()), call.handles()),
        };
        let of = resource.as_deref().unwrap_or_default();
        let ids = handles.into_iter().filter_map(|handle| Some(Receipt::parse(handle, of)?.message_id())).collect();
        Subject { resource, targets: ids, with_tags: false }
    }
}

impl QueueCall {
    fn handles(&self) -> Vec<&str> {
        let handles: Vec<&Option<String>> = match self {
            Self::Delete(batch) => batch.entries.iter().map(|entry| &entry.body.receipt_handle).collect(),
            Self::ChangeVisibility(batch) => batch.entries.iter().map(|entry| &entry.body.receipt_handle).collect(),
            Self::Attributes(_) | Self::Receive(_) => Vec::new(),
        };
        handles.into_iter().filter_map(Option::as_deref).collect()
    }
}

/// Returns the name of the queue in a request's `QueueUrl`. The host is ignored; the path is `/ACCOUNT/NAME`.
fn addressed(body: &[u8]) -> Result<String, ApiError> {
    let read: Addressed = json::read(Api::Sqs, body)?;
    let url = read.queue_url.ok_or_else(|| missing("QueueUrl"))?;
    let invalid = || ApiError::bad("InvalidAddress", format!("The address {url} is not valid for this endpoint."));
    let (_, after) = url.split_once("://").ok_or_else(invalid)?;
    match after.split('/').collect::<Vec<_>>().as_slice() {
        [_, ACCOUNT, name] if !name.is_empty() => Ok((*name).to_owned()),
        [_, _, name] if !name.is_empty() => Err(no_queue()),
        _ => Err(invalid()),
    }
}

fn url(world: &World, name: Option<&str>, origin: &str) -> Result<Map<String, Value>, ApiError> {
    let name = name.ok_or_else(|| missing("QueueName"))?;
    world.queues.get(name).ok_or_else(no_queue)?;
    Ok(object("QueueUrl", json!(format!("{origin}/{ACCOUNT}/{name}"))))
}

fn describe(world: &World, queue: &str, names: &[String], now: Duration) -> Result<Map<String, Value>, ApiError> {
    let stock = world.queues.get(queue).ok_or_else(no_queue)?;
    let mut found: BTreeMap<&str, String> =
        attributes::describe(stock, names, world.since_1970(), now)?.into_iter().collect();
    // Canned attributes have no effect, for example a policy.
    let canned = world.canned.attributes.get(&stock.queue.arn()).into_iter().flatten();
    let is_asked = |name: &str| names.iter().any(|asked| asked == "All" || asked == name);
    found.extend(canned.filter(|(name, _)| is_asked(name)).map(|(name, value)| (name.as_str(), value.clone())));
    Ok(if found.is_empty() { Map::new() } else { object("Attributes", json!(found)) })
}

fn receive(world: &mut World, queue: String, body: &ReceiveBody, now: Duration) -> Result<PollAnswer, ApiError> {
    let default_wait = world.queues.get(&queue).ok_or_else(no_queue)?.queue.receive_wait;
    let max = message_calls::within("MaxNumberOfMessages", body.max_number_of_messages, 1..=10)?.unwrap_or(1);
    let hidden = message_calls::within("VisibilityTimeout", body.visibility_timeout, 0..=43_200)?;
    let wait = message_calls::within("WaitTimeSeconds", body.wait_time_seconds, 0..=20)?;
    let wait = wait.map_or(default_wait, |seconds| Duration::from_secs(seconds.into()));
    let names = body.names();
    if let Some(name) = names.iter().find(|name| *name != "All" && !MESSAGE_ATTRIBUTES.contains(&name.as_str())) {
        return Err(attributes::unknown(name));
    }
    let hidden = hidden.map(|seconds| Duration::from_secs(seconds.into()));
    let wanted = Wanted { max: max as usize, hidden, short_poll: wait.is_zero() };
    let poll = LongPoll { queue, wanted, names, until: now.saturating_add(wait) };
    Ok(poll.try_receive(world, now)?.map_or(PollAnswer::Later(poll), PollAnswer::Now))
}

fn object(name: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value)])
}

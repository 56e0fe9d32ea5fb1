//! What does a call do with one message, alone or as an entry of a batch?
//!
//! The limits are those of the API reference of `SendMessage` (1 MiB since 2025; 256 KiB before) and
//! `ChangeMessageVisibility`.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::api::sqs::error::{invalid, missing, no_queue, not_a_receipt};
use crate::api::sqs::shapes::{ChangeBody, DeleteBody, Entry, SendBody, md5_hex};
use crate::call::action::Api;
use crate::call::error::ApiError;
use crate::model::sqs::messages::Unchanged;
use crate::model::sqs::queue::LARGEST_MESSAGE;
use crate::model::sqs::receipt::Receipt;
use crate::model::world::World;

pub(crate) fn send(
    world: &mut World,
    queue: &str,
    body: &SendBody,
    now: Duration,
) -> Result<Map<String, Value>, ApiError> {
    body.check_played()?;
    let largest = world.queues.get(queue).ok_or_else(no_queue)?.queue.largest_message;
    let text = body.message_body.as_deref().filter(|text| !text.is_empty()).ok_or_else(|| missing("MessageBody"))?;
    if text.len() > largest {
        let message =
            format!("One or more parameters are invalid. Reason: Message must be shorter than {largest} bytes.");
        return Err(ApiError::invalid(Api::Sqs, message));
    }
    if !text.chars().all(is_allowed) {
        return Err(ApiError::bad("InvalidMessageContents", "Invalid characters found in the message body"));
    }
    let delay = within("DelaySeconds", body.delay_seconds, 0..=900)?;
    let delay = delay.map(|seconds| Duration::from_secs(seconds.into()));
    let sent = world.queues.send(queue, text, delay, now).ok_or_else(no_queue)?;
    let digest = md5_hex(&sent.body);
    let fields = [("MessageId", json!(sent.id)), ("MD5OfMessageBody", json!(digest))];
    Ok(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// All bodies of a batch together may be as long as one message.
pub(crate) fn check_length(entries: &[Entry<SendBody>]) -> Result<(), ApiError> {
    let bodies = entries.iter().filter_map(|entry| entry.body.message_body.as_ref());
    let sent: usize = bodies.map(String::len).sum();
    let message =
        || format!("Batch requests cannot be longer than {LARGEST_MESSAGE} bytes. You have sent {sent} bytes.");
    if sent > LARGEST_MESSAGE { Err(ApiError::bad("BatchRequestTooLong", message())) } else { Ok(()) }
}

pub(crate) fn delete(world: &mut World, queue: &str, body: &DeleteBody) -> Result<Map<String, Value>, ApiError> {
    world.queues.delete(&receipt(queue, body.receipt_handle.as_deref())?);
    Ok(Map::new())
}

pub(crate) fn change(
    world: &mut World,
    queue: &str,
    body: &ChangeBody,
    now: Duration,
) -> Result<Map<String, Value>, ApiError> {
    let receipt = receipt(queue, body.receipt_handle.as_deref())?;
    let seconds = within("VisibilityTimeout", body.visibility_timeout, 0..=43_200)?;
    let seconds = seconds.ok_or_else(|| missing("VisibilityTimeout"))?;
    let changed = world.queues.change_visibility(&receipt, Duration::from_secs(seconds.into()), now);
    changed.map(|()| Map::new()).map_err(|why| unchanged(why, &receipt, seconds))
}

fn unchanged(why: Unchanged, receipt: &Receipt, seconds: u32) -> ApiError {
    match why {
        Unchanged::Gone => {
            let reason = "Message does not exist or is not available for visibility timeout change.";
            invalid("ReceiptHandle", receipt, reason)
        }
        Unchanged::NotInFlight => ApiError::bad("MessageNotInflight", "The specified message isn't in flight."),
        Unchanged::TooLong => {
            let reason = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]";
            invalid("VisibilityTimeout", seconds, reason)
        }
    }
}

fn receipt(queue: &str, handle: Option<&str>) -> Result<Receipt, ApiError> {
    let handle = handle.ok_or_else(|| missing("ReceiptHandle"))?;
    Receipt::parse(handle, queue).ok_or_else(|| not_a_receipt(handle))
}

/// A number that may be left out, in its range.
pub(crate) fn within(name: &str, value: Option<i64>, range: RangeInclusive<u32>) -> Result<Option<u32>, ApiError> {
    let Some(value) = value else { return Ok(None) };
    let number = u32::try_from(value).ok().filter(|number| range.contains(number));
    let reason = || format!("Must be between {} and {}, if provided.", range.start(), range.end());
    number.map(Some).ok_or_else(|| invalid(name, value, &reason()))
}

/// Those that XML 1.0 can have.
fn is_allowed(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

//! Deleting a message and changing its visibility, as one entry of a batch.
//!
//! The limits are those of the API reference of `ChangeMessageVisibility`.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::api::sqs::error::{invalid, missing, not_a_receipt};
use crate::api::sqs::shapes::{ChangeBody, DeleteBody};
use crate::call::error::ApiError;
use crate::model::sqs::messages::Unchanged;
use crate::model::sqs::receipt::Receipt;
use crate::model::world::World;

pub(crate) fn delete(world: &mut World, queue: &str, body: &DeleteBody) -> Result<Map<String, Value>, ApiError> {
    world.queues.delete(&receipt(queue, body.receipt_handle.as_deref())?);
    Ok(Map::new())
}

pub(crate) fn change_visibility(
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

/// Checks an optional number against its range.
pub(crate) fn within(name: &str, value: Option<i64>, range: RangeInclusive<u32>) -> Result<Option<u32>, ApiError> {
    let Some(value) = value else { return Ok(None) };
    let number = u32::try_from(value).ok().filter(|number| range.contains(number));
    let reason = || format!("Must be between {} and {}, if provided.", range.start(), range.end());
    number.map(Some).ok_or_else(|| invalid(name, value, &reason()))
}

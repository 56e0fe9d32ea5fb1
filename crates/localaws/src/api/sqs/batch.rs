//! The checks of a batch, and the result of each entry.
//!
//! A malformed batch is refused as a whole; an invalid entry fails alone (API reference, `DeleteMessageBatch`; the limit of ten
//! is in `TooManyEntriesInBatchRequest`).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::api::sqs::error::missing;
use crate::api::sqs::shapes::BatchEntry;
use crate::call::error::ApiError;

const MAX_ENTRIES: usize = 10;
const MAX_ID_LENGTH: usize = 80;

/// Checks the batch as a whole.
fn check<T>(entries: &[BatchEntry<T>]) -> Result<(), ApiError> {
    if entries.is_empty() {
        return Err(ApiError::bad("EmptyBatchRequest", "There should be at least one entry in the request."));
    }
    if entries.len() > MAX_ENTRIES {
        let sent = entries.len();
        let message = format!("Maximum number of entries per request are {MAX_ENTRIES}. You have sent {sent}.");
        return Err(ApiError::bad("TooManyEntriesInBatchRequest", message));
    }
    let mut seen = BTreeSet::new();
    for entry in entries {
        let id = id(entry)?;
        if !seen.insert(id) {
            return Err(ApiError::bad("BatchEntryIdsNotDistinct", format!("Id {id} repeated.")));
        }
    }
    Ok(())
}

fn id<T>(entry: &BatchEntry<T>) -> Result<&str, ApiError> {
    let id = entry.id.as_deref().ok_or_else(|| missing("Id"))?;
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if id.is_empty() || id.len() > MAX_ID_LENGTH || !id.chars().all(allowed) {
        let message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most \
                       80 letters long.";
        return Err(ApiError::bad("InvalidBatchEntryId", message));
    }
    Ok(id)
}

/// Checks the batch, then runs `call` for each entry and collects the results.
pub(crate) fn each<T>(
    entries: &[BatchEntry<T>],
    mut call: impl FnMut(&T) -> Result<Map<String, Value>, ApiError>,
) -> Result<Map<String, Value>, ApiError> {
    check(entries)?;
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        let id = json!(entry.id);
        match call(&entry.body) {
            Ok(mut result) => {
                result.insert("Id".to_owned(), id);
                successful.push(Value::Object(result));
            }
            Err(error) => failed.push(failure(&id, &error)),
        }
    }
    let lists = [("Successful", successful), ("Failed", failed)];
    let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
    Ok(lists.map(|(name, list)| (name.to_owned(), Value::Array(list))).collect())
}

fn failure(id: &Value, error: &ApiError) -> Value {
    json!({"Id": id, "SenderFault": error.status < 500, "Code": error.code, "Message": error.message})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(ids: &[&str]) -> Vec<BatchEntry<()>> {
        ids.iter().map(|id| BatchEntry { id: Some((*id).to_owned()), body: () }).collect()
    }

    #[test]
    fn a_batch_is_refused_as_a_whole() {
        let long = "a".repeat(81);
        let table: [(&[&str], &str); 6] = [
            (&[], "EmptyBatchRequest"),
            (&["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"], "TooManyEntriesInBatchRequest"),
            (&["a", "b", "a"], "BatchEntryIdsNotDistinct"),
            (&["a", "ä"], "InvalidBatchEntryId"),
            (&[""], "InvalidBatchEntryId"),
            (&[&long], "InvalidBatchEntryId"),
        ];
        for (ids, code) in table {
            assert_eq!(check(&entries(ids)).unwrap_err().code, code, "{ids:?}");
        }
        assert!(check(&entries(&["1", "2", "3", "4", "5", "6", "7", "8", "9", "1_-0"])).is_ok());
    }

    #[test]
    fn an_entry_fails_alone() {
        let mut odd = false;
        let answer = each(&entries(&["a", "b"]), |()| {
            odd = !odd;
            if odd { Ok(Map::new()) } else { Err(missing("ReceiptHandle")) }
        })
        .unwrap();
        let expected = json!({
            "Successful": [{"Id": "a"}],
            "Failed": [{
                "Id": "b",
                "SenderFault": true,
                "Code": "MissingParameter",
                "Message": "The request must contain the parameter ReceiptHandle.",
            }],
        });
        assert_eq!(Value::Object(answer), expected);
    }
}

//! What may a batch of entries be, and what becomes of each entry?
//!
//! A batch is refused as a whole for what is wrong with the batch; an entry fails alone for what is wrong with it (API
//! reference, `SendMessageBatch` and the like; the limit of ten is in `TooManyEntriesInBatchRequest`).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::api::sqs::error::missing;
use crate::api::sqs::shapes::Entry;
use crate::call::error::ApiError;

const MOST_ENTRIES: usize = 10;
const LONGEST_ID: usize = 80;

/// Is the batch as a whole well formed?
pub(crate) fn check<T>(entries: &[Entry<T>]) -> Result<(), ApiError> {
    if entries.is_empty() {
        return Err(ApiError::bad("EmptyBatchRequest", "There should be at least one entry in the request."));
    }
    if entries.len() > MOST_ENTRIES {
        let sent = entries.len();
        let message = format!("Maximum number of entries per request are {MOST_ENTRIES}. You have sent {sent}.");
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

fn id<T>(entry: &Entry<T>) -> Result<&str, ApiError> {
    let id = entry.id.as_deref().ok_or_else(|| missing("Id"))?;
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    if id.is_empty() || id.len() > LONGEST_ID || !id.chars().all(allowed) {
        let message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most \
                       80 letters long.";
        return Err(ApiError::bad("InvalidBatchEntryId", message));
    }
    Ok(id)
}

/// Does the work of each entry, and tells of each what became of it.
pub(crate) fn each<T>(
    entries: &[Entry<T>],
    mut work: impl FnMut(&T) -> Result<Map<String, Value>, ApiError>,
) -> Map<String, Value> {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        let id = json!(entry.id);
        match work(&entry.body) {
            Ok(mut result) => {
                result.insert("Id".to_owned(), id);
                successful.push(Value::Object(result));
            }
            Err(error) => failed.push(failure(&id, &error)),
        }
    }
    let lists = [("Successful", successful), ("Failed", failed)];
    let told = lists.into_iter().filter(|(_, list)| !list.is_empty());
    told.map(|(name, list)| (name.to_owned(), Value::Array(list))).collect()
}

fn failure(id: &Value, error: &ApiError) -> Value {
    json!({"Id": id, "SenderFault": error.status < 500, "Code": error.code, "Message": error.message})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(ids: &[&str]) -> Vec<Entry<()>> {
        ids.iter().map(|id| Entry { id: Some((*id).to_owned()), body: () }).collect()
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
        let told = each(&entries(&["a", "b"]), |()| {
            odd = !odd;
            if odd { Ok(Map::new()) } else { Err(missing("ReceiptHandle")) }
        });
        let expected = json!({
            "Successful": [{"Id": "a"}],
            "Failed": [{
                "Id": "b",
                "SenderFault": true,
                "Code": "MissingParameter",
                "Message": "The request must contain the parameter ReceiptHandle.",
            }],
        });
        assert_eq!(Value::Object(told), expected);
    }
}

//! Which messages of a batch does a function's answer name as failed, and which answers fail the whole batch?
//!
//! By *Success and failure conditions* in the Lambda developer guide (services-sqs-errorhandling), with
//! `ReportBatchItemFailures` on:
//! - success: an empty or null list, an empty or null answer. An object without the list is taken as an empty answer;
//! - failure of all: no JSON, an identifier that is empty or null, a wrong key in its place, an id of no message of the batch.
//!
//! The guide does not say what becomes of JSON that is no object, of a list that is none, and of an identifier that is no
//! text. Here they fail the batch: nothing is deleted by mistake.

use std::collections::BTreeSet;

use serde_json::Value;

/// Why a whole batch failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The function did not answer, but failed.
    #[error("the function failed")]
    Function,
    /// The answer is not JSON.
    #[error("the answer is not JSON: {0}")]
    NotJson(String),
    /// The answer is neither an object nor null.
    #[error("the answer is no object")]
    NotAnObject,
    /// `batchItemFailures` is neither a list nor null.
    #[error("`batchItemFailures` is no list")]
    NotAList,
    /// An entry of the list has no `itemIdentifier`, or one that is null, empty or no text.
    #[error("entry {0} of `batchItemFailures` has no `itemIdentifier`")]
    NoIdentifier(usize),
    /// An entry names no message of the batch.
    #[error("`batchItemFailures` names {0}, which is no message of the batch")]
    NotInBatch(String),
}

/// The ids of the messages that failed.
pub(crate) fn failed(answer: &[u8], batch: &BTreeSet<&str>) -> Result<BTreeSet<String>, BatchError> {
    let answer: Value = serde_json::from_slice(answer).map_err(|error| BatchError::NotJson(error.to_string()))?;
    let list = match &answer {
        Value::Null => &Value::Null,
        Value::Object(fields) => fields.get("batchItemFailures").unwrap_or(&Value::Null),
        _ => return Err(BatchError::NotAnObject),
    };
    match list {
        Value::Null => Ok(BTreeSet::new()),
        Value::Array(entries) => entries.iter().enumerate().map(|(at, entry)| identifier(at, entry, batch)).collect(),
        _ => Err(BatchError::NotAList),
    }
}

fn identifier(at: usize, entry: &Value, batch: &BTreeSet<&str>) -> Result<String, BatchError> {
    let id = entry.get("itemIdentifier").and_then(Value::as_str).filter(|id| !id.is_empty());
    let id = id.ok_or(BatchError::NoIdentifier(at))?;
    if batch.contains(id) { Ok(id.to_owned()) } else { Err(BatchError::NotInBatch(id.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(answer: &str) -> Result<Vec<String>, BatchError> {
        failed(answer.as_bytes(), &BTreeSet::from(["a", "b"])).map(|ids| ids.into_iter().collect())
    }

    #[test]
    fn an_answer_that_names_nothing_is_a_success() {
        for answer in ["{}", "null", r#"{"batchItemFailures":null}"#, r#"{"batchItemFailures":[]}"#, r#"{"other":7}"#] {
            assert_eq!(read(answer), Ok(vec![]), "{answer}");
        }
    }

    #[test]
    fn an_answer_names_what_failed() {
        assert_eq!(read(r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#), Ok(vec!["b".to_owned()]));
        let twice = r#"{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"b","more":1}]}"#;
        assert_eq!(read(twice), Ok(vec!["b".to_owned()]));
    }

    #[test]
    fn an_answer_that_is_wrong_fails_everything() {
        let entry = |entry: &str| format!(r#"{{"batchItemFailures":[{{"itemIdentifier":"a"}},{entry}]}}"#);
        let table = [
            (r#""ok""#.to_owned(), BatchError::NotAnObject),
            ("[]".to_owned(), BatchError::NotAnObject),
            (r#"{"batchItemFailures":"a"}"#.to_owned(), BatchError::NotAList),
            (entry(r#"{"itemIdentifier":""}"#), BatchError::NoIdentifier(1)),
            (entry(r#"{"itemIdentifier":null}"#), BatchError::NoIdentifier(1)),
            (entry(r#"{"itemIdentifier":7}"#), BatchError::NoIdentifier(1)),
            (entry(r#"{"messageId":"b"}"#), BatchError::NoIdentifier(1)),
            (entry(r#""b""#), BatchError::NoIdentifier(1)),
            (entry(r#"{"itemIdentifier":"c"}"#), BatchError::NotInBatch("c".to_owned())),
        ];
        for (answer, error) in table {
            assert_eq!(read(&answer), Err(error), "{answer}");
        }
        for answer in ["", "{", "done"] {
            assert!(matches!(read(answer), Err(BatchError::NotJson(_))), "{answer}");
        }
    }
}

//! Reads JSON, and says where in it something does not fit.

use serde::Deserialize;
use thiserror::Error;

use crate::arn::ArnError;
use crate::object::Object;

/// The path of the whole.
pub(crate) const TOP: &str = "the top";

/// What does not fit, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("at {path}: {problem}")]
pub struct EventError {
    /// The place in the JSON, such as `detail.containers[2].networkInterfaces[0].ipv6Address`.
    pub path: String,
    /// What was expected there, and what was found.
    pub problem: String,
}

impl EventError {
    pub(crate) fn new(path: impl Into<String>, expected: &str, found: &str) -> Self {
        let found: String = found.chars().take(200).collect();
        Self { path: path.into(), problem: format!("expected {expected}, found {found:?}") }
    }

    pub(crate) fn arn(path: &str, error: &ArnError) -> Self {
        Self { path: path.to_owned(), problem: error.to_string() }
    }
}

/// Reads a JSON object, with the path of what does not fit. The path is looked for only where it is needed: keeping it
/// costs as much time again as the reading.
pub(crate) fn from_json<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, EventError> {
    serde_json::from_str::<Object<T>>(text).map(|Object(value)| value).map_err(|error| locate::<T>(text, &error))
}

fn locate<'de, T: Deserialize<'de>>(text: &'de str, error: &serde_json::Error) -> EventError {
    let mut json = serde_json::Deserializer::from_str(text);
    let located = serde_path_to_error::deserialize::<_, Object<T>>(&mut json);
    let Err(located) = located else {
        return EventError { path: "the end".to_owned(), problem: error.to_string() };
    };
    let path = located.path().to_string();
    // `?` stands for a key that was not read to its end.
    let path = path.trim_end_matches('?').trim_end_matches('.');
    let path = if path.is_empty() { TOP.to_owned() } else { path.to_owned() };
    EventError { path, problem: located.into_inner().to_string() }
}

//! Reads JSON, and says where in it something does not fit.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::arn::ArnError;
use crate::object::Object;

/// The path of the whole.
pub(crate) const TOP: &str = "the top";

/// What does not fit, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
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
        return EventError { path: "the end".to_owned(), problem: short(&error.to_string()) };
    };
    let path = located.path().to_string();
    // `?` stands for a key that was not read to its end.
    let path = path.trim_end_matches('?').trim_end_matches('.');
    let path = if path.is_empty() { TOP.to_owned() } else { path.to_owned() };
    EventError { path, problem: short(&located.into_inner().to_string()) }
}

/// serde quotes what it found, and what it found may be a whole event: only the beginning and the place are told.
fn short(problem: &str) -> String {
    const MOST: usize = 200;
    if problem.chars().count() <= 2 * MOST {
        return problem.to_owned();
    }
    let characters: Vec<char> = problem.chars().collect();
    let (beginning, end) = (characters.iter().take(MOST), characters.iter().skip(characters.len() - MOST / 2));
    beginning.chain(['…'].iter()).chain(end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_event_is_not_quoted() {
        let event = format!("{{\"secret\":\"{}\"}}", "x".repeat(5000));
        let quoted = serde_json::to_string(&event).unwrap();
        let error = from_json::<serde_json::Value>(&quoted).unwrap_err();
        assert!(error.problem.chars().count() < 400, "{error}");
        assert!(error.problem.ends_with("expected an object at line 1 column 5019"), "{error}");
    }
}

//! Fields of an event that may have any type. If one cannot be read, a warning is recorded and the notice is still handled.

use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::read::json::EventError;

/// What a time looks like.
pub(crate) const TIME: &str = "a time such as 2026-01-31T12:00:00Z";

/// The warnings about fields of an event that could not be read.
#[derive(Default)]
pub(crate) struct FieldWarnings(pub(crate) Vec<String>);

impl FieldWarnings {
    /// Returns the value. If it could not be read, returns `None` and adds a warning that says what is used `instead`.
    pub(crate) fn or_without<T>(&mut self, read: Result<Option<T>, EventError>, instead: &str) -> Option<T> {
        read.unwrap_or_else(|error| {
            self.0.push(format!("{}: {}: {instead}", error.path, error.problem));
            None
        })
    }
}

/// Reads a value that must be a string, and parses the string.
pub(crate) fn loose<T>(
    raw: Option<&RawValue>,
    path: &str,
    expected: &str,
    parse: impl FnOnce(String) -> Option<T>,
) -> Result<Option<T>, EventError> {
    let Some(raw) = raw.map(RawValue::get) else { return Ok(None) };
    let value = serde_json::from_str(raw).ok().and_then(parse);
    value.map(Some).ok_or_else(|| EventError::new(path, expected, raw.trim_matches('"')))
}

pub(crate) fn loose_text(raw: Option<&RawValue>, path: &str) -> Result<Option<String>, EventError> {
    loose(raw, path, "a string", Some)
}

pub(crate) fn loose_time(raw: Option<&RawValue>, path: &str) -> Result<Option<jiff::Timestamp>, EventError> {
    loose(raw, path, TIME, |text| text.parse().ok())
}

/// Reads a whole number, which may be written as a string.
pub(crate) fn loose_number<T: FromStr + DeserializeOwned>(
    raw: Option<&RawValue>,
    path: &str,
) -> Result<Option<T>, EventError> {
    match raw.map(|raw| serde_json::from_str(raw.get())) {
        Some(Ok(number)) => Ok(Some(number)),
        _ => loose(raw, path, "a whole number", |text| text.parse().ok()),
    }
}

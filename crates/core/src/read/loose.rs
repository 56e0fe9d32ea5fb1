//! Fields of an event that may be of any type. One that cannot be read costs a warning, and not the notice.

use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::read::json::EventError;

/// What a time looks like.
pub(crate) const TIME: &str = "a time such as 2026-01-31T12:00:00Z";

/// What an event lost by fields that could not be read.
#[derive(Default)]
pub(crate) struct FieldWarnings(pub(crate) Vec<String>);

impl FieldWarnings {
    /// Returns the value; for one that cannot be read `None`, with a warning that says what is used in its place.
    pub(crate) fn or_without<T>(&mut self, read: Result<Option<T>, EventError>, instead: &str) -> Option<T> {
        read.unwrap_or_else(|error| {
            self.0.push(format!("{}: {}: {instead}", error.path, error.problem));
            None
        })
    }
}

/// Reads a value that is a string if it is valid.
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

/// Reads a whole number, also where it is written as a string.
pub(crate) fn loose_number<T: FromStr + DeserializeOwned>(
    raw: Option<&RawValue>,
    path: &str,
) -> Result<Option<T>, EventError> {
    match raw.map(|raw| serde_json::from_str(raw.get())) {
        Some(Ok(number)) => Ok(Some(number)),
        _ => loose(raw, path, "a whole number", |text| text.parse().ok()),
    }
}

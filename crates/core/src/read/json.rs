//! The JSON of an event: its fields as they are on the wire, and errors with the path of the value that is wrong. Strings from
//! AWS are used as strings only here and in [`crate::read::event`].
//!
//! Other fields are ignored, because AWS may add some. `null` counts as absent.
//! Fields are from real samples and <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html>.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use crate::model::arn::ArnError;

/// The path of the outermost value.
pub(crate) const TOP: &str = "the top";

/// A value that cannot be read, and where it is.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
#[error("at {path}: {problem}")]
pub struct EventError {
    /// The path in the JSON, such as `detail.containers[2].networkInterfaces[0].ipv6Address`.
    pub path: String,
    /// What was expected there, and what was found.
    pub problem: String,
}

impl EventError {
    pub(crate) fn new(path: impl Into<String>, expected: &str, found: &str) -> Self {
        let found: String = found.chars().take(200).collect();
        Self { path: path.into(), problem: format!("expected {expected}, found {found:?}") }
    }

    /// The same error with the path of `place`, in which it was found.
    pub(crate) fn within(self, place: &str) -> Self {
        let path = if self.path == TOP { place.to_owned() } else { format!("{place}: {}", self.path) };
        Self { path, problem: self.problem }
    }

    pub(crate) fn arn(path: &str, error: &ArnError) -> Self {
        Self { path: path.to_owned(), problem: error.to_string() }
    }
}

/// Parses a JSON object. If that fails, parses it again to find the path of the error: tracking the path doubles the time.
pub(crate) fn from_json<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, EventError> {
    serde_json::from_str::<Object<T>>(text).map(|Object(value)| value).map_err(|error| locate::<T>(text, &error))
}

fn locate<'de, T: Deserialize<'de>>(text: &'de str, error: &serde_json::Error) -> EventError {
    let mut json = serde_json::Deserializer::from_str(text);
    let located = serde_path_to_error::deserialize::<_, Object<T>>(&mut json);
    let Err(located) = located else {
        return EventError { path: "the end".to_owned(), problem: problem(error) };
    };
    let path = located.path().to_string();
    // `?` replaces a key that could not be read completely.
    let path = path.trim_end_matches('?').trim_end_matches('.');
    let path = if path.is_empty() { TOP.to_owned() } else { path.to_owned() };
    EventError { path, problem: problem(&located.into_inner()) }
}

/// Says that the text is not valid JSON, unless only a value has the wrong type.
fn problem(error: &serde_json::Error) -> String {
    let text = short(&error.to_string());
    if error.is_data() { text } else { format!("not valid JSON: {text}") }
}

/// Parses a JSON array, but not its items.
pub(crate) fn from_array(text: &str) -> Result<Vec<&RawValue>, EventError> {
    serde_json::from_str(text).map_err(|error| EventError { path: TOP.to_owned(), problem: problem(&error) })
}

/// Shortens an error of serde, because it quotes the value that it found, which may be a whole event. Keeps the beginning and
/// the end, which has the position.
fn short(problem: &str) -> String {
    const MOST: usize = 200;
    if problem.chars().count() <= 2 * MOST {
        return problem.to_owned();
    }
    let characters: Vec<char> = problem.chars().collect();
    let (beginning, end) = (characters.iter().take(MOST), characters.iter().skip(characters.len() - MOST / 2));
    beginning.chain(['…'].iter()).chain(end).collect()
}

/// A `T` that is an object in the JSON: serde alone also accepts an array for a struct.
#[derive(Debug)]
pub(crate) struct Object<T>(pub(crate) T);

impl<T> Deref for Object<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

type Text<'a> = Option<Cow<'a, str>>;

/// A value that is parsed later, because a wrong type is only a warning.
type Loose<'a> = Option<&'a RawValue>;

#[derive(Debug, Deserialize)]
pub(crate) struct Envelope<'a> {
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) source: Cow<'a, str>,
    #[serde(borrow, rename = "detail-type")]
    pub(crate) detail_type: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct TaskEvent<'a> {
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) source: Cow<'a, str>,
    #[serde(borrow, rename = "detail-type")]
    pub(crate) detail_type: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) account: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) region: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) time: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) detail: Object<TaskDetail<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaskDetail<'a> {
    #[serde(borrow)]
    pub(crate) task_arn: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) cluster_arn: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) last_status: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) desired_status: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) group: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) stop_code: Loose<'a>,
    #[serde(borrow, default)]
    pub(crate) stopped_reason: Loose<'a>,
    #[serde(borrow, default)]
    pub(crate) stopping_at: Loose<'a>,
    #[serde(borrow, default)]
    pub(crate) capacity_provider_name: Loose<'a>,
    #[serde(borrow, default)]
    pub(crate) version: Loose<'a>,
    #[serde(borrow, default)]
    pub(crate) availability_zone: Loose<'a>,
    #[serde(borrow, default)]
    pub(crate) cpu: Loose<'a>,
    #[serde(borrow, default)]
    pub(crate) memory: Loose<'a>,
    #[serde(borrow, default)]
    pub(crate) attributes: Loose<'a>,
    #[serde(borrow, default)]
    pub(crate) platform_version: Loose<'a>,
    #[serde(borrow, default)]
    pub(crate) platform_family: Loose<'a>,
    #[serde(borrow, default)]
    pub(crate) started_at: Loose<'a>,
    #[serde(borrow, default, deserialize_with = "null_as_empty")]
    pub(crate) attachments: Vec<Object<Attachment<'a>>>,
    #[serde(borrow, default, deserialize_with = "null_as_empty")]
    pub(crate) containers: Vec<Object<WireContainer<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Attachment<'a> {
    #[serde(borrow, default)]
    pub(crate) id: Text<'a>,
    #[serde(borrow, default, rename = "type")]
    pub(crate) kind: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) status: Text<'a>,
    #[serde(borrow, default, deserialize_with = "null_as_empty")]
    pub(crate) details: Vec<Object<Detail<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Detail<'a> {
    #[serde(borrow, default)]
    pub(crate) name: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) value: Text<'a>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireContainer<'a> {
    #[serde(borrow, default, deserialize_with = "null_as_empty")]
    pub(crate) network_interfaces: Vec<Object<Interface<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Interface<'a> {
    #[serde(borrow, default)]
    pub(crate) attachment_id: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) private_ipv4_address: Text<'a>,
    #[serde(borrow, default)]
    pub(crate) ipv6_address: Text<'a>,
}

fn null_as_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_does_not_quote_a_whole_event() {
        let event = format!("{{\"secret\":\"{}\"}}", "x".repeat(5000));
        let quoted = serde_json::to_string(&event).unwrap();
        let error = from_json::<serde_json::Value>(&quoted).unwrap_err();
        assert!(error.problem.chars().count() < 400, "{error}");
        assert!(error.problem.ends_with("expected an object at line 1 column 5019"), "{error}");
    }
}

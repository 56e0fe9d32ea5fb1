//! The log of calls.

use std::time::Duration;

use serde::Serialize;

/// A call of an API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// When it arrived, since the world's start.
    #[serde(rename = "at_seconds", serialize_with = "seconds")]
    pub at: Duration,
    /// The action in the request, known or not.
    pub action: String,
    /// The target group's ARN, the cluster as in the request, or the queue's name.
    pub resource: Option<String>,
    /// The targets as `id` or `id:port`, the services or tasks as in the request, or the ids of the messages.
    pub targets: Vec<String>,
    #[serde(flatten)]
    pub answer: CallResult,
}

/// The answer to a [`Call`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "answer", content = "code", rename_all = "kebab-case")]
pub enum CallResult {
    Ok,
    /// The error code.
    Error(String),
    /// The connection is reset, or hangs.
    NoAnswer,
}

fn seconds<S: serde::Serializer>(at: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(at.as_secs_f64())
}

/// The resource and targets of a request, for the log, for faults and for error messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) resource: Option<String>,
    pub(crate) targets: Vec<String>,
    /// Whether the call requests tags.
    pub(crate) with_tags: bool,
}

impl Subject {
    /// Returns the target with this name, or with an ARN that ends with it.
    pub(crate) fn named(&self, name: &str) -> Option<&str> {
        let is_it = |target: &&String| *target == name || target.rsplit('/').next() == Some(name);
        self.targets.iter().find(is_it).map(String::as_str)
    }
}

//! What was asked, when, and what did the caller hear?

use std::time::Duration;

use serde::Serialize;

/// One call of an API, in the order of arrival.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// When it arrived, since the world's start.
    #[serde(rename = "at_seconds", serialize_with = "seconds")]
    pub at: Duration,
    /// The action as it was named, known or not.
    pub action: String,
    /// The target group's ARN, the cluster as it was named, or the queue's name.
    pub resource: Option<String>,
    /// The targets as `id` or `id:port`, the services or tasks as they were named, or the ids of the messages that receipt
    /// handles name.
    pub targets: Vec<String>,
    /// What the caller hears.
    #[serde(flatten)]
    pub answer: CallAnswer,
}

/// What the caller of a [`Call`] hears.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "answer", content = "code", rename_all = "kebab-case")]
pub enum CallAnswer {
    /// Success.
    Ok,
    /// An error with this code.
    Error(String),
    /// Nothing: the connection is reset, or hangs.
    NoAnswer,
}

fn seconds<S: serde::Serializer>(at: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(at.as_secs_f64())
}

/// What a request is about, for the log and for the texts of errors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) resource: Option<String>,
    pub(crate) targets: Vec<String>,
    /// Whether the call asks for tags too.
    pub(crate) with_tags: bool,
}

impl Subject {
    /// The target that is this name, or an ARN that ends with it.
    pub(crate) fn named(&self, name: &str) -> Option<&str> {
        let is_it = |target: &&String| *target == name || target.rsplit('/').next() == Some(name);
        self.targets.iter().find(is_it).map(String::as_str)
    }
}

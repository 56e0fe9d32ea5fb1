//! Which task is this? Asks ECS's metadata endpoint, without delaying the application's start.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate.html>

use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::PollFlags;
use serde::{Deserialize, Serialize};

use crate::health::check::ApplicationCheck;
use crate::http::{HttpGet, Version};

/// The environment variable with the endpoint's URL.
pub const VARIABLE: &str = "ECS_CONTAINER_METADATA_URI_V4";
const TIMEOUT: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_secs(1);
const MAX_ATTEMPTS: u8 = 5;

/// The task, as far as the log names it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TaskMetadata {
    #[serde(rename(deserialize = "TaskARN"), skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    #[serde(rename(deserialize = "Family"), skip_serializing_if = "Option::is_none")]
    family: Option<String>,
    #[serde(rename(deserialize = "Cluster"), skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    #[serde(rename(deserialize = "AvailabilityZone"), skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
}

/// The requests to the endpoint, until one succeeds.
#[derive(Debug)]
pub struct MetadataRequest {
    url: ApplicationCheck,
    get: Option<HttpGet>,
    attempts: u8,
    next: Duration,
}

impl MetadataRequest {
    /// Takes the value of [`VARIABLE`]. The first request is due immediately.
    pub fn new(base: &str) -> Result<Self, String> {
        let url =
            ApplicationCheck::parse(&format!("{base}/task")).map_err(|problem| format!("{VARIABLE}: {problem}"))?;
        Ok(Self { url, get: None, attempts: 0, next: Duration::ZERO })
    }

    /// Makes progress without waiting; returns the task, or the last attempt's error.
    pub fn advance(&mut self, now: Duration) -> Option<Result<TaskMetadata, String>> {
        if self.get.is_none() && now >= self.next {
            self.attempts = self.attempts.saturating_add(1);
            // HTTP/1.0, because an answer to it is not chunked.
            self.get = HttpGet::begin(&self.url, Version::Http10, now.saturating_add(TIMEOUT)).ok();
            if self.get.is_none() {
                return self.failed("connection failed", now);
            }
        }
        let get = self.get.as_mut()?;
        match get.advance(&self.url, now) {
            Some(health) if !health.is_good() => self.failed(&health.to_string(), now),
            _ if get.is_over() => match serde_json::from_slice(get.body()) {
                Ok(task) => Some(Ok(task)),
                Err(error) => self.failed(&error.to_string(), now),
            },
            _ => None,
        }
    }

    /// The socket to wait for, and the event.
    #[must_use]
    pub fn interest(&self) -> Option<(BorrowedFd<'_>, PollFlags)> {
        self.get.as_ref().map(HttpGet::interest)
    }

    /// When [`Self::advance`] is due even without an event.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.get.as_ref().map_or(self.next, HttpGet::until)
    }

    fn failed(&mut self, problem: &str, now: Duration) -> Option<Result<TaskMetadata, String>> {
        (self.get, self.next) = (None, now.saturating_add(PAUSE));
        (self.attempts >= MAX_ATTEMPTS).then(|| Err(format!("{VARIABLE}: {problem}: the log does not name the task")))
    }
}

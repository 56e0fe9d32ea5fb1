//! The output of a task's process: the application's `ready` line, and the hold's log.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::unix::pipe::Receiver;

/// The time at which a line was read, in seconds since 1970, and the line.
type TimedLine = (f64, String);

/// The lines so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct TaskOutput(Arc<Mutex<Vec<TimedLine>>>);

/// The fields of a hold's log line that the drill needs.
#[derive(Debug, Deserialize)]
struct HoldRecord {
    step: String,
    child: Option<i32>,
    healthy: Option<bool>,
    reason: Option<String>,
}

/// When and why the hold forwarded SIGTERM to the application.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Forwarded {
    pub(crate) at: f64,
    pub(crate) reason: String,
}

impl TaskOutput {
    /// Collects the lines of a pipe until it closes.
    pub(crate) fn collect(&self, pipe: OwnedFd) -> io::Result<()> {
        let mut lines = BufReader::new(Receiver::from_owned_fd(pipe)?).lines();
        let output = self.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                output.add(now(), line);
            }
        });
        Ok(())
    }

    fn add(&self, at: f64, line: String) {
        self.lines().push((at, line));
    }

    /// Whether the drill's own application said that it listens.
    pub(crate) fn is_ready(&self) -> bool {
        self.lines().iter().any(|(_, line)| line == "ready")
    }

    /// Whether the hold has found the application healthy.
    pub(crate) fn is_healthy(&self) -> bool {
        self.first(|line| (line.healthy == Some(true)).then_some(())).is_some()
    }

    /// The application's process id, from the hold's log.
    pub(crate) fn child(&self) -> Option<i32> {
        self.first(|line| line.child).map(|(_, child)| child)
    }

    pub(crate) fn forwarded(&self) -> Option<Forwarded> {
        let found = self.first(|line| if line.step == "forward" { line.reason } else { None });
        found.map(|(at, reason)| Forwarded { at, reason })
    }

    /// All lines, for an error message.
    pub(crate) fn text(&self) -> String {
        let lines: Vec<_> = self.lines().iter().map(|(_, line)| line.clone()).collect();
        if lines.is_empty() { "(no output)".to_owned() } else { lines.join("\n") }
    }

    fn first<T>(&self, read: impl Fn(HoldRecord) -> Option<T>) -> Option<(f64, T)> {
        self.lines().iter().find_map(|(at, line)| Some((*at, serde_json::from_str(line).ok().and_then(&read)?)))
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, Vec<TimedLine>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holds_log_is_read() {
        let output = TaskOutput::default();
        output.add(1.0, r#"{"program":"spotdrain-hold","step":"started","child":42,"ports":[1]}"#.to_owned());
        assert!(!output.is_ready() && !output.is_healthy());
        output.add(2.0, "ready".to_owned());
        assert!(output.is_ready() && !output.is_healthy());
        output.add(3.0, r#"{"step":"health","healthy":true,"found":"answers 200"}"#.to_owned());
        output.add(9.0, r#"{"step":"forward","signal":"SIGTERM","reason":"quiet","after_ms":6}"#.to_owned());
        assert!(output.is_healthy());
        assert_eq!(output.child(), Some(42));
        assert_eq!(output.forwarded(), Some(Forwarded { at: 9.0, reason: "quiet".to_owned() }));
    }
}

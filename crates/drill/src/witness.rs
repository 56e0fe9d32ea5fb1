//! What a task's process says: that it is ready, and the lines of its hold.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::unix::pipe::Receiver;

/// A line, and when it was read, in seconds since 1970.
type Said = (f64, String);

/// What was said so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Witness(Arc<Mutex<Vec<Said>>>);

/// A line of the hold, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Line {
    step: String,
    child: Option<i32>,
    healthy: Option<bool>,
    reason: Option<String>,
}

/// The hold told the application, and why then.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) at: f64,
    pub(crate) reason: String,
}

impl Witness {
    /// Listens to a pipe until it ends.
    pub(crate) fn listen(&self, pipe: OwnedFd) -> io::Result<()> {
        let mut lines = BufReader::new(Receiver::from_owned_fd(pipe)?).lines();
        let witness = self.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                witness.hear(now(), line);
            }
        });
        Ok(())
    }

    fn hear(&self, at: f64, line: String) {
        self.said().push((at, line));
    }

    /// Whether the application listens, and the hold, where there is one, found it well.
    pub(crate) fn is_ready(&self, has_hold: bool) -> bool {
        let is_up = self.said().iter().any(|(_, line)| line == "ready");
        is_up && (!has_hold || self.first(|line| (line.healthy == Some(true)).then_some(())).is_some())
    }

    /// The application's process id, as its hold tells it.
    pub(crate) fn child(&self) -> Option<i32> {
        self.first(|line| line.child).map(|(_, child)| child)
    }

    /// When and why the hold told the application.
    pub(crate) fn told(&self) -> Option<Told> {
        let found = self.first(|line| if line.step == "forward" { line.reason } else { None });
        found.map(|(at, reason)| Told { at, reason })
    }

    /// All of it, for an error.
    pub(crate) fn text(&self) -> String {
        let lines: Vec<_> = self.said().iter().map(|(_, line)| line.clone()).collect();
        if lines.is_empty() { "it said nothing".to_owned() } else { lines.join("\n") }
    }

    fn first<T>(&self, read: impl Fn(Line) -> Option<T>) -> Option<(f64, T)> {
        self.said().iter().find_map(|(at, line)| Some((*at, serde_json::from_str(line).ok().and_then(&read)?)))
    }

    fn said(&self) -> std::sync::MutexGuard<'_, Vec<Said>> {
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
    fn the_holds_lines_are_read() {
        let witness = Witness::default();
        witness.hear(1.0, r#"{"program":"spotdrain-hold","step":"started","child":42,"ports":[1]}"#.to_owned());
        witness.hear(2.0, "ready".to_owned());
        assert!(witness.is_ready(false) && !witness.is_ready(true));
        witness.hear(3.0, r#"{"step":"health","healthy":true,"found":"answers 200"}"#.to_owned());
        witness.hear(9.0, r#"{"step":"forward","signal":"SIGTERM","reason":"quiet","after_ms":6}"#.to_owned());
        assert!(witness.is_ready(true));
        assert_eq!(witness.child(), Some(42));
        assert_eq!(witness.told(), Some(Told { at: 9.0, reason: "quiet".to_owned() }));
    }
}

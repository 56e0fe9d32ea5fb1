//! The hold's last lines: how long the load balancer went on sending. `docs/hold.md` explains the fields.

use serde::Deserialize;

use super::line::LogEntry;

/// What the hold of one task saw after its stop signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PastHold {
    pub(crate) task: String,
    /// When the last new connection came, in milliseconds after the stop signal; `None` if none came.
    pub(crate) last_new_after_ms: Option<u64>,
    /// New connections after the application got its signal.
    pub(crate) new_after_forward: Option<u64>,
    /// The line `exited`, and not `forward`, which is the last one of a task that was killed.
    pub(crate) is_last: bool,
}

#[derive(Deserialize)]
struct HoldLine {
    #[serde(default)]
    step: String,
    #[serde(default)]
    task: Option<String>,
    /// Absent if no stop signal came.
    #[serde(default)]
    after_ms: Option<u64>,
    #[serde(default)]
    last_new_after_ms: Option<u64>,
    #[serde(default)]
    new_after_forward: Option<u64>,
}

/// Reads a line of the hold. Outside of ECS a hold has no task, and cannot be joined.
pub(crate) fn read(json: &str) -> LogEntry {
    let line: HoldLine = match serde_json::from_str(json) {
        Ok(line) => line,
        Err(error) => return LogEntry::Unreadable(format!("line of the hold: {error}")),
    };
    match (line.step.as_str(), line.task, line.after_ms) {
        (step @ ("exited" | "forward"), Some(task), Some(_)) => LogEntry::Hold(PastHold {
            task,
            last_new_after_ms: line.last_new_after_ms,
            new_after_forward: line.new_after_forward,
            is_last: step == "exited",
        }),
        _ => LogEntry::Other,
    }
}

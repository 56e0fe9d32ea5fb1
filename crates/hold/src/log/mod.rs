//! The log: one JSON object per line on standard error. Standard output belongs to the application.

pub mod record;

use std::io::{self, Write as _};

use jiff::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;

use crate::metadata::TaskMetadata;
use record::LogRecord;

/// Writes log lines, and counts those that were lost.
#[derive(Debug, Default)]
pub struct Log {
    lost: u64,
    task: Option<TaskMetadata>,
}

#[derive(Serialize)]
struct RecordLine<'a> {
    program: &'static str,
    time: String,
    #[serde(flatten)]
    record: &'a LogRecord,
    #[serde(flatten)]
    task: Option<&'a TaskMetadata>,
    #[serde(skip_serializing_if = "is_zero")]
    lost_lines: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Log {
    /// Names this task in every line from now on.
    pub fn set_task(&mut self, task: TaskMetadata) {
        self.task = Some(task);
    }

    /// Writes a warning.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.write(&LogRecord::Warning { text: text.into() });
    }

    /// Writes one line for each record.
    pub fn write_all(&mut self, records: impl IntoIterator<Item = LogRecord>) {
        for record in records {
            self.write(&record);
        }
    }

    /// Writes a line. A line that would block is dropped and counted in the next one: a log that nobody reads must not
    /// stop the hold.
    pub fn write(&mut self, record: &LogRecord) {
        let time = format!("{:.3}", Timestamp::now());
        let line =
            RecordLine { program: "spotdrain-hold", time, record, task: self.task.as_ref(), lost_lines: self.lost };
        let Ok(text) = serde_json::to_string(&line) else { return };
        self.lost = if write_line(&text) { 0 } else { self.lost.saturating_add(1) };
    }
}

/// A pipe that is ready takes 4096 bytes without blocking. Source: `pipe(7)`, `PIPE_BUF`.
fn write_line(text: &str) -> bool {
    is_ready() && io::stderr().lock().write_all(format!("{text}\n").as_bytes()).is_ok()
}

fn is_ready() -> bool {
    let error = io::stderr();
    let mut fds = [PollFd::new(&error, PollFlags::OUT)];
    poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}

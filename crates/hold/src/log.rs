//! The log: a JSON object a line, on the standard error. The standard output is the application's.

use std::io::{self, Write as _};

use jiff::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;

use crate::line::Line;

/// The log.
#[derive(Debug, Default)]
pub struct Log {
    lost: u64,
}

#[derive(Serialize)]
struct Record<'a> {
    program: &'static str,
    time: String,
    #[serde(flatten)]
    line: &'a Line,
    #[serde(skip_serializing_if = "is_zero")]
    lost_lines: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Log {
    /// Writes a line. One that would block is lost, and counted in the next: whoever reads the log must not hold the hold.
    pub fn say(&mut self, line: &Line) {
        let time = format!("{:.3}", Timestamp::now());
        let record = Record { program: "spotdrain-hold", time, line, lost_lines: self.lost };
        let Ok(text) = serde_json::to_string(&record) else { return };
        self.lost = if write(&text) { 0 } else { self.lost.saturating_add(1) };
    }
}

/// A pipe that is ready takes 4096 bytes at once. Source: `pipe(7)`, `PIPE_BUF`.
fn write(text: &str) -> bool {
    is_ready() && io::stderr().lock().write_all(format!("{text}\n").as_bytes()).is_ok()
}

fn is_ready() -> bool {
    let error = io::stderr();
    let mut fds = [PollFd::new(&error, PollFlags::OUT)];
    poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}

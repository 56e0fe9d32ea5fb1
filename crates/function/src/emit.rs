//! Writes a report to standard output: one log record for each notice, and the metrics.

use std::io::Write;

use jiff::Timestamp;
use serde::Serialize;
use spotdrain_core::report::Report;
use spotdrain_core::report::metrics;
use spotdrain_core::settings::Mode;
use tracing::{error, info, warn};

/// Writes the records and the metrics of a report.
pub(crate) fn emit(report: &Report, request_id: &str) {
    for notice in &report.notices {
        let record = json(notice);
        if notice.failures().next().is_some() {
            error!(request_id, record, "notice, not done");
        } else if notice.mode == Mode::Observe {
            warn!(request_id, record, "notice, observed only: nothing was changed");
        } else {
            info!(request_id, record, "notice");
        }
        if let Some(value) = &notice.unknown_tag {
            let service = notice.notice.task.service.as_ref().map(tracing::field::display);
            warn!(
                request_id,
                service,
                value,
                "unknown value of the service's tag spotdrain; known values: on, hold, off, observe: nothing was changed"
            );
        }
    }
    for event in &report.ignored {
        let record = json(event);
        info!(request_id, record, "ignored");
    }
    for message in &report.malformed {
        let (message_id, error) = (message.message_id.as_deref(), &message.error);
        error!(request_id, message_id, path = error.path, problem = error.problem, "a message cannot be read");
    }
    write_metrics(report);
}

fn json(record: &impl Serialize) -> String {
    serde_json::to_string(record).unwrap_or_else(|error| format!("\"{error}\""))
}

fn write_metrics(report: &Report) {
    let mut lines = metrics::lines(report, Timestamp::now()).join("\n").into_bytes();
    if !lines.is_empty() {
        lines.push(b'\n');
        // If standard output is gone, there is nowhere to report it.
        _ = std::io::stdout().lock().write_all(&lines);
    }
}

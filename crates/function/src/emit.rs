//! Writes a report to standard output: one log record a notice, and the metrics.

use std::io::Write;

use jiff::Timestamp;
use spotdrain_core::fate::Ignored;
use spotdrain_core::metrics;
use spotdrain_core::report::Report;
use tracing::{error, info, warn};

/// Writes the records and the metrics of a report.
pub(crate) fn emit(report: &Report, request_id: &str) {
    for notice in &report.notices {
        let record = serde_json::to_string(notice).unwrap_or_else(|error| format!("\"{error}\""));
        if notice.failures().next().is_some() {
            error!(request_id, record = record.as_str(), "notice, not done");
        } else {
            info!(request_id, record = record.as_str(), "notice");
        }
        if let Some(value) = &notice.unknown_tag {
            let service = notice.service.as_ref().map(tracing::field::display);
            warn!(
                request_id,
                service, value, "the service's tag spotdrain is none of on, hold, off and observe: observing"
            );
        }
    }
    for event in &report.ignored {
        let record = serde_json::to_string(event).unwrap_or_else(|error| format!("\"{error}\""));
        if event.reason == Ignored::NoAddress {
            // A running task has an address: if it is not found, AWS may have changed the event.
            warn!(request_id, record = record.as_str(), "ignored");
        } else {
            info!(request_id, record = record.as_str(), "ignored");
        }
    }
    for message in &report.malformed {
        let message_id = message.message_id.as_deref();
        error!(request_id, message_id, path = message.path, problem = message.problem, "a message cannot be read");
    }
    write_metrics(report);
}

fn write_metrics(report: &Report) {
    let mut lines = metrics::lines(report, Timestamp::now()).join("\n").into_bytes();
    if !lines.is_empty() {
        lines.push(b'\n');
        // Nowhere is left to report that standard output is gone.
        _ = std::io::stdout().lock().write_all(&lines);
    }
}

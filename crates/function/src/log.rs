//! The log: `tracing` events as JSON lines on standard output, which Lambda sends to CloudWatch Logs.
//!
//! A field named `record` already holds JSON and is nested as such, so that a query can use the fields of a notice.

use std::fmt::Debug;
use std::io::Write;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Starts the log. The level is that of `RUST_LOG` (`debug`, or `spotdrain=debug,info`), of Lambda's own
/// `AWS_LAMBDA_LOG_LEVEL`, or `info`. An error names the invalid variable.
pub fn start() -> Result<(), String> {
    let targets = level(|name| std::env::var(name).ok())?;
    tracing_subscriber::registry().with(JsonLines.with_filter(targets)).try_init().map_err(|error| error.to_string())
}

fn level(variable: impl Fn(&str) -> Option<String>) -> Result<Targets, String> {
    for name in ["RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"] {
        if let Some(value) = variable(name).filter(|value| !value.is_empty()) {
            // `tracing` does not have Lambda's highest level.
            let value = if value == "FATAL" { "error" } else { &value };
            return value.parse().map_err(|error| format!("{name}: {error}, found {value:?}"));
        }
    }
    Ok(Targets::new().with_default(LevelFilter::INFO))
}

struct JsonLines;

impl<S: Subscriber> Layer<S> for JsonLines {
    /// Drops debug output of other crates: they log whole requests, and an event's overrides may hold secrets.
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let metadata = event.metadata();
        if !metadata.target().starts_with("spotdrain") && *metadata.level() > Level::INFO {
            return;
        }
        let mut line = line(event, Timestamp::now()).into_bytes();
        line.push(b'\n');
        // If standard output is gone, there is nowhere to report it.
        _ = std::io::stdout().lock().write_all(&line);
    }
}

fn line(event: &Event<'_>, now: Timestamp) -> String {
    let mut fields = JsonFields(Map::new());
    fields.put("timestamp", now.to_string());
    fields.put("level", event.metadata().level().as_str());
    fields.put("target", event.metadata().target());
    event.record(&mut fields);
    Value::Object(fields.0).to_string()
}

struct JsonFields(Map<String, Value>);

impl JsonFields {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }
}

impl Visit for JsonFields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field.name(), value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let nested = if field.name() == "record" { serde_json::from_str(value).ok() } else { None };
        self.put(field.name(), nested.unwrap_or_else(|| Value::from(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field.name(), format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_that_of_the_first_variable_that_is_set() {
        let parsed = |rust: &str, lambda: &str| {
            level(|name| Some(if name == "RUST_LOG" { rust } else { lambda }.to_owned())).map(|level| level.to_string())
        };
        assert_eq!(parsed("debug", "ERROR").unwrap(), "debug");
        assert_eq!(parsed("", "WARN").unwrap(), "warn");
        assert_eq!(parsed("", "FATAL").unwrap(), "error");
        assert_eq!(parsed("", "").unwrap(), "info");
        assert!(parsed("spotdrain=loud", "").unwrap_err().starts_with("RUST_LOG: "));
    }
}

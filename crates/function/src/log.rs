//! The log: `tracing`'s events as JSON lines on standard output, where Lambda takes them to CloudWatch Logs.
//!
//! A field called `record` holds JSON already and is put in as it is, so that a notice is one nested record that a query
//! can reach into, and not a text with quotes in quotes.

use std::fmt::Debug;
use std::io::Write;

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Starts the log. The level comes from `RUST_LOG` (`debug`, or `spotdrain=debug,info`), else from Lambda's own
/// `AWS_LAMBDA_LOG_LEVEL`, else it is `info`. An error says which of them cannot be read.
pub fn start() -> Result<(), String> {
    let targets = level(|name| std::env::var(name).ok())?;
    tracing_subscriber::registry().with(JsonLines.with_filter(targets)).try_init().map_err(|error| error.to_string())
}

fn level(variable: impl Fn(&str) -> Option<String>) -> Result<Targets, String> {
    for name in ["RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"] {
        if let Some(value) = variable(name).filter(|value| !value.is_empty()) {
            // tracing does not know Lambda's highest level.
            let value = if value == "FATAL" { "error" } else { &value };
            return value.parse().map_err(|error| format!("{name}: {error}, found {value:?}"));
        }
    }
    Ok(Targets::new().with_default(LevelFilter::INFO))
}

struct JsonLines;

impl<S: Subscriber> Layer<S> for JsonLines {
    /// Other crates log whole requests below INFO, and an event's overrides may hold secrets.
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let metadata = event.metadata();
        if !metadata.target().starts_with("spotdrain") && *metadata.level() > Level::INFO {
            return;
        }
        let mut line = line(event, Timestamp::now()).into_bytes();
        line.push(b'\n');
        // Nowhere is left to report that standard output is gone.
        _ = std::io::stdout().lock().write_all(&line);
    }
}

fn line(event: &Event<'_>, now: Timestamp) -> String {
    let mut fields = Fields(Map::new());
    fields.put("timestamp", now.to_string());
    fields.put("level", event.metadata().level().as_str());
    fields.put("target", event.metadata().target());
    event.record(&mut fields);
    Value::Object(fields.0).to_string()
}

struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }
}

impl Visit for Fields {
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
    fn the_level_is_the_first_of_the_variables_that_is_set() {
        let told = |rust: &str, lambda: &str| {
            level(|name| Some(if name == "RUST_LOG" { rust } else { lambda }.to_owned())).map(|level| level.to_string())
        };
        assert_eq!(told("debug", "ERROR").unwrap(), "debug");
        assert_eq!(told("", "WARN").unwrap(), "warn");
        assert_eq!(told("", "FATAL").unwrap(), "error");
        assert_eq!(told("", "").unwrap(), "info");
        assert!(told("spotdrain=loud", "").unwrap_err().starts_with("RUST_LOG: "));
    }
}

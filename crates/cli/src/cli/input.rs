//! Reads the events of a command, from a file or standard input.

use std::io::Read as _;
use std::path::Path;

use jiff::Timestamp;
use spotdrain_core::read::batch::{Batch, parse_payload};
use spotdrain_core::read::event::Event;
use spotdrain_core::settings::Settings;

use super::args::EventArgs;
use super::exit::CliError;

/// Reads the events. With `--restamp` they get the current time.
pub(crate) fn read(args: &EventArgs, settings: &Settings) -> Result<Batch, CliError> {
    let name = name(args);
    let payload = bytes(args.file()).map_err(|error| CliError::Event(format!("cannot read {name}: {error}")))?;
    if payload.trim_ascii().is_empty() {
        return Err(CliError::Event(format!(
            "{name} is empty: expected an EventBridge event or an SQS batch, as JSON"
        )));
    }
    let mut batch = parse_payload(&payload, &settings.event_sources)
        .map_err(|error| CliError::Event(format!("{name}, {error}")))?;
    if args.restamp {
        let now = super::output::style::now();
        for message in &mut batch.messages {
            message.event = message.event.clone().map(|event| restamped(event, now));
        }
    }
    Ok(batch)
}

/// Returns the name of the input for messages.
pub(crate) fn name(args: &EventArgs) -> String {
    let file = args.file();
    if is_standard_input(file) { "standard input".to_owned() } else { file.display().to_string() }
}

fn is_standard_input(file: &Path) -> bool {
    file.as_os_str() == "-"
}

/// Returns the event with the time `now`: a sample's own times are long past.
fn restamped(mut event: Event, now: Timestamp) -> Event {
    if let Some(change) = &mut event.change {
        change.event_time = now;
        change.stopping_at = change.stopping_at.map(|_| now);
    }
    event
}

fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    if is_standard_input(path) {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        Ok(bytes)
    } else {
        std::fs::read(path)
    }
}

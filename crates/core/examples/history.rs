//! Measures how long a report takes: `cargo run --release -p spotdrain-core --example history [RECORDS]` writes a log of that many
//! records (100,000 by default), reads it line by line and counts it. Prints the times and the most memory used.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "an example reads the clock and files; the core does not"
)]

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use spotdrain_core::history::{History, HistoryQuery, summarize};

/// A real record, and what is replaced in it.
const LINE: &str = include_str!("../tests/core/history/function.log");
const TASK: &str = "task/demo/a1";
const TIME: &str = "2026-11-20T10:00:00Z";

fn main() -> Result<(), Box<dyn Error>> {
    let records = std::env::args().nth(1).map_or(Ok(100_000), |text| text.parse())?;
    let file = std::env::temp_dir().join("spotdrain-history.log");
    let now: Timestamp = "2026-11-27T00:00:00Z".parse().map_err(|error: jiff::Error| error.to_string())?;
    write(&file, records, now)?;
    let bytes = fs::metadata(&file)?.len();
    let start = Instant::now();
    let mut history = History::default();
    let mut reader = BufReader::with_capacity(1 << 16, File::open(&file)?);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        history.add_line(&line);
        line.clear();
    }
    let read = start.elapsed();
    let summary = summarize(history, &HistoryQuery::new(now, SignedDuration::from_hours(30 * 24)));
    let all = start.elapsed();
    println!("{records} records, {} MB: read in {read:.2?}, counted after {all:.2?}", bytes / 1_000_000);
    println!("{} interruptions in {}; most memory: {}", summary.interruptions, summary.window, most_memory()?);
    Ok(fs::remove_file(file)?)
}

/// Tasks with different ids, spread over the 30 days before now.
fn write(file: &std::path::Path, records: u32, now: Timestamp) -> Result<(), Box<dyn Error>> {
    let line = LINE.lines().find(|line| line.contains(TASK)).ok_or("no record to copy")?;
    let mut writer = BufWriter::new(File::create(file)?);
    let step = 30 * 86_400_000 / i64::from(records.max(1));
    for number in 0..records {
        let at = now - SignedDuration::from_millis(i64::from(number) * step);
        let line = line.replace(TASK, &format!("task/demo/{number:032x}")).replace(TIME, &at.to_string());
        writeln!(writer, "{line}")?;
    }
    Ok(writer.flush()?)
}

/// From the kernel, where there is Linux.
fn most_memory() -> Result<String, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Ok(line.map_or_else(|| "unknown".to_owned(), |value| value.trim().to_owned()))
}

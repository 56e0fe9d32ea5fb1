//! `docs/hold.md` lists the settings and the fields of the log as the code does.

use std::collections::BTreeSet;

use serde_json::Value;
use spotdrain_hold::log::record::{Counts, LogRecord, Start};
use spotdrain_hold::process::signal::Signal;
use spotdrain_hold::rules::Reason;
use spotdrain_hold::settings::options::OPTIONS;

const PAGE: &str = include_str!("../../../../docs/hold.md");

#[test]
fn the_table_lists_the_settings() {
    let rows: Vec<_> =
        PAGE.lines().filter(|line| line.starts_with("| `--") && line.contains("` | `SPOTDRAIN_")).collect();
    let row = |option: &spotdrain_hold::settings::options::OptionSpec| {
        format!("| `--{}` | `{}` | {} | {} |", option.flag, option.variable(), option.default, option.help)
    };
    assert_eq!(rows, OPTIONS.iter().map(row).collect::<Vec<_>>());
}

#[test]
fn every_step_and_every_field_of_the_log_is_explained() {
    let table = PAGE.split("| field | in | means |").nth(1).unwrap().split("\n\n").next().unwrap();
    let names: BTreeSet<_> = table.split('`').skip(1).step_by(2).collect();
    for line in lines() {
        let Value::Object(fields) = serde_json::to_value(&line).unwrap() else { panic!("no object: {line:?}") };
        let step = fields.get("step").unwrap().as_str().unwrap();
        assert!(names.contains(step), "{step}");
        assert!(fields.keys().all(|field| names.contains(field.as_str())), "{step}: {:?}", fields.keys());
    }
    let reasons =
        [Reason::Quiet, Reason::MaxHold, Reason::SecondSignal].map(|reason| serde_json::to_value(reason).unwrap());
    assert!(reasons.iter().all(|reason| names.contains(reason.as_str().unwrap())));
}

fn lines() -> Vec<LogRecord> {
    let signal = Signal::TERM;
    let counts = Counts {
        after_ms: 2,
        established: Some(0),
        new: 1,
        last_new_after_ms: Some(1),
        datagrams: Some(1),
        checks_only: true,
        work_in_progress: Some(false),
    };
    vec![
        LogRecord::Refused { code: 64, problems: Vec::new() },
        LogRecord::Started(Box::new(start())),
        LogRecord::Health { healthy: true, found: String::new() },
        LogRecord::Signal { signal },
        LogRecord::Stopping { signal, max_hold_ms: 1 },
        LogRecord::Holding { established: 1 },
        LogRecord::Forward { signal, reason: Reason::Quiet, counts },
        LogRecord::OnStop {
            command: String::new(),
            succeeded: false,
            result: String::new(),
            output: Some(String::new()),
        },
        LogRecord::Exited {
            code: 75,
            application_code: Some(143),
            signal: Some(signal),
            not_held: Some(signal),
            counts: Some(counts),
            new_after_forward: Some(0),
        },
        LogRecord::Warning { text: String::new() },
    ]
}

fn start() -> Start {
    Start {
        version: "0",
        pid: 1,
        first_process: true,
        terminal: false,
        child: 2,
        command: String::new(),
        ports: Vec::new(),
        health: None,
        check: None,
        stop_signal: Signal::TERM,
        forward: Signal::TERM,
        quiet_ms: 1,
        min_hold_ms: 1,
        max_hold_ms: 1,
        on_stop: Vec::new(),
        quiet_command: None,
    }
}

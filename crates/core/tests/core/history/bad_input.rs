//! Lines that are no records, records of a newer schema, wrong clocks, duplicates, and nothing at all.

use serde_json::{Value, json};

use super::{CAPACITY, FUNCTION, HOLD, days, history, report, sentences};
use spotdrain_core::history::{History, summarize};

#[test]
fn every_line_is_accounted_for() {
    let summary = report(&[FUNCTION], &days(30));
    let lines = &summary.lines;
    assert_eq!((lines.read, lines.other, lines.unreadable, lines.newer_schema), (21, 4, 1, 1));
    assert!(lines.first_unreadable.as_ref().unwrap().starts_with("not valid JSON: EOF"), "{lines:?}");
    let left_out = &summary.left_out;
    assert_eq!((left_out.repeated_records, left_out.simulated, left_out.dated_in_the_future), (2, 1, 1));
}

#[test]
fn logs_that_are_read_twice_change_nothing_but_the_count_of_lines() {
    let once = report(&[FUNCTION, HOLD, CAPACITY], &days(30));
    let mut twice = report(&[FUNCTION, HOLD, CAPACITY, CAPACITY, HOLD, FUNCTION], &days(30));
    assert_eq!((twice.lines.read, twice.left_out.repeated_records), (once.lines.read * 2, 15));
    twice.lines = once.lines.clone();
    twice.left_out = once.left_out.clone();
    assert_eq!(twice, once);
}

#[test]
fn without_interruptions_the_report_says_so() {
    assert_eq!(sentences(&report(&[], &days(30))), ["No interruptions in 30 days. No log lines were read."]);
    let other = report(&["START\nREPORT"], &days(1));
    assert_eq!(sentences(&other), ["No interruptions in 1 day. 2 log lines were read."]);
    assert_eq!((other.notice_to_deregistered_ms, other.sweeps.len(), other.by_day.len()), (None, 0, 2));
}

#[test]
fn damaged_lines_are_counted_and_do_no_harm() {
    let lines = [
        ("nothing", "other"),
        ("{", "other"),
        ("{}", "other"),
        ("[1, 2]", "other"),
        (r#"{"record": null, "message": "notice"}"#, "other"),
        (r#"{"record": 7, "message": "notice"}"#, "unreadable"),
        (r#"{"record": {"registrations": []}}"#, "unreadable"),
        (r#"{"record": {"registrations": {}, "task": 7}}"#, "unreadable"),
        (r#"{"program": "spotdrain-hold", "step": 7}"#, "unreadable"),
        (r#"{"program": "spotdrain-hold", "step": "started"}"#, "other"),
        (r#"{"program": 7}"#, "other"),
        (r#"{"detail-type": "ECS Service Action"}"#, "unreadable"),
        (r#"{"detail-type": 7}"#, "unreadable"),
        (r#"{"events": 7}"#, "other"),
        (r#"{"events": [7, {"message": "x"}]}"#, "other"),
    ];
    for (line, expected) in lines {
        let summary = report(&[line], &days(30));
        let found = if summary.lines.unreadable > 0 { "unreadable" } else { "other" };
        assert_eq!((found, summary.interruptions), (expected, 0), "{line}");
    }
}

/// The forms in which logs are handed around.
fn wrapped() -> Vec<(&'static str, String)> {
    let lines: Vec<_> = FUNCTION.lines().collect();
    let events: Vec<_> = lines.iter().map(|line| json!({"message": line, "timestamp": 1, "eventId": "1"})).collect();
    let rows: Vec<_> = lines.iter().map(|line| json!([{"field": "@message", "value": line}])).collect();
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    let log = lines.iter().map(|line| json!({"log": line, "container_id": "c"}).to_string());
    let tail = lines.iter().map(|line| format!("2026-11-20T10:00:00.000000+00:00 2026/11/20/[1]ab {line}"));
    vec![
        ("filter-log-events", pretty(&json!({"events": events, "searchedLogStreams": []}))),
        ("get-query-results", pretty(&json!({"results": rows, "status": "Complete"}))),
        ("a log router", log.collect::<Vec<_>>().join("\n")),
        ("aws logs tail", tail.collect::<Vec<_>>().join("\n")),
    ]
}

#[test]
fn the_output_of_aws_logs_and_of_a_log_router_is_read() {
    let mut expected = summarize(history(&[FUNCTION]), &days(30));
    for (form, text) in wrapped() {
        let mut history = History::default();
        if text.starts_with("{\n") {
            history.add_document(&text);
        } else {
            text.lines().for_each(|line| history.add_line(line));
        }
        let summary = summarize(history, &days(30));
        expected.lines = summary.lines.clone();
        assert_eq!(summary.interruptions, 10, "{form}");
        assert_eq!((&summary.first, &summary.problems), (&expected.first, &expected.problems), "{form}");
    }
}

#[test]
fn the_output_of_drain_is_read() {
    let record: Value = serde_json::from_str(FUNCTION.lines().nth(1).unwrap()).unwrap();
    let report = json!({"verdict": "done", "notices": [record["record"]], "ignored": []});
    let mut history = History::default();
    history.add_document(&serde_json::to_string_pretty(&report).unwrap());
    history.add_line(&record["record"].to_string());
    let summary = summarize(history, &days(30));
    assert_eq!((summary.interruptions, summary.left_out.repeated_records), (1, 1));
}

#[test]
fn a_damaged_document_is_an_unreadable_line() {
    let mut history = History::default();
    history.add_document("{\"events\": [\n");
    let summary = summarize(history, &days(30));
    assert!(summary.lines.first_unreadable.unwrap().starts_with("not valid JSON: EOF"));
}

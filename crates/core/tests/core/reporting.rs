//! The report of a batch: records, verdict, the messages that return, and the metrics.

use crate::scenario::{Scenario, throttled};
use spotdrain_core::model::notice::Ignored;
use spotdrain_core::model::outcome::Outcome;
use spotdrain_core::model::task_status::RecognisedBy;
use spotdrain_core::read::classify::{IgnoredEvent, Malformed};
use spotdrain_core::read::json::EventError;
use spotdrain_core::report::message::SweepMessage;
use spotdrain_core::report::metrics;
use spotdrain_core::report::{First, Report, Verdict};

const TARGETS: [(&str, u16, &str); 3] =
    [("10.0.2.21", 5044, "healthy"), ("10.0.2.22", 5044, "healthy"), ("10.0.1.11", 5044, "healthy")];

fn two() -> Scenario {
    let scenario = Scenario::new().notice("one", &["10.0.2.21"]).notice("two", &["10.0.2.22"]);
    scenario.service(&[("web", Some(5044))]).group("web", &TARGETS)
}

/// Gives every registration that is to be deregistered its outcome: `two` has its own.
fn report_of(scenario: Scenario, two: &Outcome) -> Report {
    let is_two = |address| address == crate::scenario::ip("10.0.2.22");
    scenario.plan().report(|address| if is_two(address) { two.clone() } else { Outcome::Deregistered })
}

#[test]
fn a_record_has_the_whole_story_of_a_notice() {
    let report = report_of(two(), &Outcome::Failed(throttled("DeregisterTargets")));
    insta::assert_json_snapshot!(report);
}

#[test]
fn exactly_the_messages_that_failed_go_back() {
    let report = report_of(two(), &Outcome::Failed(throttled("DeregisterTargets")));
    assert_eq!((report.verdict, report.failed_messages()), (Verdict::Retry, vec!["message-two"]));
    assert_eq!(report.handled().map(|record| record.notice.task.arn.id()).collect::<Vec<_>>(), ["one"]);
    let summary = report.failure_summary();
    assert_eq!(summary.as_deref(), Some("DeregisterTargets: Throttling: Rate exceeded"));
}

#[test]
fn the_verdict_weighs_all_outcomes() {
    let mut denied = throttled("DeregisterTargets");
    denied.retryable = false;
    for (two_s, verdict) in [
        (Outcome::Deregistered, Verdict::Done),
        (Outcome::AlreadyGone, Verdict::Done),
        (Outcome::Failed(denied), Verdict::Failed),
        (Outcome::Failed(throttled("DeregisterTargets")), Verdict::Retry),
    ] {
        assert_eq!(report_of(two(), &two_s).verdict, verdict);
    }
    let kept = Scenario::new().notice("one", &["10.0.2.21"]).service(&[]);
    assert_eq!(report_of(kept, &Outcome::Deregistered).verdict, Verdict::Nothing);
}

#[test]
fn a_message_that_cannot_be_read_fails_the_batch_and_goes_back_alone() {
    let mut scenario = two();
    let error = EventError { path: "Records[2].body".to_owned(), problem: "EOF".to_owned() };
    scenario.malformed.push(Malformed { message_id: Some("message-bad".to_owned()), error });
    let report = report_of(scenario, &Outcome::Deregistered);
    assert_eq!((report.verdict, report.failed_messages()), (Verdict::Failed, vec!["message-bad"]));
}

#[test]
fn observe_reports_what_would_be_done() {
    let report = report_of(two().tagged("observe"), &Outcome::Deregistered);
    assert!(report.notices.iter().all(|notice| notice.registrations[0].outcome == Outcome::WouldDeregister));
    assert_eq!(report.verdict, Verdict::Done);
}

fn metric_lines(scenario: Scenario, outcome: &Outcome) -> Vec<serde_json::Value> {
    let now = scenario.now();
    let lines = metrics::lines(&report_of(scenario, outcome), now);
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_metrics_count_by_service_and_in_all() {
    let mut scenario = two().but(|notice| notice.recognised_by = RecognisedBy::Reason);
    for reason in [Ignored::NotSpot, Ignored::NotSpot, Ignored::NoAddress] {
        let event = IgnoredEvent {
            event_id: "event".to_owned(),
            message_id: None,
            task: None,
            cluster: None,
            service: None,
            reason,
        };
        scenario.ignored.push(event);
    }
    insta::assert_json_snapshot!(metric_lines(scenario, &Outcome::Failed(throttled("DeregisterTargets"))));
}

#[test]
fn copies_of_a_notice_in_one_report_are_one_deregistration() {
    let mut scenario = two();
    let copy = scenario.notices[0].clone();
    scenario.notices.extend((0..4).map(|_| copy.clone()));
    let lines = metric_lines(scenario, &Outcome::Deregistered);
    assert_eq!(
        (&lines[0]["Notices"], &lines[0]["Deregistered"], &lines[0]["Failed"]),
        (&6.into(), &2.into(), &0.into())
    );
    let values = |name: &str| lines[0][name].as_array().map(Vec::len);
    assert_eq!((values("NoticeToDeregistered"), values("NoticeAge")), (Some(2), Some(6)));
}

#[test]
fn no_line_has_more_than_a_hundred_values() {
    let mut scenario = Scenario::new().service(&[("web", Some(80))]);
    let addresses: Vec<_> = (0..250).map(|n| format!("10.1.{}.{}", n / 100, n % 100 + 1)).collect();
    let targets: Vec<_> =
        addresses.iter().flat_map(|a| [80, 443].map(|port| (a.as_str(), port, "unhealthy"))).collect();
    scenario = scenario.group("web", &targets);
    for (index, address) in addresses.iter().enumerate() {
        scenario = scenario.notice(&format!("t{index}"), &[address]);
    }
    let lines = metric_lines(scenario, &Outcome::Deregistered);
    let values = |name: &str| {
        let sizes = lines.iter().filter_map(|line| line.get(name)?.as_array().map(Vec::len));
        let sizes: Vec<_> = sizes.collect();
        assert!(sizes.iter().all(|size| *size <= 100), "{name}: {sizes:?}");
        sizes.iter().sum::<usize>()
    };
    assert_eq!((values("NoticeAge"), values("NoticeToDeregistered")), (250, 500));
    let notices: u64 = lines.iter().filter_map(|line| line.get("Notices")?.as_u64()).sum();
    assert_eq!(notices, 250, "each counted once");
}

#[test]
fn the_message_has_a_line_for_each_service_and_zone() {
    let mut report = report_of(two(), &Outcome::AlreadyDraining);
    for (record, zone) in report.notices.iter_mut().zip(["eu-central-1a", "eu-central-1a"]) {
        record.notice.task.platform.availability_zone = Some(zone.to_owned());
        record.first =
            if record.registrations[0].outcome == Outcome::Deregistered { First::Spotdrain } else { First::Ecs };
    }
    report.notices[0].registrations[0].notice_to_deregistered_ms = Some(1240);
    let message = SweepMessage::of(&report).unwrap();
    assert_eq!(message.title, "2 Spot tasks interrupted");
    let line = "2 tasks of logstash interrupted in eu-central-1a; 1 deregistered within 1.2 s; ECS was first for 1";
    assert_eq!(message.lines, [line]);
    let chat = message.for_chat();
    assert_eq!((&chat["version"], &chat["source"]), (&"1.0".into(), &"custom".into()));
    assert_eq!(chat["content"]["description"], line);
}

#[test]
fn the_message_leaves_out_what_returns_to_the_queue() {
    let failed = Outcome::Failed(throttled("DeregisterTargets"));
    let mut report = report_of(two(), &failed);
    let title = |report: &Report| SweepMessage::of(report).map(|message| message.title);
    assert_eq!(title(&report).as_deref(), Some("1 Spot task interrupted"));
    report.notices[1].message_id = None;
    assert_eq!(title(&report).as_deref(), Some("2 Spot tasks interrupted; 1 not deregistered"));
    report.notices[0].look_again_seconds = Some(15);
    report.notices[1].postponed = true;
    assert_eq!(title(&report), None);
}

#[test]
fn a_message_has_at_most_twenty_lines_and_a_count() {
    let mut report = report_of(two(), &Outcome::Deregistered);
    let one = report.notices[0].clone();
    report.notices = (0..25)
        .map(|number| {
            let mut record = one.clone();
            record.notice.task.platform.availability_zone = Some(format!("zone-{number:02}"));
            record
        })
        .collect();
    let lines = SweepMessage::of(&report).unwrap().lines;
    assert_eq!((lines.len(), lines[20].as_str()), (21, "and 5 more services or zones: see the function's log"));
}

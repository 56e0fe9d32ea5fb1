//! The order of a storm: in waves, the earliest deadline first, and what there is no time for goes back.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test stops where something is wrong"
)]

mod common;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{arn, sample, task};
use jiff::SignedDuration;
use spotdrain_core::arn::ServiceName;
use spotdrain_core::batch::{Receipt, Receipts};
use spotdrain_core::candidates::Configured;
use spotdrain_core::finding::{Service, ServiceFinding, ServiceGroup, ServiceKey};
use spotdrain_core::notice::{Incoming, Notice};
use spotdrain_core::outcome::{Failure, Outcome};
use spotdrain_core::plan::postpone;
use spotdrain_core::report::{Execution, report};
use spotdrain_core::schedule::{Allowance, Schedule, schedule};
use spotdrain_core::settings::Settings;
use spotdrain_core::settlement::{Settlement, settle};
use spotdrain_core::stop::RecognisedBy;

const PLENTY: Allowance = Allowance { first: 10, most: 1000, least: 4 };

/// A notice of the task of this name in `service`, whose interruption began so many seconds later than others'.
fn notice(id: &str, service: &str, later: i64) -> Incoming {
    let mut change = sample().change.unwrap();
    change.arn = task(id);
    change.service = ServiceName::new(service);
    change.stopping_at = change.stopping_at.map(|at| at + SignedDuration::from_secs(later));
    let notice = Notice {
        event_id: id.to_owned(),
        task: change,
        recognised_by: RecognisedBy::StopCode,
        source: "aws.ecs".to_owned(),
    };
    Incoming { message_id: Some(id.to_owned()), notice }
}

/// Services with a group of their own each.
fn services(names: &[String]) -> BTreeMap<ServiceKey, ServiceFinding> {
    let cluster = sample().change.unwrap().cluster;
    let key = |name: &String| ServiceKey { cluster: cluster.clone(), service: ServiceName::new(name).unwrap() };
    let group = |name: &String| ServiceGroup { arn: arn(name), port: None };
    let found = |name| ServiceFinding::Found(Service { groups: vec![group(name)], ..Service::default() });
    names.iter().map(|name| (key(name), found(name))).collect()
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("s{number:02}")).collect()
}

fn told(schedule: &Schedule) -> String {
    let ids = |notices: &[Incoming]| {
        let mut ids: Vec<_> = notices.iter().map(|incoming| incoming.notice.event_id.clone()).collect();
        ids.sort();
        ids.join(" ")
    };
    let waves: Vec<_> = schedule.waves.iter().map(|wave| ids(wave)).collect();
    format!("{} | postponed: {}", waves.join(" | "), ids(&schedule.postponed))
}

fn scheduled(notices: Vec<Incoming>, services: &BTreeMap<ServiceKey, ServiceFinding>, allowance: Allowance) -> String {
    told(&schedule(notices, (services, &Configured::default()), &Settings::default(), allowance))
}

#[test]
fn a_few_services_are_one_wave() {
    let notices = vec![notice("a", "s00", 0), notice("b", "s01", 0), notice("c", "s00", 5)];
    assert_eq!(scheduled(notices, &services(&names(2)), PLENTY), "a b c | postponed: ");
}

#[test]
fn as_many_as_can_be_written_at_once_and_then_four_at_a_time() {
    let names = names(17);
    let notices = names.iter().map(|name| notice(name, name, 0)).collect();
    let expected = "s00 s01 s02 s03 s04 s05 s06 s07 s08 s09 | s10 s11 s12 s13 | s14 s15 s16 | postponed: ";
    assert_eq!(scheduled(notices, &services(&names), PLENTY), expected);
}

#[test]
fn the_earliest_deadline_comes_first_with_all_of_its_service() {
    let notices = vec![notice("late", "s00", 30), notice("early", "s01", 0), notice("with-it", "s01", 60)];
    let one_each = Allowance { first: 1, least: 1, ..PLENTY };
    assert_eq!(scheduled(notices, &services(&names(2)), one_each), "early with-it | late | postponed: ");
}

#[test]
fn deadlines_of_the_same_time_are_taken_in_the_same_order_by_every_sandbox() {
    let names = names(2);
    let one_each = Allowance { first: 1, least: 1, ..PLENTY };
    for (first, second) in [(0, 1), (1, 0)] {
        let notices = vec![notice("b", &names[1], second), notice("a", &names[0], first)];
        assert_eq!(scheduled(notices, &services(&names), one_each), "a | b | postponed: ");
    }
}

#[test]
fn what_the_pace_does_not_let_through_is_postponed_and_the_first_is_always_tried() {
    let names = names(6);
    let notices =
        || names.iter().enumerate().map(|(at, name)| notice(name, name, i64::try_from(at).unwrap())).collect();
    let some = Allowance { first: 2, most: 4, least: 2 };
    assert_eq!(scheduled(notices(), &services(&names), some), "s00 s01 | s02 s03 | postponed: s04 s05");
    let none = Allowance { first: 0, most: 0, least: 4 };
    assert_eq!(scheduled(notices(), &services(&names), none), "s00 | postponed: s01 s02 s03 s04 s05");
}

#[test]
fn a_service_that_could_not_be_asked_costs_no_group_and_is_told_at_once() {
    let names = names(3);
    let mut services = services(&names);
    let failure = Failure { call: "DescribeServices", problem: "no".to_owned(), retryable: true };
    services.values_mut().next().unwrap().clone_from(&ServiceFinding::Unknown(failure));
    let notices = names.iter().map(|name| notice(name, name, 0)).collect();
    let two = Allowance { first: 2, most: 2, least: 2 };
    assert_eq!(scheduled(notices, &services, two), "s00 s01 s02 | postponed: ");
}

fn receipts(is_own: bool, receives: u32) -> Receipts {
    let receipt = |handle: &str| Receipt { handle: handle.to_owned(), receives, is_own };
    ["a", "b"].into_iter().map(|id| (id.to_owned(), receipt(id))).collect()
}

#[test]
fn what_was_postponed_comes_again_at_once_but_not_for_ever() {
    let now = sample().change.unwrap().event_time;
    let postponed = report(postpone(vec![notice("a", "s", 0)], &Settings::default(), now), &Execution::DryRun);
    let returned = |receives| settle(&postponed, &receipts(false, receives)).remove(0).1;
    let seconds = |seconds| Settlement::Return(Duration::from_secs(seconds));
    assert_eq!(
        (returned(1), returned(4), returned(5), returned(12)),
        (seconds(0), seconds(0), seconds(2), seconds(10))
    );
    assert!(postponed.notices.iter().all(|notice| notice.postponed));
    assert_eq!(postponed.failed_messages(), ["a"]);
}

#[test]
fn what_is_done_is_deleted_if_the_function_received_it_itself() {
    let scenario = || common::Scenario::new().notice("a", &["10.0.2.21"]).set("SPOTDRAIN_KEEP_LAST", "false");
    let web = [("10.0.2.21", 5044, "healthy")];
    let settled = |outcome: Outcome, is_own| {
        let plan = scenario().service(&[("web", None)]).group("web", &web).plan();
        let rows = plan.notices.iter().flat_map(|notice| &notice.registrations);
        let now = sample().change.unwrap().event_time;
        let done = rows.map(|row| (row.registration.clone(), (outcome.clone(), now))).collect();
        let mut report = report(plan, &Execution::Done(done));
        report.notices[0].message_id = Some("a".to_owned());
        settle(&report, &receipts(is_own, 2))
            .into_iter()
            .map(|(receipt, settlement)| (receipt.handle, settlement))
            .next()
    };
    let failed = |retryable| Outcome::Failed(Failure { call: "x", problem: "y".to_owned(), retryable });
    let of_a = |settlement| Some(("a".to_owned(), settlement));
    assert_eq!(settled(Outcome::Deregistered, true), of_a(Settlement::Delete));
    assert_eq!(settled(Outcome::Deregistered, false), None, "Lambda's poller does it");
    assert_eq!(settled(failed(true), false), of_a(Settlement::Return(Duration::from_secs(4))));
    assert_eq!(settled(failed(true), true), of_a(Settlement::Return(Duration::from_secs(4))));
    assert_eq!(settled(failed(false), true), None, "no other try mends it: the visibility timeout is soon enough");
}

//! The record of a notice is what `docs/schema` says, and the schema has no field that the code does not write.

mod validator;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use spotdrain_core::model::outcome::{NoTargetGroup, Outcome};
use spotdrain_core::model::task_platform::TaskPlatform;
use spotdrain_core::report::{NoticeRecord, RECORD_SCHEMA, Report};
use validator::problems;

use crate::scenario::{Scenario, throttled};

const SCHEMA: &str = include_str!("../../../../../docs/schema/notice-record-2.json");

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

fn report(outcome: &Outcome) -> Report {
    let targets = [("10.0.2.21", 5044, "healthy"), ("10.0.2.22", 5044, "healthy")];
    let scenario = Scenario::new().notice("one", &["10.0.2.21"]).service(&[("web", Some(5044))]);
    scenario.group("web", &targets).plan().report(|_| outcome.clone())
}

fn outcomes() -> [Outcome; 9] {
    [
        Outcome::Deregistered,
        Outcome::WouldDeregister,
        Outcome::AlreadyDraining,
        Outcome::NotRegistered,
        Outcome::LeftToHold,
        Outcome::KeptLastHealthy,
        Outcome::Stale,
        Outcome::AlreadyGone,
        Outcome::Failed(throttled("DeregisterTargets")),
    ]
}

/// A record in which every optional field is present.
fn full() -> NoticeRecord {
    let mut record = report(&Outcome::Failed(throttled("DeregisterTargets"))).notices.remove(0);
    "spotdrain.drill".clone_into(&mut record.notice.source);
    record.notice.task.elb_attachment = Some("ATTACHED".to_owned());
    record.notice.task.platform.platform_family = Some("Linux".to_owned());
    record.notice.task.warnings = vec!["detail.version: expected a whole number".to_owned()];
    record.unknown_tag = Some("of".to_owned());
    (record.held, record.postponed, record.contradicted, record.tags_unknown) = (true, true, true, true);
    record.look_again_seconds = Some(15);
    record.failure = Some(throttled("DescribeServices"));
    record.no_target_group = Some(NoTargetGroup::Unresolved);
    record.registrations[0].check_port = Some(8081);
    record.registrations[0].notice_to_deregistered_ms = Some(1042);
    record
}

fn value(record: &NoticeRecord) -> Value {
    serde_json::to_value(record).unwrap()
}

#[test]
fn every_record_is_as_the_schema_says() {
    let reports: Vec<_> = outcomes().iter().map(report).collect();
    for record in reports.iter().flat_map(|report| &report.notices).chain([&full()]) {
        assert_eq!(problems(&schema(), &value(record)), Vec::<String>::new());
    }
    assert_eq!(schema()["properties"]["schema"]["const"], RECORD_SCHEMA);
}

#[test]
fn every_field_of_the_schema_is_written() {
    let (schema, record) = (schema(), value(&full()));
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&schema["properties"]), names(&record));
    let registration = &schema["$defs"]["registration"];
    assert_eq!(names(&registration["properties"]), names(&record["registrations"][0]));
    assert_eq!(names(&schema["$defs"]["failure"]["properties"]), names(&record["failure"]));
    let written: Vec<_> = outcomes().iter().map(|outcome| json!(outcome.as_str())).collect();
    assert_eq!(registration["properties"]["outcome"]["enum"], json!(written));
}

#[test]
fn what_is_required_is_what_is_always_written() {
    let schema = schema();
    let mut bare = report(&Outcome::NotRegistered).notices.remove(0);
    bare.notice.task.platform = TaskPlatform::default();
    bare.ran_seconds = None;
    let required: BTreeSet<_> =
        schema["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    assert_eq!(value(&bare).as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>(), required);
}

#[test]
fn the_validator_follows_references_to_other_schemas() {
    let mut record = value(&full());
    assert_eq!(problems(&json!({ "$ref": "notice-record-2.json" }), &record), Vec::<String>::new());
    record["registrations"][0]["outcome"] = json!("Gone");
    let found = problems(&json!({ "items": { "$ref": "notice-record-2.json" } }), &json!([record]));
    assert!(found.len() == 1 && found[0].starts_with("[0].registrations[0].outcome: enum"), "{found:?}");
    assert_eq!(problems(&json!({ "$ref": "drain-1.json#/$defs/reason" }), &json!("Repeated")), Vec::<String>::new());
}

#[test]
fn the_validator_finds_what_is_wrong() {
    let record = value(&full());
    for (pointer, wrong, problem) in [
        ("/cpu", json!("512"), ".cpu: type"),
        ("/first", json!("aws"), ".first: enum"),
        ("/schema", json!(3), ".schema: const"),
        ("/failure", json!({}), ": anyOf"),
        ("/ran_seconds", json!(-1), ".ran_seconds: minimum"),
        ("/registrations/0/outcome", json!("Gone"), ".registrations[0].outcome: enum"),
        ("/registrations/0/failure/call", Value::Null, ".registrations[0].failure.call: type"),
    ] {
        let mut record = record.clone();
        *record.pointer_mut(pointer).unwrap() = wrong;
        let found = problems(&schema(), &record);
        assert!(found.len() == 1 && found[0].contains(problem), "{pointer}: {found:?}");
    }
    assert_eq!(problems(&json!({ "minItems": 2, "maxItems": 2 }), &json!([1, 2])), Vec::<String>::new());
    assert_eq!(problems(&json!({ "minItems": 2 }), &json!([1])), [": minItems 2: [1]"]);
    assert_eq!(problems(&json!({ "maxItems": 0 }), &json!([1])), [": maxItems 0: [1]"]);
    let mut record = record;
    record.as_object_mut().unwrap().remove("task");
    record["colour"] = json!("red");
    assert_eq!(problems(&schema(), &record).len(), 2, "a field that is missing, and one that is not known");
}

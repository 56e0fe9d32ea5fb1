//! The rule matches every event that the function classifies as a notice. Of the others it matches only events that end as
//! `NoAddress`, `OutOfScope` or `Repeated`, which a pattern cannot recognise.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use spotdrain_core::model::notice::Ignored;
use spotdrain_core::read::batch::parse_payload;
use spotdrain_core::read::classify::{Classification, classify_event};
use spotdrain_core::read::memory::Memory;
use spotdrain_core::settings::Settings;

use crate::deployed;
use crate::pattern::passes;
use crate::template::Template;

const CLUSTER: &str = "arn:aws:ecs:eu-central-1:123456789012:cluster/demo";

fn pattern(template: &Template) -> Value {
    template.properties("NoticeRule").unwrap()["EventPattern"].clone()
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events")
}

/// The samples that are EventBridge events, by file name; the messages of a batch have a number. Other samples, such as SNS
/// envelopes, never reach a rule.
fn events() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for folder in [samples(), samples().join("malformed")] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(samples()).unwrap().display().to_string();
            let Some(value) = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
            else {
                continue;
            };
            let Some(records) = value["Records"].as_array() else {
                found.push((name, value));
                continue;
            };
            for (number, record) in records.iter().enumerate() {
                let body = serde_json::from_str(record["body"].as_str().unwrap_or_default());
                found.extend(body.ok().map(|body| (format!("{name} {number}"), body)));
            }
        }
    }
    found.retain(|(_, event)| event.get("detail-type").is_some());
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

/// The function's classification of an event: `notice`, the reason why it is ignored, or `malformed`.
fn fate(event: &Value, settings: &Settings) -> &'static str {
    let batch = parse_payload(event.to_string().as_bytes(), &settings.event_sources).unwrap();
    match &batch.messages[0].event {
        Err(_) => "malformed",
        Ok(event) => match classify_event(event, settings, &Memory::new()) {
            Classification::Notice(_) => "notice",
            Classification::Ignored(reason) => reason.as_str(),
        },
    }
}

fn may_pass(fate: &str) -> bool {
    [Ignored::NoAddress, Ignored::OutOfScope, Ignored::Repeated].iter().any(|reason| reason.as_str() == fate)
}

/// A malformed event may match or not: the function reports it, and it ends in the dead-letter queue.
fn assert_is_right(fate: &str, passes: bool, name: &str) {
    match fate {
        "malformed" => {}
        "notice" => assert!(passes, "the rule does not match a notice: {name}"),
        other => assert!(!passes || may_pass(other), "{other} passes: {name}"),
    }
}

#[test]
fn the_rules_pattern_and_every_sample() {
    let pattern = pattern(&deployed());
    let mut output = String::new();
    for (name, event) in events() {
        let (fate, passes) = (fate(&event, &Settings::default()), passes(&pattern, &event));
        assert_is_right(fate, passes, &name);
        writeln!(output, "{name}: {} ({fate})", if passes { "passes" } else { "is held back" }).unwrap();
    }
    // The end-to-end test compares these lines with the answers of a local cloud's TestEventPattern.
    insta::assert_snapshot!(output);
}

#[test]
fn rule_and_function_agree_on_every_form_of_a_stop() {
    let pattern = pattern(&deployed());
    let sample: Value = serde_json::from_slice(&fs::read(samples().join("spot-interruption.json")).unwrap()).unwrap();
    let texts = |texts: &[&str]| texts.iter().map(|text| json!(text)).chain([Value::Null]).collect::<Vec<_>>();
    let codes = texts(&[
        "SpotInterruption",
        "TerminationNotice",
        "SpotReclaim",
        "UserInitiated",
        "ServiceSchedulerInitiated",
        "spotinterruption",
        "",
    ]);
    let reasons =
        texts(&["Your Spot Task was interrupted.", "Your Spot Task was interrupted", "Task stopped by user", ""]);
    let statuses =
        ["PENDING", "RUNNING", "DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED", "DELETED", "HIBERNATING"];
    for code in &codes {
        for reason in &reasons {
            for last in statuses {
                for desired in ["RUNNING", "STOPPED"] {
                    let mut event = sample.clone();
                    let detail = event["detail"].as_object_mut().unwrap();
                    detail.insert("lastStatus".into(), json!(last));
                    detail.insert("desiredStatus".into(), json!(desired));
                    for (name, value) in [("stopCode", code), ("stoppedReason", reason)] {
                        // An absent field, as it has been reported from real events.
                        detail.remove(name);
                        if !value.is_null() {
                            detail.insert(name.into(), value.clone());
                        }
                    }
                    let name = format!("{code} {reason} {last} {desired}");
                    assert_eq!(fate(&event, &Settings::default()) == "notice", passes(&pattern, &event), "{name}");
                }
            }
        }
    }
}

#[test]
fn a_cluster_that_is_not_named_is_held_back_by_the_rule_as_by_the_function() {
    let template = deployed().with("Clusters", CLUSTER);
    let settings = Settings::read([("SPOTDRAIN_CLUSTERS", CLUSTER)]).unwrap();
    let pattern = pattern(&template);
    for (name, event) in events() {
        let fate = fate(&event, &settings);
        assert_is_right(fate, passes(&pattern, &event), &name);
        assert!(fate != "OutOfScope" || !passes(&pattern, &event), "the rule knows the cluster: {name}");
    }
}

#[test]
fn the_simulators_source_is_accepted_by_rule_and_function_once_it_is_configured() {
    let template = deployed().with("EventSources", "aws.ecs, spotdrain.drill");
    let environment = template.properties("Function").unwrap()["Environment"]["Variables"].clone();
    assert_eq!(environment["SPOTDRAIN_EVENT_SOURCES"], "aws.ecs,spotdrain.drill");
    let simulated = events().into_iter().find(|(name, _)| name == "drill-source.json").unwrap().1;
    assert!(passes(&pattern(&template), &simulated));
    assert!(!passes(&pattern(&deployed()), &simulated));
}

#[test]
fn the_pattern_for_twenty_clusters_fits_eventbridges_limit() {
    let clusters: Vec<_> = (0..20).map(|number| format!("{CLUSTER}-{number:02}")).collect();
    let pattern = pattern(&deployed().with("Clusters", &clusters.join(",")));
    assert!(pattern.to_string().len() <= 2048, "{}", pattern.to_string().len());
}

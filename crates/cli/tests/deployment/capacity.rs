//! The capacity watch: off unless it is asked for; its rule lets through what `spotdrain report` joins, and nothing that the
//! function handles; only that rule may write to its log group.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use spotdrain_core::history::{History, HistoryQuery, summarize};

use crate::deployed;
use crate::pattern::passes;
use crate::template::Template;

fn watching() -> Template {
    deployed().with("CapacityWatch", "true")
}

fn sample(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(name);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

const RESOURCES: [&str; 5] =
    ["CapacityRule", "CapacityLogGroup", "CapacityLogPolicy", "CapacityFilter", "CapacityUnavailableAlarm"];

#[test]
fn it_is_off_unless_it_is_asked_for() {
    for resource in RESOURCES {
        assert!(deployed().properties(resource).is_none(), "{resource}");
        assert!(watching().properties(resource).is_some(), "{resource}");
    }
}

#[test]
fn its_rule_lets_through_what_the_report_joins() {
    let pattern = watching().properties("CapacityRule").unwrap()["EventPattern"].clone();
    for (name, expected) in [
        ("service-action.json", true),
        ("not-stopping.json", true),
        ("spot-interruption.json", false),
        ("stopped.json", false),
        ("standalone-task.json", false),
    ] {
        assert_eq!(passes(&pattern, &sample(name)), expected, "{name}");
    }
    let mut history = History::default();
    history.add_line(&sample("service-action.json").to_string());
    history.add_line(&sample("not-stopping.json").to_string());
    let now = "2026-03-15T00:00:00Z".parse().unwrap();
    let found = summarize(history, &HistoryQuery::new(now, jiff::SignedDuration::from_hours(24))).replacements.unwrap();
    assert_eq!(found.placement_failures[0].count, 1);
}

#[test]
fn its_rule_is_restricted_to_the_clusters_in_scope() {
    let other = "arn:aws:ecs:eu-central-1:123456789012:cluster/other";
    let pattern = watching().with("Clusters", other).properties("CapacityRule").unwrap()["EventPattern"].clone();
    assert!(!passes(&pattern, &sample("service-action.json")));
}

#[test]
fn only_its_rule_writes_to_its_log_group() {
    let document = watching().properties("CapacityLogPolicy").unwrap()["PolicyDocument"].clone();
    let document: Value = serde_json::from_str(document.as_str().unwrap()).unwrap();
    let statements = document["Statement"].as_array().unwrap();
    let actions: BTreeSet<_> = statements.iter().map(|one| one["Action"].as_str().unwrap()).collect();
    assert_eq!(actions, BTreeSet::from(["logs:CreateLogStream", "logs:PutLogEvents"]));
    for statement in statements {
        assert!(statement["Resource"].as_str().unwrap().contains(":log-group:<CapacityLogGroup>:*"), "{statement}");
        assert_eq!(statement["Principal"]["Service"], json!(["events.amazonaws.com", "delivery.logs.amazonaws.com"]));
    }
    let write = statements.iter().find(|one| one["Action"] == "logs:PutLogEvents").unwrap();
    assert_eq!(write["Condition"]["ArnEquals"]["aws:SourceArn"], "<CapacityRule.Arn>");
}

#[test]
fn its_alarm_looks_at_the_metric_of_its_filter() {
    let filter = watching().properties("CapacityFilter").unwrap();
    let alarm = watching().properties("CapacityUnavailableAlarm").unwrap();
    let metric = &filter["MetricTransformations"][0];
    assert_eq!((&metric["MetricNamespace"], &metric["MetricName"]), (&alarm["Namespace"], &alarm["MetricName"]));
    let event = sample("service-action.json");
    let pattern = filter["FilterPattern"].as_str().unwrap();
    assert!(pattern.contains(event["detail"]["eventName"].as_str().unwrap()), "{pattern}");
    let provider = event["detail"]["capacityProviderArns"][0].as_str().unwrap();
    assert!(provider.ends_with("/FARGATE_SPOT") && pattern.contains("capacityProviderArns[0] = \"*/FARGATE_SPOT\""));
}

#[test]
fn terraform_makes_the_same() {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/terraform/capacity.tf")).unwrap();
    let filter = watching().properties("CapacityFilter").unwrap();
    let pattern = filter["FilterPattern"].as_str().unwrap().replace('"', "\\\"");
    assert!(text.contains(&pattern), "{pattern}");
    let alarm = watching().properties("CapacityUnavailableAlarm").unwrap();
    for name in ["MetricName", "AlarmDescription", "Statistic"] {
        assert!(text.contains(&format!("\"{}\"", alarm[name].as_str().unwrap())), "{name}");
    }
    for name in ["Period", "Threshold", "EvaluationPeriods"] {
        assert!(text.contains(&format!("= {}", alarm[name])), "{name}");
    }
}

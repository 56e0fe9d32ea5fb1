//! The alarms and the dashboard use metrics that the code writes, in its namespace.

use std::collections::BTreeSet;

use serde_json::Value;
use spotdrain_core::report::metrics::NAMESPACE;

use crate::deployed;
use crate::source::metric_words;
use crate::template::Template;

/// Collects the metric names of a namespace anywhere in a value.
fn metrics_in(value: &Value, namespace: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| metrics_in(item, namespace, found)),
        Value::Object(members) => {
            if members.get("Namespace").is_some_and(|one| one == namespace) {
                found.insert(members["MetricName"].as_str().unwrap().to_owned());
            }
            members.values().for_each(|member| metrics_in(member, namespace, found));
        }
        _ => {}
    }
}

fn alarms(template: &Template) -> Vec<(String, Value)> {
    template.of_type("AWS::CloudWatch::Alarm")
}

#[test]
fn the_alarms_use_metrics_of_the_code() {
    let mut found = BTreeSet::new();
    for (_, alarm) in alarms(&deployed()) {
        metrics_in(&alarm, NAMESPACE, &mut found);
    }
    assert!(found.contains("Failed") && found.contains("UnknownStopCode") && found.contains("Notices"), "{found:?}");
    let words = metric_words();
    for name in found {
        assert!(words.contains(&name), "the code has no metric {name}");
    }
}

#[test]
fn an_alarm_expression_uses_all_its_metrics() {
    for (name, alarm) in alarms(&deployed()) {
        let Some(metrics) = alarm["Metrics"].as_array() else { continue };
        let expression = metrics.iter().find_map(|metric| metric["Expression"].as_str()).unwrap();
        for metric in metrics.iter().filter(|metric| metric["MetricStat"].is_object()) {
            let id = metric["Id"].as_str().unwrap();
            assert!(expression.contains(&format!("FILL({id}, 0)")), "{name} uses {id}");
        }
    }
}

#[test]
fn every_alarm_goes_to_the_topic_if_there_is_one() {
    let topic = "arn:aws:sns:eu-central-1:123456789012:alarms";
    for (name, alarm) in alarms(&deployed().with("AlarmTopic", topic)) {
        assert_eq!(alarm["AlarmActions"][0], topic, "{name}");
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{name}: no data is no alarm");
        assert!(alarm["AlarmDescription"].as_str().unwrap().starts_with("spotdrain: "), "{name}");
    }
    assert!(alarms(&deployed()).iter().all(|(_, alarm)| alarm["AlarmActions"].is_null()));
}

#[test]
fn every_alarm_is_listed() {
    let names: Vec<_> = alarms(&deployed()).into_iter().map(|(name, _)| name).collect();
    let expected = [
        "AddressUnknownAlarm",
        "DeadLetterAlarm",
        "ErrorAlarm",
        "FailureAlarm",
        "GroupEmptiedAlarm",
        "LateAlarm",
        "NewDeadLetterAlarm",
        "NothingDoneAlarm",
        "OldNoticeAlarm",
        "UnknownStopCodeAlarm",
        "UnresolvedAlarm",
    ];
    assert_eq!(names, expected);
}

/// Nobody has to act on these: a worker's service has no load balancer, unknown tags do not stop the work, and whether ECS or
/// spotdrain is first is up to AWS.
#[test]
fn metrics_without_an_action_are_on_the_dashboard_and_have_no_alarm() {
    let template = deployed();
    let dashboard = template.properties("Dashboard").unwrap()["DashboardBody"].to_string();
    let mut found = BTreeSet::new();
    for (_, alarm) in alarms(&template) {
        metrics_in(&alarm, NAMESPACE, &mut found);
    }
    for name in ["NoTargetGroupNoLoadBalancer", "TagsUnknown", "EcsFirst", "SpotdrainFirst", "FirstUnknown"] {
        assert!(dashboard.contains(name) && !found.contains(name), "{name}");
    }
}

/// `NoticeAge` is in milliseconds, and a task has 120 s.
#[test]
fn an_old_notice_raises_the_alarm_while_its_task_still_has_time() {
    let alarm = deployed().properties("OldNoticeAlarm").unwrap();
    let threshold = alarm["Threshold"].as_u64().unwrap();
    assert!((60_000..120_000).contains(&threshold), "{threshold}");
    assert_eq!(alarm["Statistic"], "Maximum");
}

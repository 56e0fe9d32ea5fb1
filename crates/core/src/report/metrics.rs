//! The metrics of a batch in CloudWatch's embedded metric format: JSON lines of the log from which CloudWatch makes metrics.
//!
//! A line has one value of each dimension and at most 100 values of a metric, so there is a line for each cluster and service,
//! and several for a service with more notices. Every metric is counted by cluster and service, and also without dimensions,
//! because an alarm cannot add up dimensions. A registration that several notices of a report name is deregistered once, and
//! counts once as `Deregistered`.
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::model::arn::TargetGroupArn;
use crate::model::notice::Ignored;
use crate::model::outcome::Outcome;
use crate::model::task_status::RecognisedBy;
use crate::report::{NoticeRecord, RegistrationRecord, Report};

/// The namespace of all metrics.
pub const NAMESPACE: &str = "spotdrain";

/// The most values of one metric in a line.
pub const MOST_VALUES: usize = 100;

/// The dimension `Service` of a task without a service.
pub const STANDALONE: &str = "(standalone)";

/// Returns the lines of one report.
#[must_use]
pub fn lines(report: &Report, now: Timestamp) -> Vec<String> {
    let mut services: BTreeMap<(&str, &str), Vec<Counted<'_>>> = BTreeMap::new();
    let mut deregistered = BTreeSet::new();
    for record in &report.notices {
        let rows = counted_once(&record.registrations, &mut deregistered);
        let task = &record.notice.task;
        let service = task.service.as_ref().map_or(STANDALONE, |service| service.as_str());
        services.entry((task.cluster.name(), service)).or_default().push(Counted { record, rows });
    }
    let chunks = services.iter().flat_map(|(key, notices)| notices.chunks(MOST_VALUES).map(move |chunk| (key, chunk)));
    let mut lines: Vec<_> =
        chunks.flat_map(|((cluster, service), notices)| service_lines(cluster, service, notices, now)).collect();
    lines.extend(ignored_lines(report, now));
    if !report.emptied.is_empty() {
        lines.push(MetricLine::new(&[]).count("GroupEmptied", report.emptied.len()).finish(now));
    }
    let malformed = report.malformed.len();
    if malformed > 0 {
        lines.push(MetricLine::new(&[]).count("Malformed", malformed).count("Failed", malformed).finish(now));
    }
    lines
}

type RegistrationKey<'a> = (&'a TargetGroupArn, IpAddr, Option<u16>);

/// Returns the rows that no other record has already counted as deregistered.
fn counted_once<'a>(
    rows: &'a [RegistrationRecord],
    seen: &mut BTreeSet<RegistrationKey<'a>>,
) -> Vec<&'a RegistrationRecord> {
    let mut counted = Vec::new();
    for row in rows {
        if row.outcome != Outcome::Deregistered || seen.insert((&row.target_group, row.target, row.port)) {
            counted.push(row);
        }
    }
    counted
}

/// A record and those of its registrations that are counted with it.
struct Counted<'a> {
    record: &'a NoticeRecord,
    rows: Vec<&'a RegistrationRecord>,
}

/// Usually one line; more if the notices have more registrations than a line may have values.
fn service_lines(cluster: &str, service: &str, notices: &[Counted<'_>], now: Timestamp) -> Vec<String> {
    let dimensions = [("Cluster", cluster), ("Service", service)];
    let durations: Vec<i64> = notices.iter().flat_map(|notice| durations(notice)).collect();
    let (first, rest) = durations.split_at(durations.len().min(MOST_VALUES));
    let mut line = MetricLine::new(&dimensions);
    line = line.count("Notices", notices.len());
    for (name, count) in outcomes(notices) {
        line = line.count(name, count);
    }
    let ages: Vec<i64> = notices.iter().filter_map(|notice| notice.record.notice_age_ms).collect();
    line = line.values("NoticeAge", &ages).values("NoticeToDeregistered", first);
    let more = rest.chunks(MOST_VALUES);
    let more = more.map(|values| MetricLine::new(&dimensions).values("NoticeToDeregistered", values).finish(now));
    std::iter::once(line.finish(now)).chain(more).collect()
}

fn durations(notice: &Counted<'_>) -> impl Iterator<Item = i64> {
    notice.rows.iter().filter_map(|row| row.notice_to_deregistered_ms)
}

/// Counts the outcomes. `Failed` is there even if it is zero, so that an alarm has data.
fn outcomes(notices: &[Counted<'_>]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::from([("Failed", 0)]);
    for notice in notices {
        // A kept target is counted when the outcome is final.
        let is_final = |row: &&&RegistrationRecord| {
            notice.record.look_again_seconds.is_none() || row.outcome != Outcome::KeptLastHealthy
        };
        for row in notice.rows.iter().filter(is_final) {
            *counts.entry(row.outcome.as_str()).or_default() += 1;
        }
        // A notice that was not started has not failed: the next invocation handles it.
        if notice.record.failure.is_some() && !notice.record.postponed {
            *counts.entry("Failed").or_default() += 1;
        }
        *counts.entry(notice.record.first.metric()).or_default() += 1;
        if let Some(reason) = notice.record.no_target_group {
            *counts.entry(reason.metric()).or_default() += 1;
        }
        if notice.record.tags_unknown {
            *counts.entry("TagsUnknown").or_default() += 1;
        }
        if notice.record.notice.task.addresses.is_empty() {
            *counts.entry("AddressUnknown").or_default() += 1;
        }
        if notice.record.notice.recognised_by == RecognisedBy::Reason {
            *counts.entry("UnknownStopCode").or_default() += 1;
        }
    }
    counts
}

fn ignored_lines(report: &Report, now: Timestamp) -> Vec<String> {
    let mut reasons: BTreeMap<Ignored, usize> = BTreeMap::new();
    for event in &report.ignored {
        *reasons.entry(event.reason).or_default() += 1;
    }
    let line = |(reason, count): (Ignored, usize)| {
        MetricLine::new(&[("Reason", reason.as_str())]).count("Ignored", count).finish(now)
    };
    reasons.into_iter().map(line).collect()
}

/// One line of the format, while it is put together.
struct MetricLine {
    dimensions: Vec<String>,
    metrics: Vec<Value>,
    members: Map<String, Value>,
}

impl MetricLine {
    fn new(dimensions: &[(&str, &str)]) -> Self {
        let members = dimensions.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
        let names = dimensions.iter().map(|(name, _)| (*name).to_owned());
        Self { dimensions: names.collect(), metrics: Vec::new(), members: members.collect() }
    }

    fn metric(mut self, name: &str, unit: &str, value: Value) -> Self {
        self.metrics.push(json!({"Name": name, "Unit": unit}));
        self.members.insert(name.to_owned(), value);
        self
    }

    fn count(self, name: &str, count: usize) -> Self {
        self.metric(name, "Count", json!(count))
    }

    fn values(self, name: &str, values: &[i64]) -> Self {
        if values.is_empty() { self } else { self.metric(name, "Milliseconds", json!(values)) }
    }

    fn finish(self, now: Timestamp) -> String {
        let in_all: Vec<String> = Vec::new();
        let sets = if self.dimensions.is_empty() { vec![in_all] } else { vec![in_all, self.dimensions] };
        let directive = json!({"Namespace": NAMESPACE, "Dimensions": sets, "Metrics": self.metrics});
        let mut line = Map::new();
        line.insert("_aws".into(), json!({"Timestamp": now.as_millisecond(), "CloudWatchMetrics": [directive]}));
        line.extend(self.members);
        Value::Object(line).to_string()
    }
}

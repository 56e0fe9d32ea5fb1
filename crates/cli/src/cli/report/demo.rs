//! Five weeks of synthetic interruptions until now, the same at every run. They are read by the same code as a log.
//!
//! Three services: `checkout` behind an ALB, `ingest` behind an NLB with the hold, and `worker` without a load balancer. In the
//! last week ECS is first less often, so that the report shows a trend.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use spotdrain_core::history::{BalancerKind, History, HistoryQuery};
use spotdrain_core::report::RECORD_SCHEMA;

const REGION: &str = "eu-central-1";
const ACCOUNT: &str = "123456789012";
const DAYS: i64 = 35;

/// A service of the demo.
struct DemoService {
    name: &'static str,
    balancer: Option<BalancerKind>,
    cpu: u32,
    memory: u32,
    architecture: &'static str,
}

const SERVICES: [DemoService; 3] = [
    DemoService {
        name: "checkout",
        balancer: Some(BalancerKind::Application),
        cpu: 512,
        memory: 1024,
        architecture: "x86_64",
    },
    DemoService {
        name: "ingest",
        balancer: Some(BalancerKind::Network),
        cpu: 1024,
        memory: 2048,
        architecture: "arm64",
    },
    DemoService { name: "worker", balancer: None, cpu: 256, memory: 512, architecture: "arm64" },
];

/// A source of numbers that is the same every time.
struct Dice(u64);

impl Dice {
    /// A number below `most`.
    fn below(&mut self, most: u64) -> u64 {
        // Knuth's MMIX generator.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most.max(1)
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(usize::try_from(self.below(all.len() as u64)).unwrap_or(0))
    }
}

/// Adds the lines of the function, of the holds and of the capacity watch.
pub(crate) fn add(history: &mut History, query: &mut HistoryQuery) {
    for service in &SERVICES {
        query.balancers.extend(service.balancer.map(|kind| (group(service), kind)));
    }
    for line in lines(query.now) {
        history.add_line(&line.to_string());
    }
}

fn lines(now: Timestamp) -> Vec<Value> {
    let mut dice = Dice(2);
    let mut lines = vec![start("before", "checkout", ago(now, DAYS * 86_400), 30, "FARGATE_SPOT")];
    let mut number = 0;
    for day in (0..DAYS).rev() {
        for _ in 0..2 + dice.below(4) {
            let began = ago(now, day * 86_400 + 3600 + i64::try_from(dice.below(82_000)).unwrap_or(0));
            let tasks = if dice.below(9) == 0 { 4 + dice.below(9) } else { 1 + dice.below(2) };
            for task in 0..tasks {
                number += 1;
                let at = began.saturating_add(seconds(task * dice.below(9))).unwrap_or(began);
                lines.extend(interruption(&mut dice, number, at, day < 7));
            }
        }
    }
    lines
}

fn seconds(seconds: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0))
}

fn ago(now: Timestamp, seconds: i64) -> Timestamp {
    now.saturating_sub(SignedDuration::from_secs(seconds)).unwrap_or(now)
}

fn after(at: Timestamp, milliseconds: u64) -> Timestamp {
    let duration = SignedDuration::from_millis(i64::try_from(milliseconds).unwrap_or(0));
    at.saturating_add(duration).unwrap_or(at)
}

/// The lines of one interruption: its record, its hold, and its replacement.
fn interruption(dice: &mut Dice, number: u64, at: Timestamp, is_recent: bool) -> Vec<Value> {
    let Some(service) = dice.one_of(&SERVICES) else { return Vec::new() };
    let ecs_is_first = dice.below(100) < if is_recent { 40 } else { 96 };
    let id = format!("{number:032x}");
    let mut lines = vec![notice(dice, &id, service, at, ecs_is_first)];
    if service.balancer == Some(BalancerKind::Network) {
        lines.push(hold(&id, 31_000 + dice.below(14_000)));
    }
    let is_short = dice.below(25) == 0;
    let gap = if is_short { 600 + dice.below(1800) } else { 35 + dice.below(45) };
    if is_short {
        lines.push(placement_failure(&id, service.name, after(at, 60_000)));
    }
    let provider = if is_short { "FARGATE" } else { "FARGATE_SPOT" };
    lines.push(start(&format!("{id}-next"), service.name, after(at, 2000), gap, provider));
    lines
}

fn task(id: &str) -> String {
    format!("arn:aws:ecs:{REGION}:{ACCOUNT}:task/shop/{id}")
}

fn cluster() -> String {
    format!("arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/shop")
}

fn group(service: &DemoService) -> String {
    format!("arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{}/6d0ecf831eec9f09", service.name)
}

fn notice(dice: &mut Dice, id: &str, service: &DemoService, at: Timestamp, ecs_is_first: bool) -> Value {
    let age = 180 + dice.below(500);
    let zone = dice.one_of(&["a", "b", "b", "c"]).copied().unwrap_or("a");
    let slow = if dice.below(40) == 0 { 3000 } else { 400 };
    let took = age + 30 + dice.below(slow);
    let first = match (service.balancer, ecs_is_first) {
        (None, _) => "unknown",
        (_, true) => "ecs",
        (_, false) => "spotdrain",
    };
    let ran = 900 + dice.below(400_000);
    let record = json!({
        "schema": RECORD_SCHEMA, "message_id": id, "event_id": id, "task": task(id), "cluster": cluster(), "service": service.name,
        "last_status": "RUNNING", "desired_status": "STOPPED", "stop_code": "SpotInterruption",
        "stopped_reason": "Your Spot Task was interrupted.", "version": 4, "capacity_provider": "FARGATE_SPOT",
        "availability_zone": format!("{REGION}{zone}"), "cpu": service.cpu, "memory": service.memory,
        "architecture": service.architecture, "addresses": ["10.0.2.21"], "recognised_by": "stop_code", "interrupted_at": at,
        "deadline": after(at, 120_000), "notice_age_ms": age, "first": first, "stop_code_form": "known", "ran_seconds": ran,
        "mode": "enforce", "failure": null,
        "no_target_group": service.balancer.is_none().then_some("NoLoadBalancer"), "registrations": registrations(service, at, took, ecs_is_first)
    });
    json!({ "timestamp": after(at, took), "level": "INFO", "message": "notice", "record": record })
}

fn registrations(service: &DemoService, at: Timestamp, took: u64, ecs_is_first: bool) -> Value {
    if service.balancer.is_none() {
        return json!([]);
    }
    let (state, outcome) = if ecs_is_first { ("draining", "AlreadyDraining") } else { ("healthy", "Deregistered") };
    json!([{
        "target_group": group(service), "target": "10.0.2.21", "port": 8080, "state": state, "outcome": outcome,
        "outcome_at": after(at, took), "notice_to_deregistered_ms": (!ecs_is_first).then_some(took)
    }])
}

fn hold(id: &str, last_new: u64) -> Value {
    json!({
        "program": "spotdrain-hold", "step": "exited", "task": task(id), "code": 0, "after_ms": last_new + 10_500,
        "established": 0, "new": last_new / 400, "last_new_after_ms": last_new, "new_after_forward": 0
    })
}

fn placement_failure(id: &str, service: &str, at: Timestamp) -> Value {
    json!({
        "id": id, "detail-type": "ECS Service Action", "source": "aws.ecs", "time": at,
        "resources": [format!("arn:aws:ecs:{REGION}:{ACCOUNT}:service/shop/{service}")],
        "detail": {
            "eventName": "SERVICE_TASK_PLACEMENT_FAILURE", "clusterArn": cluster(), "reason": "RESOURCE:FARGATE",
            "capacityProviderArns": [format!("arn:aws:ecs:{REGION}:{ACCOUNT}:capacity-provider/FARGATE_SPOT")]
        }
    })
}

fn start(id: &str, service: &str, created: Timestamp, gap: u64, provider: &str) -> Value {
    json!({
        "id": id, "detail-type": "ECS Task State Change", "source": "aws.ecs", "time": created,
        "detail": {
            "clusterArn": cluster(), "taskArn": task(id), "group": format!("service:{service}"), "lastStatus": "RUNNING",
            "createdAt": created, "startedAt": after(created, gap * 1000), "capacityProviderName": provider
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use spotdrain_core::history::{Summary, summarize};

    fn summary() -> Summary {
        let now = "2026-11-27T12:00:00Z".parse().unwrap();
        let mut query =
            HistoryQuery { is_synthetic: true, ..HistoryQuery::new(now, SignedDuration::from_hours(30 * 24)) };
        let mut history = History::default();
        add(&mut history, &mut query);
        summarize(history, &query)
    }

    #[test]
    fn every_line_is_read_and_every_part_of_the_report_is_filled() {
        let summary = summary();
        let lines = &summary.lines;
        assert_eq!((lines.other, lines.unreadable, lines.newer_schema), (0, 0, 0), "{lines:?}");
        assert!(summary.synthetic && summary.interruptions > 100, "{}", summary.interruptions);
        assert!(summary.trend.unwrap().ecs_share_fell_by_half);
        assert!(summary.sweeps.len() == 5 && summary.by_zone.len() == 3 && summary.by_service.len() == 3);
        assert_eq!(summary.holds.unwrap().by_load_balancer[0].load_balancer, "NLB");
        let replacements = summary.replacements.unwrap();
        assert!(replacements.seconds.is_some() && !replacements.placement_failures.is_empty());
    }

    #[test]
    fn it_is_the_same_every_time() {
        assert_eq!(summary(), summary());
    }
}

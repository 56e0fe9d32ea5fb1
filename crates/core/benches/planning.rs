//! How long do the pure decisions take? One event, and a batch of a thousand: from bytes to a plan.
//!
//! The aims: one event under 50 µs, a thousand of one batch under 20 ms.
#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    clippy::cast_precision_loss,
    reason = "a bench prints, and indexes JSON"
)]

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use serde_json::{Value, json};
use spotdrain_core::model::arn::TargetGroupArn;
use spotdrain_core::model::observed::{
    GroupObservation, RegisteredTarget, Service, ServiceGroup, ServiceObservation, TargetId, TargetState,
};
use spotdrain_core::plan::last_healthy::StoppingTasks;
use spotdrain_core::plan::target_groups::{Configured, LocatedNotice};
use spotdrain_core::plan::{GroupPlan, Look, PlanInput, plan};
use spotdrain_core::read::batch::parse_payload;
use spotdrain_core::read::classify::{ClassifiedBatch, classify_batch};
use spotdrain_core::read::memory::Memory;
use spotdrain_core::settings::Settings;

const SAMPLE: &str = include_str!("../../../events/spot-interruption.json");
const GROUP: &str = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/demo-5044/6d0ecf831eec9f09";

fn address(number: usize) -> String {
    format!("10.1.{}.{}", number / 250, number % 250 + 1)
}

fn event(number: usize) -> String {
    let mut event: Value = serde_json::from_str(SAMPLE).unwrap_or_default();
    event["detail"]["taskArn"] = format!("arn:aws:ecs:eu-central-1:123456789012:task/demo/{number:032x}").into();
    event["detail"]["attachments"][0]["details"][4]["value"] = address(number).into();
    event["detail"]["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] = address(number).into();
    event.to_string()
}

fn batch(size: usize) -> Vec<u8> {
    let record = |number| json!({"messageId": format!("m{number}"), "body": event(number), "eventSource": "aws:sqs"});
    json!({"Records": (0..size).map(record).collect::<Vec<_>>()}).to_string().into_bytes()
}

fn reading(payload: &[u8], settings: &Settings) -> ClassifiedBatch {
    let batch = parse_payload(payload, &settings.event_sources);
    batch
        .map(|batch| classify_batch(batch.messages, settings, &mut Memory::new(), Timestamp::UNIX_EPOCH))
        .unwrap_or_default()
}

/// What AWS would say: one group of a thousand healthy targets.
fn look() -> Look {
    let target = |number| {
        let address: std::net::IpAddr = address(number).parse().ok()?;
        let as_read = TargetId { id: address.to_string(), zone: None };
        Some(RegisteredTarget { as_read, address, port: 5044, check_port: Some(5044), state: TargetState::Healthy })
    };
    let group = GroupObservation::Found((0..1001).filter_map(target).collect());
    Look { group, tasks: BTreeMap::new(), stopping: StoppingTasks::Known(BTreeMap::new()) }
}

fn decide(payload: &[u8], group: &TargetGroupArn, look: &Look, settings: &Settings, now: Timestamp) -> GroupPlan {
    let service = Service { groups: vec![ServiceGroup { arn: group.clone(), port: Some(5044) }], ..Service::default() };
    let (service, configured) = (ServiceObservation::Found(service), Configured::default());
    let located = |received| LocatedNotice::new(received, settings, Some(&service), &configured, now).ok();
    let notices: Vec<_> = reading(payload, settings).notices.into_iter().filter_map(located).collect();
    let memory = &Memory::new();
    plan(&notices.iter().collect::<Vec<_>>(), &PlanInput { group, look, memory, settings, now })
}

fn bench(criterion: &mut Criterion) {
    let (settings, look) = (Settings::default(), look());
    let Ok(group) = TargetGroupArn::parse(GROUP) else {
        return;
    };
    for (name, payload) in [("one event", event(0).into_bytes()), ("a batch of 1,000 events", batch(1000))] {
        let reading = reading(&payload, &settings);
        let Some(now) = reading.notices.first().map(|one| one.notice.interrupted_at()) else {
            return;
        };
        criterion.bench_function(&format!("read and plan {name}"), |bencher| {
            bencher.iter(|| decide(black_box(&payload), &group, &look, &settings, now));
        });
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);

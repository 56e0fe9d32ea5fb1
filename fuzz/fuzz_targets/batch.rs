//! Any texts as the bodies of an SQS batch, with good events among them: each message is read as if it were alone, and
//! each id is reported exactly once.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use arbitrary::Arbitrary;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use spotdrain_core::read::batch::{Batch, Delivery, parse_payload};
use spotdrain_core::read::memory::Memory;
use spotdrain_core::read::classify::classify_batch;
use spotdrain_core::settings::Settings;

const GOOD: [&str; 3] = [
    include_str!("../../events/spot-interruption.json"),
    include_str!("../../events/scale-in.json"),
    include_str!("../../events/dual-stack.json"),
];

static SETTINGS: LazyLock<Settings> = LazyLock::new(Settings::default);

#[derive(Debug, Arbitrary)]
enum Body {
    /// One of the samples.
    Good(u8),
    /// A sample with a part of it replaced: almost valid input is the hardest to read.
    Changed { sample: u8, at: u16, length: u8, text: String },
    /// Any text.
    Any(String),
    /// A body that is not text, which SQS never sends.
    Number(i64),
    /// No body at all.
    Absent,
}

impl Body {
    fn value(&self) -> Option<Value> {
        match self {
            Self::Good(sample) => Some(good(*sample).into()),
            Self::Changed { sample, at, length, text } => {
                let sample = good(*sample);
                let at = usize::from(*at) % sample.len();
                let end = (at + usize::from(*length)).min(sample.len());
                // A cut through the middle of a character is not text.
                Some(match (sample.get(..at), sample.get(end..)) {
                    (Some(before), Some(after)) => format!("{before}{text}{after}").into(),
                    _ => text.as_str().into(),
                })
            }
            Self::Any(text) => Some(text.as_str().into()),
            Self::Number(number) => Some((*number).into()),
            Self::Absent => None,
        }
    }
}

fn good(sample: u8) -> &'static str {
    GOOD[usize::from(sample) % GOOD.len()]
}

fn record(index: usize, body: &Body) -> Value {
    let mut record = json!({"messageId": format!("m{index}"), "receiptHandle": "r", "eventSource": "aws:sqs"});
    if let Some(body) = body.value() {
        record["body"] = body;
    }
    record
}

fn of(records: &[Value]) -> Batch {
    let payload = json!({ "Records": records }).to_string();
    parse_payload(payload.as_bytes(), &SETTINGS.event_sources).expect("every message has an id")
}

fuzz_target!(|bodies: Vec<Body>| {
    let records: Vec<_> = bodies.iter().enumerate().map(|(index, body)| record(index, body)).collect();
    let batch = of(&records);
    assert_eq!(batch.delivery, Delivery::Queue);
    assert_eq!(batch.messages.len(), bodies.len());
    for ((record, body), message) in records.iter().zip(&bodies).zip(&batch.messages) {
        let alone = of(std::slice::from_ref(record)).messages.remove(0);
        assert_eq!(message.id, alone.id);
        match (&message.event, &alone.event) {
            (Ok(event), Ok(alone)) => assert_eq!(event, alone),
            // The paths differ by the position in the batch; the problem is the same.
            (Err(error), Err(alone)) => assert_eq!(error.problem, alone.problem),
            (event, alone) => panic!("{event:?} in the batch, {alone:?} alone"),
        }
        assert!(message.event.is_ok() || !matches!(body, Body::Good(_)), "a good message is unreadable: {message:?}");
    }
    let mut places: BTreeMap<_, usize> = batch.messages.iter().map(|message| (message.id.clone(), 0)).collect();
    let messages = batch.messages.len();
    let reading = classify_batch(batch.messages, &SETTINGS, &mut Memory::new(), Timestamp::UNIX_EPOCH);
    let notices = reading.notices.iter().map(|received| &received.message_id);
    for id in notices.chain(reading.malformed.iter().map(|malformed| &malformed.message_id)) {
        *places.get_mut(id).expect("only delivered messages are reported") += 1;
    }
    assert!(places.values().all(|count| *count <= 1), "{places:?}");
    assert_eq!(reading.notices.len() + reading.ignored.len() + reading.malformed.len(), messages);
});

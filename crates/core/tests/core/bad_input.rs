//! Any bytes: never a panic, never a silent success.
//!
//! A sample of a notice is changed in one place, in every way that JSON allows. What comes out must be an error, or the
//! same notice, or an event that is ignored for what the change itself says: never a notice for something else.

use std::net::IpAddr;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use spotdrain_core::read::batch::{Batch, parse_payload};
use spotdrain_core::read::classify::{ClassifiedBatch, classify_batch};
use spotdrain_core::read::json::EventError;
use spotdrain_core::read::memory::Memory;
use spotdrain_core::settings::Settings;

const SAMPLES: [&str; 6] = [
    include_str!("../../../../events/spot-interruption.json"),
    include_str!("../../../../events/eni-not-first.json"),
    include_str!("../../../../events/three-containers.json"),
    include_str!("../../../../events/dual-stack.json"),
    include_str!("../../../../events/old-task-arn.json"),
    include_str!("../../../../events/new-stop-code.json"),
];

fn take(payload: &[u8]) -> Result<Batch, EventError> {
    parse_payload(payload, &Settings::default().event_sources)
}

fn reading(payload: &[u8]) -> Option<ClassifiedBatch> {
    Some(classify_batch(take(payload).ok()?.messages, &Settings::default(), &mut Memory::new(), Timestamp::UNIX_EPOCH))
}

/// Every place of a value, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, inner)| places(inner, &format!("{at}/{}", name.replace('/', "~1")), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, inner)| places(inner, &format!("{at}/{index}"), found));
        }
        _ => {}
    }
}

fn replacement() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
        Just(json!([[]])),
        Just(json!([null])),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "[0-9.:a-f]{1,20}".prop_map(Value::from),
        "arn:aws:[a-z]{1,8}:[a-z0-9-]{0,12}:[0-9]{11,12}:[a-z/]{1,20}".prop_map(Value::from),
    ]
}

/// The places that may be changed to something else of their type and still leave the notice one.
const READ: [&str; 12] = [
    "/account",
    "/detail/clusterArn",
    "/detail/containers",
    "/detail/attachments",
    "/detail/desiredStatus",
    "/detail/lastStatus",
    "/detail/stopCode",
    "/detail/stoppingAt",
    "/detail/taskArn",
    "/detail/version",
    "/region",
    "/time",
];

fn addresses(event: &Value) -> Vec<IpAddr> {
    let reading = reading(event.to_string().as_bytes()).unwrap();
    reading.notices[0].notice.task.addresses.clone()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn any_bytes_are_an_error_or_an_event(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(batch) = take(&bytes) {
            prop_assert!(batch.messages.iter().all(|message| message.event.is_err()));
        }
    }

    #[test]
    fn a_sample_cut_anywhere_is_an_error(sample in prop::sample::select(&SAMPLES), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(sample.trim_end().len());
        let is_read = take(&sample.as_bytes()[..cut]).is_ok_and(|batch| batch.messages.iter().any(|m| m.event.is_ok()));
        prop_assert!(!is_read, "read to byte {cut}");
    }

    #[test]
    fn a_sample_with_one_place_changed_is_the_notice_an_error_or_ignored(
        sample in prop::sample::select(&SAMPLES),
        place in any::<prop::sample::Index>(),
        value in replacement(),
    ) {
        let original: Value = serde_json::from_str(sample).unwrap();
        let mut found = Vec::new();
        places(&original, "", &mut found);
        let pointer = place.get(&found).clone();
        let mut changed = original.clone();
        *changed.pointer_mut(&pointer).unwrap() = value.clone();
        let Some(reading) = reading(changed.to_string().as_bytes()) else { return Ok(()) };
        prop_assert_eq!(reading.notices.len() + reading.ignored.len() + reading.malformed.len(), 1);
        if let Some(error) = reading.malformed.first() {
            prop_assert!(!error.error.path.is_empty() && !error.error.problem.is_empty());
        }
        let is_read = pointer.is_empty() || READ.iter().any(|read| pointer.starts_with(read) || read.starts_with(&pointer));
        if let Some(received) = reading.notices.first() {
            let expected = addresses(&original);
            let known = received.notice.task.addresses.iter().all(|address| expected.contains(address));
            prop_assert!(known || value.as_str().is_some_and(|text| text.parse::<IpAddr>().is_ok()), "{pointer} = {value}");
        } else if !is_read {
            let envelope = ["/source", "/detail-type", "/id", "/detail/stoppedReason", "/detail/group", "/detail/capacityProviderName"];
            prop_assert!(envelope.contains(&pointer.as_str()), "{pointer} = {value} lost the notice");
        }
    }
}

/// The places whose type is read, in the first sample.
const TYPED: [&str; 25] = [
    "",
    "/id",
    "/source",
    "/detail-type",
    "/account",
    "/region",
    "/time",
    "/detail",
    "/detail/taskArn",
    "/detail/clusterArn",
    "/detail/lastStatus",
    "/detail/desiredStatus",
    "/detail/group",
    "/detail/attachments",
    "/detail/attachments/0",
    "/detail/attachments/0/type",
    "/detail/attachments/0/details",
    "/detail/attachments/0/details/4",
    "/detail/attachments/0/details/4/name",
    "/detail/attachments/0/details/4/value",
    "/detail/containers",
    "/detail/containers/0",
    "/detail/containers/0/networkInterfaces",
    "/detail/containers/0/networkInterfaces/0",
    "/detail/containers/0/networkInterfaces/0/privateIpv4Address",
];

fn is_refused(payload: &[u8]) -> bool {
    take(payload).map_or(true, |batch| batch.messages.iter().all(|message| message.event.is_err()))
}

/// Wherever the type at a place that is read changes, the event is refused: it is never read as less than it is.
#[test]
fn another_type_at_a_place_that_is_read_is_refused() {
    let original: Value = serde_json::from_str(SAMPLES[0]).unwrap();
    let mut tried = 0;
    for pointer in TYPED {
        for value in [json!(true), json!(1.5), json!({}), json!([[]]), json!("x")] {
            let mut event = original.clone();
            let place = event.pointer_mut(pointer).unwrap();
            // An array in the containers' array is none of them, and of the same type as they.
            let same_type = std::mem::discriminant(&*place) == std::mem::discriminant(&value);
            if same_type && pointer != "/detail/containers" {
                continue;
            }
            *place = value.clone();
            assert!(is_refused(event.to_string().as_bytes()), "{pointer} = {value}");
            tried += 1;
        }
    }
    assert!(tried >= 4 * TYPED.len(), "{tried}");
}

/// A field that the notice does not need to be acted on safely costs a warning, and never the notice or an address.
#[test]
fn another_type_at_a_place_that_is_not_needed_is_a_warning() {
    let original: Value = serde_json::from_str(SAMPLES[0]).unwrap();
    for name in ["stopCode", "stoppedReason", "stoppingAt", "version", "capacityProviderName"] {
        for value in [json!(true), json!(1.5), json!({}), json!([[]])] {
            let mut event = original.clone();
            event["detail"][name] = value.clone();
            let reading = reading(event.to_string().as_bytes()).unwrap();
            let task = &reading.notices[0].notice.task;
            assert_eq!((task.warnings.len(), task.addresses.len()), (1, 1), "{name} = {value}");
            assert!(task.warnings[0].starts_with(&format!("detail.{name}: expected ")), "{}", task.warnings[0]);
        }
    }
}

#[test]
fn ten_thousand_containers_are_read_and_no_address_is_lost() {
    let mut event: Value = serde_json::from_str(SAMPLES[0]).unwrap();
    let container = event["detail"]["containers"][0].clone();
    let containers = (0..10_000_u32).map(|number| {
        let mut container = container.clone();
        let address = std::net::Ipv4Addr::from(0x0a01_0000 + number % 500).to_string();
        container["networkInterfaces"][0]["privateIpv4Address"] = address.into();
        container
    });
    event["detail"]["containers"] = containers.collect();
    assert_eq!(addresses(&event).len(), 501);
}

#[test]
fn what_is_nested_very_deep_overflows_nothing() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(is_refused(deep.as_bytes()));
    let unread = SAMPLES[0].replace("\"version\": \"0\"", &format!("\"unread\": {deep}"));
    assert_eq!(reading(unread.as_bytes()).unwrap().notices.len(), 1, "a field that is not read is passed over");
    let read = SAMPLES[0].replace("\"group\": \"service:logstash\"", &format!("\"group\": {deep}"));
    assert_ne!(read, SAMPLES[0]);
    assert_eq!(reading(read.as_bytes()).unwrap().malformed.len(), 1);
}

#[test]
fn a_null_is_as_if_it_were_not_there_where_a_field_may_be_absent() {
    let mut event: Value = serde_json::from_str(SAMPLES[0]).unwrap();
    for pointer in ["stopCode", "stoppingAt", "version", "group", "attachments", "capacityProviderName"] {
        event["detail"][pointer] = Value::Null;
    }
    let reading = reading(event.to_string().as_bytes()).unwrap();
    let change = &reading.notices[0].notice.task;
    assert_eq!((&change.stop_code, change.version, &change.service), (&None, None, &None));
    assert_eq!(change.addresses.len(), 1, "the container still has it");
}

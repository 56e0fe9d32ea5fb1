//! Any bytes as the payload of an invocation: no panic, and every message is accounted for once.
#![no_main]

use std::sync::LazyLock;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use spotdrain_core::read::batch::{Delivery, parse_payload};
use spotdrain_core::read::memory::Memory;
use spotdrain_core::read::classify::{ReceivedNotice, classify_batch};
use spotdrain_core::settings::Settings;

static SETTINGS: LazyLock<Settings> = LazyLock::new(Settings::default);

fuzz_target!(|payload: &[u8]| {
    let batch = match parse_payload(payload, &SETTINGS.event_sources) {
        Ok(batch) => batch,
        Err(error) => {
            assert!(!error.path.is_empty() && !error.problem.is_empty(), "{error:?}");
            return;
        }
    };
    assert!(batch.delivery == Delivery::Queue || !batch.messages.is_empty());
    for message in &batch.messages {
        assert_eq!(message.id.is_some(), batch.delivery == Delivery::Queue);
        if let Err(error) = &message.event {
            assert!(!error.path.is_empty() && !error.problem.is_empty(), "{error:?}");
        }
    }
    let messages = batch.messages.len();
    let mut memory = Memory::new();
    let reading = classify_batch(batch.messages, &SETTINGS, &mut memory, Timestamp::UNIX_EPOCH);
    assert_eq!(reading.notices.len() + reading.ignored.len() + reading.malformed.len(), messages);
    let has_run = |received: &ReceivedNotice| !received.notice.task.last_status.is_before_running();
    assert!(reading.notices.iter().all(|one| !one.notice.needs_address() || has_run(one)), "nothing to act on");
});

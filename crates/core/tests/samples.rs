//! Every file of `events/` is read, and what is read from it is a snapshot that a person can check.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test stops where something is not as it should be"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use spotdrain_core::batch::{Message, take_apart};
use spotdrain_core::event::Event;
use spotdrain_core::memory::Memory;
use spotdrain_core::notice::{Fate, Ignored, judge};
use spotdrain_core::settings::Settings;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events").join(name)
}

fn files(name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(name)).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.is_file()).collect();
    files.sort();
    files
}

fn tell(event: &Event, settings: &Settings) -> String {
    let fate = judge(event, settings, &Memory::new());
    let mut text = match fate {
        Fate::Notice(notice) => format!("notice, recognised by {:?}", notice.recognised_by),
        Fate::Ignored(reason) => format!("ignored: {}", reason.as_str()),
    };
    write!(text, "\nid {}\nfrom {}: {}", event.id, event.source, event.detail_type).unwrap();
    if let Some(change) = &event.change {
        write!(text, "\n{change:#?}").unwrap();
    }
    text
}

fn tell_message(message: &Message, settings: &Settings) -> String {
    let id = message.id.as_ref().map(|id| format!("message {id}\n")).unwrap_or_default();
    match &message.event {
        Ok(event) => format!("{id}{}", tell(event, settings)),
        Err(error) => format!("{id}malformed {error}"),
    }
}

fn tell_file(bytes: &[u8]) -> String {
    let settings = Settings::default();
    match take_apart(bytes, &settings.event_sources) {
        Err(error) => format!("malformed {error}"),
        Ok(batch) if batch.messages.is_empty() => "no message".to_owned(),
        Ok(batch) => {
            let told: Vec<_> = batch.messages.iter().map(|message| tell_message(message, &settings)).collect();
            told.join("\n\n")
        }
    }
}

#[test]
fn every_sample_reads_as_its_snapshot() {
    for (folder, least) in [("", 25), ("malformed", 10)] {
        let files = files(folder);
        assert!(files.len() >= least, "only {} samples in events/{folder}", files.len());
        for path in files {
            let stem = path.file_stem().unwrap().to_string_lossy();
            let name = if folder.is_empty() { stem.into_owned() } else { format!("{folder}_{stem}") };
            insta::assert_snapshot!(name, tell_file(&fs::read(&path).unwrap()));
        }
    }
}

fn sample(name: &str) -> Event {
    let bytes = fs::read(folder("").join(name)).unwrap();
    take_apart(&bytes, &Settings::default().event_sources).unwrap().messages.remove(0).event.unwrap()
}

#[test]
fn another_cluster_than_those_in_scope_is_ignored() {
    let settings = Settings::read([("SPOTDRAIN_CLUSTERS", "demo")]).unwrap();
    let fate = judge(&sample("other-cluster.json"), &settings, &Memory::new());
    assert_eq!(fate, Fate::Ignored(Ignored::OutOfScope));
    assert!(matches!(judge(&sample("spot-interruption.json"), &settings, &Memory::new()), Fate::Notice(_)));
}

#[test]
fn a_task_handled_to_the_end_is_a_repeat_until_its_version_rises() {
    let first = sample("spot-interruption.json");
    let change = first.change.as_ref().unwrap();
    let mut memory = Memory::new();
    memory.remember(&change.arn, change.version);
    let settings = Settings::default();
    assert_eq!(judge(&sample("repeated.json"), &settings, &memory), Fate::Ignored(Ignored::Repeated));
    assert!(matches!(judge(&sample("deactivating.json"), &settings, &memory), Fate::Notice(_)), "a later version");
}

#[test]
fn a_drills_source_counts_once_it_is_configured() {
    let settings = Settings::read([("SPOTDRAIN_EVENT_SOURCES", "aws.ecs,spotdrain.drill")]).unwrap();
    let bytes = fs::read(folder("").join("drill-source.json")).unwrap();
    let batch = take_apart(&bytes, &settings.event_sources).unwrap();
    let event = batch.messages[0].event.as_ref().unwrap();
    assert!(matches!(judge(event, &settings, &Memory::new()), Fate::Notice(_)));
}

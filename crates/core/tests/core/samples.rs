//! Every file of `events/` is read, and what is read from it is a snapshot that a person can check.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use spotdrain_core::model::notice::Ignored;
use spotdrain_core::read::batch::parse_payload;
use spotdrain_core::read::classify::{Classification, Classified, classify, classify_event};
use spotdrain_core::read::event::Event;
use spotdrain_core::read::json::EventError;
use spotdrain_core::read::memory::Memory;
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

fn render(event: &Event, fate: &Classification) -> String {
    let mut text = match fate {
        Classification::Notice(notice) => format!("notice, recognised by {:?}", notice.recognised_by),
        Classification::Ignored(reason) => format!("ignored: {}", reason.as_str()),
    };
    write!(text, "\nid {}\nfrom {}: {}", event.id, event.source, event.detail_type).unwrap();
    if let Some(change) = &event.change {
        write!(text, "\n{change:#?}").unwrap();
    }
    text
}

fn render_message(message: &Classified) -> String {
    let id = message.message_id.as_ref().map(|id| format!("message {id}\n")).unwrap_or_default();
    match &message.event {
        Ok((event, fate)) => format!("{id}{}", render(event, fate)),
        Err(error) => format!("{id}malformed {error}"),
    }
}

/// The messages of a file, classified as the function does it.
fn classified(bytes: &[u8]) -> Result<Vec<Classified>, EventError> {
    let settings = Settings::default();
    let batch = parse_payload(bytes, &settings.event_sources)?;
    Ok(classify(batch.messages, &settings, &mut Memory::new(), Timestamp::UNIX_EPOCH))
}

fn render_file(bytes: &[u8]) -> String {
    match classified(bytes) {
        Err(error) => format!("malformed {error}"),
        Ok(messages) if messages.is_empty() => "no message".to_owned(),
        Ok(messages) => messages.iter().map(render_message).collect::<Vec<_>>().join("\n\n"),
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
            insta::assert_snapshot!(name, render_file(&fs::read(&path).unwrap()));
        }
    }
}

/// `spotdrain explain` ends with an error for exactly the files of `malformed`.
#[test]
fn exactly_the_malformed_samples_have_an_error() {
    for (name, is_malformed) in [("", false), ("malformed", true)] {
        for path in files(name) {
            let read = classified(&fs::read(&path).unwrap());
            let has_error = read.map_or(true, |messages| messages.iter().any(|message| message.event.is_err()));
            assert_eq!(has_error, is_malformed, "{}", path.display());
        }
    }
}

fn sample(name: &str) -> Event {
    let bytes = fs::read(folder("").join(name)).unwrap();
    parse_payload(&bytes, &Settings::default().event_sources).unwrap().messages.remove(0).event.unwrap()
}

#[test]
fn another_cluster_than_those_in_scope_is_ignored() {
    let settings = Settings::read([("SPOTDRAIN_CLUSTERS", "demo")]).unwrap();
    let fate = classify_event(&sample("other-cluster.json"), &settings, &Memory::new());
    assert_eq!(fate, Classification::Ignored(Ignored::OutOfScope));
    assert!(matches!(
        classify_event(&sample("spot-interruption.json"), &settings, &Memory::new()),
        Classification::Notice(_)
    ));
}

#[test]
fn a_task_handled_to_the_end_is_a_repeat_until_its_version_rises() {
    let first = sample("spot-interruption.json");
    let change = first.change.as_ref().unwrap();
    let mut memory = Memory::new();
    memory.remember(&change.arn, change.version);
    let settings = Settings::default();
    assert_eq!(
        classify_event(&sample("repeated.json"), &settings, &memory),
        Classification::Ignored(Ignored::Repeated)
    );
    assert!(
        matches!(classify_event(&sample("deactivating.json"), &settings, &memory), Classification::Notice(_)),
        "a later version"
    );
}

#[test]
fn a_drills_source_counts_once_it_is_configured() {
    let settings = Settings::read([("SPOTDRAIN_EVENT_SOURCES", "aws.ecs,spotdrain.drill")]).unwrap();
    let bytes = fs::read(folder("").join("drill-source.json")).unwrap();
    let batch = parse_payload(&bytes, &settings.event_sources).unwrap();
    let event = batch.messages[0].event.as_ref().unwrap();
    assert!(matches!(classify_event(event, &settings, &Memory::new()), Classification::Notice(_)));
}

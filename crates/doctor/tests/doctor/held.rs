//! The example with the hold has nothing that the doctor finds; with one fault in it, it has exactly that.

use std::path::Path;

use spotdrain_doctor::template::{Templates, read};
use spotdrain_doctor::{Diagnosis, examine};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/example/template.yaml");

/// The example with the hold, and one text in it replaced.
fn diagnosis(from: &str, to: &str) -> Diagnosis {
    let load = |path: &Path| {
        let text = std::fs::read_to_string(path)?;
        assert!(!path.ends_with("example/template.yaml") || text.contains(from), "{from}");
        Ok(text.replace(from, to))
    };
    let parameters = [("Hold", "with"), ("Image", "logstash-with-hold"), ("Mode", "enforce")];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    examine(&read(&Templates::of(Path::new(EXAMPLE), parameters), &load).unwrap())
}

fn ids(diagnosis: &Diagnosis) -> Vec<&str> {
    let ids = diagnosis.findings.iter().map(|finding| finding.check.id);
    // The forecast is of all settings together, and tested by itself.
    ids.filter(|id| *id != "SD057").collect()
}

#[test]
fn nothing_is_found_and_a_minute_after_the_notice_no_connection_comes() {
    let diagnosis = diagnosis("WithHold", "WithHold");
    assert_eq!((ids(&diagnosis), diagnosis.not_checked.as_slice()), (vec![], [].as_slice()));
    let [forecast] = diagnosis.forecasts.as_slice() else { panic!("{:?}", diagnosis.forecasts) };
    assert!(forecast.function && forecast.hold);
    assert_eq!((forecast.now.last_new_connection_seconds, forecast.now.refused_seconds), (60, 0));
}

#[test]
fn each_fault_is_exactly_its_finding() {
    let table = [
        ("!If [WithHold, \"8081\", traffic-port]", "traffic-port", "SD011"),
        (
            "Name: SPOTDRAIN_HOLD_STOP_TIMEOUT, Value: \"120\"",
            "Name: SPOTDRAIN_HOLD_STOP_TIMEOUT, Value: \"60\"",
            "SD011",
        ),
        (
            "unhealthy.connection_termination.enabled, Value: \"false\"",
            "unhealthy.connection_termination.enabled, Value: \"true\"",
            "SD015",
        ),
        ("!If [WithHold, hold, \"on\"]", "\"on\"", "SD034"),
        ("!If [WithHold, hold, \"on\"]", "\"off\"", "SD029"),
    ];
    for (from, to, id) in table {
        assert_eq!(ids(&diagnosis(from, to)), [id], "{from} -> {to}");
    }
}

/// If the image's own entry point is not in the template, the tag and the other port show that there is a hold.
#[test]
fn a_hold_that_only_the_image_knows_is_seen_by_the_tag() {
    let diagnosis = diagnosis("SPOTDRAIN_HOLD_", "OTHER_");
    assert_eq!((ids(&diagnosis), diagnosis.not_checked.as_slice()), (vec![], [].as_slice()));
    assert!(diagnosis.forecasts.iter().all(|forecast| forecast.hold));
}

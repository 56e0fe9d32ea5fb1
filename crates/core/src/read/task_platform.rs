//! Reads where a task runs, and on what, from the detail of its event.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::task_platform::TaskPlatform;
use crate::read::json::{EventError, TaskDetail};
use crate::read::loose::{FieldWarnings, loose_number, loose_text, loose_time};

const ARCHITECTURE: &str = "ecs.cpu-architecture";
const LEFT_OUT: &str = "left out";

#[derive(Debug, Deserialize)]
struct Attribute<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    value: Option<Cow<'a, str>>,
}

pub(crate) fn task_platform(detail: &TaskDetail<'_>, warnings: &mut FieldWarnings) -> TaskPlatform {
    let text = |warnings: &mut FieldWarnings, raw, path| warnings.or_without(loose_text(raw, path), LEFT_OUT);
    TaskPlatform {
        availability_zone: text(warnings, detail.availability_zone, "detail.availabilityZone"),
        cpu: warnings.or_without(loose_number(detail.cpu, "detail.cpu"), LEFT_OUT),
        memory: warnings.or_without(loose_number(detail.memory, "detail.memory"), LEFT_OUT),
        architecture: warnings.or_without(architecture(detail.attributes), LEFT_OUT),
        platform_version: text(warnings, detail.platform_version, "detail.platformVersion"),
        platform_family: text(warnings, detail.platform_family, "detail.platformFamily"),
        started_at: warnings.or_without(loose_time(detail.started_at, "detail.startedAt"), LEFT_OUT),
    }
}

fn architecture(raw: Option<&RawValue>) -> Result<Option<String>, EventError> {
    let Some(raw) = raw.map(RawValue::get) else { return Ok(None) };
    let attributes: Vec<Attribute<'_>> = serde_json::from_str(raw)
        .map_err(|_| EventError::new("detail.attributes", "a list of names and values", raw))?;
    let found = attributes.into_iter().find(|attribute| attribute.name.as_deref() == Some(ARCHITECTURE));
    Ok(found.and_then(|attribute| attribute.value).map(Cow::into_owned))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::model::task_change::TaskChange;
    use crate::model::task_platform::TaskPlatform;
    use crate::read::event::read_event;

    fn with(name: &str, value: Value) -> TaskChange {
        let mut event: Value = serde_json::from_str(include_str!("../../../../events/spot-interruption.json")).unwrap();
        event["detail"][name] = value;
        read_event(&event.to_string(), &["aws.ecs".to_owned()]).unwrap().change.unwrap()
    }

    fn sample() -> TaskPlatform {
        TaskPlatform {
            availability_zone: Some("eu-central-1b".to_owned()),
            cpu: Some(512),
            memory: Some(1024),
            architecture: Some("x86_64".to_owned()),
            platform_version: Some("1.4.0".to_owned()),
            platform_family: Some("Linux".to_owned()),
            started_at: Some("2026-03-14T07:11:21.771Z".parse().unwrap()),
        }
    }

    #[test]
    fn the_platform_of_the_sample_is_read() {
        assert_eq!(with("platformFamily", json!("Linux")).platform, sample());
    }

    #[test]
    fn a_field_that_cannot_be_read_is_left_out_with_a_warning() {
        for (name, value, found) in [
            ("availabilityZone", json!(7), "expected a string, found \"7\""),
            ("cpu", json!(".5 vCPU"), "expected a whole number, found \".5 vCPU\""),
            ("memory", json!({}), "expected a whole number, found \"{}\""),
            ("attributes", json!("x86_64"), "expected a list of names and values, found \"\\\"x86_64\\\"\""),
            ("attributes", json!([7]), "expected a list of names and values, found \"[7]\""),
            ("platformVersion", json!([]), "expected a string, found \"[]\""),
            ("platformFamily", json!(1), "expected a string, found \"1\""),
            ("startedAt", json!("yesterday"), "expected a time such as 2026-01-31T12:00:00Z, found \"yesterday\""),
        ] {
            let change = with(name, value);
            assert_eq!(change.warnings, [format!("detail.{name}: {found}: left out")]);
            assert_eq!(change.addresses.len(), 1, "the notice is still acted on");
        }
    }

    #[test]
    fn numbers_and_absent_fields_are_read_without_a_warning() {
        assert_eq!(with("cpu", json!(256)).platform.cpu, Some(256));
        for name in ["availabilityZone", "cpu", "memory", "attributes", "platformVersion", "startedAt"] {
            let change = with(name, Value::Null);
            assert_eq!(change.warnings, Vec::<String>::new(), "{name}");
            assert_ne!(change.platform, sample(), "{name}");
        }
    }

    #[test]
    fn a_task_that_started_after_its_interruption_did_not_run() {
        let platform = sample();
        let ran = |end: &str| platform.ran_seconds(end.parse().unwrap());
        assert_eq!(ran("2026-03-14T09:26:53.418Z"), Some(8131));
        assert_eq!(ran("2026-03-14T07:11:20Z"), None);
        assert_eq!(TaskPlatform::default().ran_seconds("2026-03-14T07:11:20Z".parse().unwrap()), None);
    }
}

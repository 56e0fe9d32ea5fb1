//! The stack of `deploy/example` with every combination of its parameters.

use std::collections::BTreeMap;
use std::path::Path;

use spotdrain_doctor::template::{TemplateError, Templates, read};
use spotdrain_doctor::{Diagnosis, examine};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/example/template.yaml");

const PARAMETERS: [(&str, &[&str]); 8] = [
    ("Hold", &["without", "with"]),
    ("Image", &["logstash:8.17.0", "logstash-with-hold:1"]),
    ("Measure", &["off", "on"]),
    ("Mode", &["enforce", "observe"]),
    ("Delivery", &["queue", "direct"]),
    ("Architecture", &["x86_64", "arm64"]),
    ("EventSources", &["aws.ecs", "aws.ecs,spotdrain.drill"]),
    ("AlarmTopic", &["none", "arn:aws:sns:eu-central-1:123456789012:alarms"]),
];

fn combinations() -> Vec<BTreeMap<String, String>> {
    PARAMETERS.iter().fold(vec![BTreeMap::new()], |known, (name, values)| {
        let with = |known: &BTreeMap<String, String>, value: &str| {
            let mut parameters = known.clone();
            parameters.insert((*name).to_owned(), value.to_owned());
            parameters
        };
        known.iter().flat_map(|known| values.iter().map(|value| with(known, value))).collect()
    })
}

fn diagnosis(parameters: BTreeMap<String, String>) -> Result<Diagnosis, TemplateError> {
    let templates = Templates::of(Path::new(EXAMPLE), parameters);
    Ok(examine(&read(&templates, &|path| std::fs::read_to_string(path))?))
}

#[test]
fn every_combination_of_the_examples_parameters_has_its_findings_and_is_checked() {
    let all = combinations();
    assert_eq!(all.len(), 256);
    for parameters in all {
        let is = |name: &str, value: &str| parameters.get(name).is_some_and(|set| set == value);
        let (holds, observes) = (is("Hold", "with"), is("Mode", "observe"));
        if is("Measure", "on") && !holds {
            let error = diagnosis(parameters).unwrap_err().to_string();
            assert!(error.contains("by rule MeasureWithTheHold: Measure=on needs Hold=with"), "{error}");
            continue;
        }
        if holds && is("Image", "logstash:8.17.0") {
            let error = diagnosis(parameters).unwrap_err().to_string();
            assert!(error.contains("by rule AnImageWithTheHold: Hold=with needs an Image"), "{error}");
            continue;
        }
        let mut expected = Vec::new();
        expected.extend(observes.then_some("SD031"));
        // Behind an NLB only the hold keeps new connections from being refused.
        expected.extend((!holds).then_some("SD057"));
        let diagnosis = diagnosis(parameters.clone()).unwrap();
        let ids: Vec<_> = diagnosis.findings.iter().map(|finding| finding.check.id).collect();
        assert_eq!((ids, diagnosis.not_checked.as_slice()), (expected, [].as_slice()), "{parameters:?}");
        assert_eq!(diagnosis.refused_seconds, if holds { 0 } else { 60 }, "{parameters:?}");
    }
}

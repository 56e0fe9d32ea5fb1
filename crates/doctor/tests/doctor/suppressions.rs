//! Accepted findings in templates, the filter of checks, and equal findings.

use std::collections::BTreeMap;
use std::path::Path;

use spotdrain_doctor::check::Severity;
use spotdrain_doctor::filter::CheckFilter;
use spotdrain_doctor::ignore_file::{Accepted, entry_line};
use spotdrain_doctor::sarif::sarif;
use spotdrain_doctor::template::{Templates, read};
use spotdrain_doctor::{Diagnosis, check, examine};

use crate::cases::{found, reported};

fn diagnosis(text: &str) -> Diagnosis {
    let templates = Templates::of(Path::new("t.yaml"), BTreeMap::new());
    examine(&read(&templates, &|_| Ok(text.to_owned())).unwrap())
}

/// Two services with one task each, all of them on Spot; the first one with this metadata.
fn template(metadata: &str) -> String {
    let service = |name: &str, metadata: &str| {
        format!(
            "  {name}:
    Type: AWS::ECS::Service
    {metadata}
    Properties:
      Cluster: !Ref Cluster
      CapacityProviderStrategy: [{{ CapacityProvider: FARGATE_SPOT, Weight: 1 }}]
      DesiredCount: 1
"
        )
    };
    let cluster =
        "  Cluster: { Type: AWS::ECS::Cluster, Properties: { CapacityProviders: [FARGATE, FARGATE_SPOT] } }\n";
    format!("Resources:\n{cluster}{}{}", service("A", metadata), service("B", ""))
}

#[test]
fn a_template_accepts_a_finding_of_a_resource_with_a_reason() {
    let metadata = "Metadata: { spotdrain: { ignore: [SD006, SD012], reason: a batch job } }";
    let diagnosis = diagnosis(&template(metadata));
    let accepted: Vec<_> = diagnosis.findings.iter().filter(|one| one.accepted.is_some()).collect();
    assert!(accepted.len() == 1 && accepted[0].check.id == "SD006" && accepted[0].problem.place.name == "service A");
    assert_eq!(diagnosis.stale, ["SD012 service A # a batch job"]);
    let log = sarif(&diagnosis, "0.0.0");
    let results = log["runs"][0]["results"].as_array().unwrap();
    let suppressed: Vec<_> = results.iter().filter_map(|one| one["suppressions"][0]["kind"].as_str()).collect();
    assert_eq!(suppressed, ["inSource"]);
}

#[test]
fn metadata_without_a_reason_or_with_an_unknown_check_does_not_count_and_is_reported() {
    let table = [
        ("{ ignore: [SD006] }", "has no reason, so it does not count"),
        ("{ reason: because }", "names no check"),
        ("{ ignore: [SD999], reason: because }", "names SD999, which is not a check"),
        ("{ ignore: [SD006], reason: !ImportValue x }", "its Metadata spotdrain is unknown"),
    ];
    for (metadata, expected) in table {
        let diagnosis = diagnosis(&template(&format!("Metadata: {{ spotdrain: {metadata} }}")));
        assert!(diagnosis.findings.iter().all(|one| one.accepted.is_none()));
        assert!(reported(&diagnosis).contains(expected), "{}", reported(&diagnosis));
    }
}

#[test]
fn equal_findings_are_one_group_with_several_places() {
    let diagnosis = diagnosis(&template(""));
    let groups = diagnosis.groups();
    let ids: Vec<_> = groups.iter().map(|group| (group[0].check.id, group.len())).collect();
    assert_eq!(ids, [("SD006", 2), ("SD003", 2)]);
}

#[test]
fn the_filter_leaves_out_checks_and_severities() {
    let (one_task, on_spot) = (check("SD006").unwrap(), check("SD003").unwrap());
    let all = CheckFilter { only: &[], ignore: &[], least: Severity::Note };
    let table = [
        (all, vec!["SD006 A", "SD006 B", "SD003 A", "SD003 B"], 61),
        (CheckFilter { only: &[one_task], ..all }, vec!["SD006 A", "SD006 B"], 1),
        (CheckFilter { ignore: &[one_task], ..all }, vec!["SD003 A", "SD003 B"], 60),
        (CheckFilter { only: &[one_task, on_spot], ignore: &[on_spot], ..all }, vec!["SD006 A", "SD006 B"], 1),
    ];
    for (filter, expected, checks) in table {
        let mut diagnosis = diagnosis(&template(""));
        diagnosis.retain(&filter);
        assert_eq!(
            (found(&diagnosis), diagnosis.checks),
            (expected.iter().map(|one| (*one).to_owned()).collect(), checks)
        );
        let ids = diagnosis.not_checked.iter().flat_map(|one| &one.checks);
        assert!(ids.into_iter().all(|id| filter.has(check(id).unwrap())), "{:?}", diagnosis.not_checked);
    }
    let mut diagnosis = diagnosis(&template(""));
    diagnosis.retain(&CheckFilter { least: Severity::Error, ..all });
    assert_eq!(found(&diagnosis), ["SD006 A", "SD006 B"]);
}

#[test]
fn a_written_entry_accepts_its_finding_and_needs_a_reason() {
    let check = check("SD006").unwrap();
    let line = entry_line(check, "service aws_ecs_service.this[\"a #1\"]", "a batch job").unwrap();
    let accepted = Accepted::read(&line).unwrap();
    assert_eq!(accepted.reason("SD006", "service aws_ecs_service.this[\"a #1\"]"), Some("a batch job"));
    assert!(entry_line(check, "service a", " ").is_err() && entry_line(check, "service a", "a\nb").is_err());
}

#[test]
fn a_finding_has_the_line_of_its_property() {
    let text = template("Metadata: {}");
    let line = |needle: &str| text.lines().position(|line| line.contains(needle)).unwrap() + 1;
    let diagnosis = diagnosis(&text);
    let lines: Vec<_> = diagnosis.findings.iter().take(1).map(|one| one.problem.place.line).collect();
    assert_eq!(lines, [Some(line("DesiredCount"))]);
    let spot = diagnosis.findings.iter().find(|one| one.check.id == "SD003").unwrap();
    assert_eq!(spot.problem.place.line, Some(line("CapacityProviderStrategy")));
}

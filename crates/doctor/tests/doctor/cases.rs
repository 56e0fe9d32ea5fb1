//! Reduced templates, each with its right outcome. The files say in their first line, or in a note beside them, what it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use spotdrain_doctor::template::{Location, Templates, read};
use spotdrain_doctor::{Diagnosis, Severity, examine};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctor/cases");

/// A file, what is found as `CHECK resource`, and texts that the report of what was not checked or does not apply has.
type Case = (&'static str, &'static [&'static str], &'static [&'static str]);

const TABLE: &[Case] = &[
    ("01-doctor-inputpath.template.json", &["SD051 Rule", "SD055 Q", "SD057 Tg", "SD047 Svc"], &[]),
    ("02-doctor-esm-filter.template.json", &["SD052 Q", "SD055 Q", "SD057 Tg", "SD047 Svc"], &[]),
    (
        "04-doctor-taskset.template.json",
        &["SD055 Q", "SD009 Td, container api", "SD012 Tg", "SD057 Tg", "SD047 Svc, task set Ts"],
        &[],
    ),
    ("f01-bracket-at-key-column.yaml", &["SD003 Service"], &[]),
    ("f04-foreach-only.yaml", &["SD006 WebService", "SD006 ApiService", "SD003 WebService", "SD003 ApiService"], &[]),
    ("f05-foreach-beside.yaml", &["SD006 WebService", "SD006 ApiService", "SD003 WebService", "SD003 ApiService"], &[]),
    (
        "f06-findinmap-default.yaml",
        &["SD006 Service", "SD003 Service"],
        &["mapping Counts has another Web for eu-west-9"],
    ),
    ("f07-no-weight.yaml", &["SD006 Service", "SD003 Service"], &[]),
    ("f08-autoscaling-min-2.yaml", &["SD039 Service"], &[]),
    ("f09-autoscaling-min-1.yaml", &["SD039 Service", "SD037 Scaling"], &[]),
    ("f10-ec2-elsewhere.yaml", &[], &["service Service: not on Fargate: RequiresCompatibilities"]),
    ("f11-child.yaml", &[], &[]),
    ("f11-parent.yaml", &["SD009 TaskDefinition, container web", "SD012 Child/Group", "SD057 Child/Group"], &[]),
    ("f12-anchors.yaml", &["SD006 A", "SD006 B", "SD006 C", "SD003 A", "SD003 B", "SD003 C"], &[]),
    ("f13-ondemand.yaml", &[], &["service Service: on demand: launch type FARGATE: "]),
    ("f14-surrogates.json", &["SD003 Service"], &[]),
    ("f17-account-condition.yaml", &[], &["SD006", "AWS::AccountId is unknown: give --account"]),
    ("f19-scalable-of-imported-cluster.yaml", &[], &["SD039", "!ImportValue cluster"]),
    ("f20-cdk-nested.json", &[], &[]),
    (
        "f22-container-names-by-parameter.yaml",
        &["SD009 TaskDefinition, container ${Name}", "SD012 TargetGroup", "SD039 Service", "SD057 TargetGroup"],
        &[],
    ),
    ("g00-good.yaml", &["SD039 Service", "SD047 Service"], &[]),
    ("g02-stoptimeout-300.yaml", &["SD039 Service", "SD041 TaskDefinition, container web", "SD047 Service"], &[]),
    ("g04-shell-pid1.yaml", &["SD039 Service", "SD040 TaskDefinition, container web", "SD047 Service"], &[]),
    ("g05-all-weights-0.yaml", &["SD039 Service"], &["on demand"]),
    ("g06-two-bases.yaml", &["SD039 Service", "SD047 Service"], &[]),
    ("g07-max-100.yaml", &["SD039 Service", "SD038 Service", "SD047 Service"], &[]),
    (
        "g10-external.yaml",
        &[
            "SD009 TaskDefinition, container web",
            "SD012 TargetGroup",
            "SD039 Service, task set Set",
            "SD003 Service, task set Set",
            "SD057 TargetGroup",
        ],
        &[],
    ),
    ("g14-draining-interval.yaml", &["SD039 Service", "SD057 TargetGroup", "SD014 TargetGroup", "SD047 Service"], &[]),
    ("g17-no-provider.yaml", &["SD039 Service", "SD047 Service"], &[]),
    ("g26-hold-draining-interval.yaml", &["SD015 TargetGroup", "SD039 Service", "SD047 Service"], &[]),
];

fn diagnosis(file: &str, location: Location) -> Diagnosis {
    let templates = Templates { location, ..Templates::of(&Path::new(CASES).join(file), BTreeMap::new()) };
    examine(&read(&templates, &|path| std::fs::read_to_string(path)).unwrap())
}

pub(super) fn found(diagnosis: &Diagnosis) -> Vec<String> {
    let kinds = ["service ", "target group ", "task definition ", "queue ", "rule ", "scalable target "];
    let short = |name: &str| kinds.iter().find_map(|kind| name.strip_prefix(kind)).unwrap_or(name).to_owned();
    diagnosis.findings.iter().map(|one| format!("{} {}", one.check.id, short(&one.problem.place.name))).collect()
}

pub(super) fn reported(diagnosis: &Diagnosis) -> String {
    let not_checked = diagnosis.not_checked.iter();
    let not_checked = not_checked.map(|one| format!("{} {}: {}", one.checks.join(","), one.subject, one.why));
    let never =
        diagnosis.not_applicable.iter().map(|one| format!("{}: {}: {} checks", one.subject, one.why, one.checks));
    not_checked.chain(never).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_file_has_its_right_outcome() {
    for (file, expected, reports) in TABLE {
        let diagnosis = diagnosis(file, Location::default());
        assert_eq!(found(&diagnosis), *expected, "{file}");
        let report = reported(&diagnosis);
        assert!(reports.iter().all(|text| report.contains(text)), "{file}: {report}");
    }
}

#[test]
fn every_file_is_in_the_table() {
    let files = std::fs::read_dir(CASES).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<_> = files.filter(|name| !name.contains(".note")).collect();
    assert_eq!(files, TABLE.iter().map(|(file, ..)| (*file).to_owned()).collect());
}

#[test]
fn account_and_region_decide_where_they_are_given() {
    let account = |id: &str| Location { account: Some(id.to_owned()), region: None };
    let region = |name: &str| Location { account: None, region: Some(name.to_owned()) };
    let table = [
        ("f17-account-condition.yaml", account("111122223333"), vec![]),
        ("f17-account-condition.yaml", account("444455556666"), vec!["SD006 Service"]),
        ("f06-findinmap-default.yaml", region("eu-west-9"), vec!["SD003 Service"]),
        ("f06-findinmap-default.yaml", region("eu-central-1"), vec!["SD006 Service", "SD003 Service"]),
    ];
    for (file, location, expected) in table {
        let diagnosis = diagnosis(file, location);
        assert_eq!(found(&diagnosis), expected, "{file}");
        assert!(!reported(&diagnosis).contains("is unknown"), "{file}: {}", reported(&diagnosis));
    }
}

#[test]
fn a_template_without_services_and_function_has_nothing_to_examine() {
    let empty = TABLE.iter().filter(|(file, ..)| diagnosis(file, Location::default()).is_empty());
    let files: Vec<_> = empty.map(|(file, ..)| *file).collect();
    assert_eq!(files, ["f11-child.yaml", "f20-cdk-nested.json"]);
}

#[test]
fn behind_an_alb_the_stop_timeout_and_the_delay_are_warnings() {
    let diagnosis = diagnosis("04-doctor-taskset.template.json", Location::default());
    let of_alb = diagnosis.findings.iter().filter(|one| ["SD009", "SD012"].contains(&one.check.id));
    assert!(of_alb.clone().count() == 2 && of_alb.clone().all(|one| one.severity() == Severity::Warning));
}

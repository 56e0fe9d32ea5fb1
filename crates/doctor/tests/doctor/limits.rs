//! Large and hostile templates: bounded, with a clear report, and never taken for fine.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use spotdrain_doctor::template::{TemplateError, Templates, read};
use spotdrain_doctor::{Diagnosis, examine};

const SERVICE: &str = "Type: AWS::ECS::Service
    Properties:
      DesiredCount: 1
      CapacityProviderStrategy: [{ CapacityProvider: FARGATE_SPOT, Weight: 1 }]
";

fn diagnosis(text: &str) -> Result<Diagnosis, TemplateError> {
    let templates = Templates::of(Path::new("t.yaml"), BTreeMap::new());
    Ok(examine(&read(&templates, &|_| Ok(text.to_owned()))?))
}

fn report(diagnosis: &Diagnosis) -> String {
    let lines = diagnosis.not_checked.iter().map(|one| format!("{}: {}", one.subject, one.why));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn ten_thousand_resources_are_read() {
    let mut text = format!("Resources:\n  Service:\n    {SERVICE}");
    for number in 0..5_000 {
        _ = write!(text, "  Queue{number}:\n    Type: AWS::SQS::Queue\n  Topic{number}:\n    Type: AWS::SNS::Topic\n");
    }
    let diagnosis = diagnosis(&text).unwrap();
    let ids: Vec<_> = diagnosis.findings.iter().map(|finding| finding.check.id).collect();
    assert_eq!((diagnosis.services, ids), (1, vec!["SD006", "SD003"]));
}

#[test]
fn references_that_multiply_are_bounded_and_not_fine() {
    // Each condition asks the next one twice, so without a bound the last is asked 2^60 times.
    let mut text = "Conditions:\n".to_owned();
    for number in 0..60 {
        let next = number + 1;
        _ = writeln!(text, "  C{number}: !And [!Condition C{next}, !Condition C{next}]");
    }
    text += "  C60: !Equals [a, a]\n";
    _ = write!(
        text,
        "Resources:\n  Service:\n    {}",
        SERVICE.replace("DesiredCount: 1", "DesiredCount: !If [C0, 1, 2]")
    );
    let text = report(&diagnosis(&text).unwrap());
    assert!(text.contains("DesiredCount"), "{text}");
}

#[test]
fn names_that_refer_to_each_other_in_a_circle_end() {
    let text = "Resources:
  A: { Type: AWS::ECS::Cluster, Properties: { ClusterName: !Sub \"${B}${B}\" } }
  B: { Type: AWS::ECS::Cluster, Properties: { ClusterName: !Sub \"${A}${A}\" } }
  Service:
    Type: AWS::ECS::Service
    Properties: { Cluster: !Ref A, DesiredCount: 2, LaunchType: FARGATE }
";
    assert_eq!(diagnosis(text).unwrap().services, 1);
}

#[test]
fn loops_in_loops_are_bounded_and_not_fine() {
    let items = "[a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t]";
    let mut body = "\"${A}${B}${C}${D}${E}\": { Type: AWS::SNS::Topic }".to_owned();
    for name in ["A", "B", "C", "D", "E"] {
        body = format!("{{ Fn::ForEach::{name}: [{name}, {items}, {{ {body} }}] }}");
        body = body.strip_prefix("{ ").unwrap().strip_suffix(" }").unwrap().to_owned();
    }
    let text = format!("Transform: AWS::LanguageExtensions\nResources:\n  {body}\n  Service:\n    {SERVICE}");
    let text = report(&diagnosis(&text).unwrap());
    assert!(text.contains("too many values"), "{text}");
}

#[test]
fn an_unknown_function_is_not_checked() {
    let text = format!("Resources:\n  Service:\n    {}", SERVICE.replace("DesiredCount: 1", "DesiredCount: !Guess 1"));
    let diagnosis = diagnosis(&text).unwrap();
    assert!(report(&diagnosis).contains("!Guess is resolved at the deployment"), "{}", report(&diagnosis));
    assert!(diagnosis.findings.iter().all(|finding| finding.check.id != "SD006"));
}

#[test]
fn a_stack_that_nests_itself_ends() {
    let text = format!(
        "Resources:\n  Again:\n    Type: AWS::CloudFormation::Stack\n    Properties: {{ TemplateURL: t.yaml }}\n  Service:\n    {SERVICE}"
    );
    let text = report(&diagnosis(&text).unwrap());
    assert!(text.contains("nested stack Again: t.yaml is nested in itself"), "{text}");
}

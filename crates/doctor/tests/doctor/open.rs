//! What a template leaves open is not checked, with its reason, and never fine; what is no template is refused.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use spotdrain_doctor::model::root::Deployment;
use spotdrain_doctor::template::{TemplateError, Templates, read};
use spotdrain_doctor::{Diagnosis, examine};

const EXAMPLE: &str = include_str!("fixtures/example.yaml");

/// Reads a template from memory, with another in a file beside it.
fn deployment(text: &str, nested: &str, parameters: &[(&str, &str)]) -> Result<Deployment, TemplateError> {
    let given =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>();
    let load = |path: &Path| match path.to_str() {
        Some("stacks/main.yaml") => Ok(text.to_owned()),
        Some("nested.yaml") => Ok(nested.to_owned()),
        other => Err(io::Error::other(format!("no file {other:?}"))),
    };
    read(&Templates::of(Path::new("stacks/main.yaml"), given), &load)
}

fn diagnosis(text: &str, parameters: &[(&str, &str)]) -> Diagnosis {
    examine(&deployment(text, "", parameters).unwrap())
}

fn replaced(from: &str, to: &str) -> String {
    assert!(EXAMPLE.contains(from), "{from}");
    EXAMPLE.replace(from, to)
}

fn ids(diagnosis: &Diagnosis) -> Vec<&'static str> {
    let ids = diagnosis.findings.iter().map(|finding| finding.check.id);
    // The forecast is of all settings together, and tested by itself.
    ids.filter(|id| *id != "SD057").collect()
}

fn not_checked(diagnosis: &Diagnosis) -> Vec<String> {
    let entries = diagnosis.not_checked.iter();
    entries.map(|entry| format!("{} {}: {}", entry.checks.join(","), entry.subject, entry.why)).collect()
}

#[test]
fn what_cannot_be_resolved_is_not_checked_and_not_fine() {
    let table = [
        ("StopTimeout: 120", "StopTimeout: !ImportValue Stop", "SD009"),
        ("Value: \"90\"", "Value: !Sub \"{{resolve:ssm:delay}}\"", "SD012"),
        ("HealthCheckIntervalSeconds: 10", "HealthCheckIntervalSeconds: !GetAtt Custom.Interval", "SD016"),
        ("DesiredCount: 4", "DesiredCount: !Ref Nobody", "SD006"),
        ("clusterArn: [!GetAtt Cluster.Arn]", "clusterArn: [!ImportValue Cluster]", "SD021"),
        ("VisibilityTimeout: 30", "VisibilityTimeout: !FindInMap [A, B, C]", "SD024"),
        ("          SPOTDRAIN_MODE: !Ref Mode", "          SPOTDRAIN_MODE: !ImportValue Mode", "SD031"),
        (":targetgroup/*/*", ":${Unknown}/*/*", "SD028"),
        ("    Properties:\n      Policies:", "    Properties:\n      PermissionsBoundary: a\n      Policies:", "SD027"),
        (
            "    Properties:\n      Policies:",
            "    Properties:\n      PermissionsBoundary: !Ref B\n      Policies:",
            "SD028",
        ),
        (
            "- Effect: Allow\n                Action: elasticloadbalancing:Desc",
            "- Effect: !ImportValue E\n                Action: elasticloadbalancing:Desc",
            "SD027",
        ),
        (
            "Condition: { ArnEquals: { ecs:cluster: !GetAtt Cluster.Arn } }",
            "Condition: { ArnEquals: !ImportValue C }",
            "SD027",
        ),
        (
            "    Properties:\n      Policies:\n",
            "    Properties:\n      ManagedPolicyArns: !ImportValue P\n      Policies:\n",
            "SD028",
        ),
        (
            "  Role:\n    Type: AWS::IAM::Role\n",
            "  More:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      Roles: [!ImportValue R]\n      PolicyDocument: { Statement: [] }\n  Role:\n    Type: AWS::IAM::Role\n",
            "SD027",
        ),
        (
            "TargetGroupArn: !Ref TargetGroup }]\n      Network",
            "TargetGroupArn: !ImportValue Group }]\n      Network",
            "SD012",
        ),
        ("TaskDefinition: !Ref TaskDefinition", "TaskDefinition: app:7", "SD009"),
        ("Cluster: !Ref Cluster", "Cluster: production", "SD022"),
        (
            "      CapacityProviderStrategy:\n",
            "      CapacityProviderStrategy: !If [Nothing, 1, 2]\n      Other:\n",
            "SD003",
        ),
    ];
    for (from, to, check) in table {
        let diagnosis = diagnosis(&replaced(from, to), &[]);
        assert_eq!(ids(&diagnosis), [""; 0], "{to}");
        let of_it = diagnosis.not_checked.iter().filter(|entry| entry.checks.contains(&check)).count();
        assert!(of_it > 0, "{to}: {:?}", not_checked(&diagnosis));
    }
}

#[test]
fn the_reason_names_the_place_and_what_to_do() {
    let open = replaced("    Default: enforce", "    Description: no default");
    let diagnosis = diagnosis(&open, &[]);
    insta::assert_snapshot!(not_checked(&diagnosis).join("\n"));
}

#[test]
fn a_parameter_can_be_given() {
    let open = replaced("    Default: enforce", "    Description: no default");
    assert_eq!(diagnosis(&open, &[("Mode", "enforce")]).not_checked, []);
    assert_eq!(ids(&diagnosis(&open, &[("Mode", "observe")])), ["SD031"]);
    assert_eq!(ids(&diagnosis(EXAMPLE, &[("Clusters", "one, two")])), ["SD030"]);
}

#[test]
fn conditions_decide_what_is_there() {
    let direct = diagnosis(EXAMPLE, &[("Delivery", "direct")]);
    assert_eq!((ids(&direct), not_checked(&direct)), (vec![], vec![]));
    let open = replaced("    Default: queue", "    Description: no default");
    let text = not_checked(&diagnosis(&open, &[]));
    assert!(text.iter().any(|line| line.contains("its condition ByQueue is unknown")), "{text:?}");
}

#[test]
fn a_template_without_the_function_is_examined_without_it() {
    let services_only = EXAMPLE.split("  NoticeRule:").next().unwrap();
    let diagnosis = diagnosis(services_only, &[]);
    assert_eq!(ids(&diagnosis), [""; 0]);
    let text = not_checked(&diagnosis);
    assert!(text.iter().all(|line| line.ends_with("spotdrain's function is not in this template")), "{text:?}");
    let forecast = diagnosis.forecasts.first().unwrap();
    assert_eq!((forecast.function, forecast.changes.first().unwrap().what.as_str()), (false, "function"));
}

#[test]
fn a_template_of_the_function_alone_is_tried_with_the_clusters_that_its_rule_names() {
    let arn = "arn:aws:ecs:us-east-1:210987654321:cluster/web";
    let (_, function) = EXAMPLE.split_once("  NoticeRule:").unwrap();
    let head = EXAMPLE.split("Resources:").next().unwrap();
    for (cluster, expected) in [(arn, vec![]), ("\"*\"", vec!["SD021"]), ("web", vec!["SD021"])] {
        let text = format!("{head}Resources:\n  NoticeRule:{function}").replace("!GetAtt Cluster.Arn", cluster);
        assert_eq!(ids(&diagnosis(&text, &[("Clusters", "web")])), expected, "{cluster}");
    }
}

#[test]
fn a_nested_stack_is_read_with_its_parameters() {
    let (services, function) = EXAMPLE.split_once("  NoticeRule:").unwrap();
    let nested = format!(
        "Parameters:\n  Cluster: {{ Type: String }}\n  Mode: {{ Type: String }}\nConditions:\n  ByQueue: !Equals [a, a]\n  \
         SomeClusters: !Equals [a, b]\nResources:\n  NoticeRule:{}",
        function.replace("!GetAtt Cluster.Arn", "!Ref Cluster")
    );
    let outer = format!(
        "{services}  Spotdrain:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: ../nested.yaml\n      \
         Parameters: {{ Cluster: !GetAtt Cluster.Arn, Mode: observe }}\n"
    );
    let diagnosis = examine(&deployment(&outer, &nested, &[]).unwrap());
    assert_eq!((ids(&diagnosis), not_checked(&diagnosis)), (vec!["SD031"], vec![]));
    let place = &diagnosis.findings.first().unwrap().problem.place;
    assert_eq!((place.name.as_str(), place.file.as_deref()), ("function Spotdrain/Function", Some("nested.yaml")));
}

#[test]
fn a_missing_nested_stack_is_reported() {
    for (url, expected) in
        [("https://bucket/t.yaml", "give that file to --template"), ("no.yaml", "cannot read stacks/no.yaml")]
    {
        let stack =
            format!("  Other:\n    Type: AWS::CloudFormation::Stack\n    Properties: {{ TemplateURL: \"{url}\" }}\n");
        let text = not_checked(&diagnosis(&format!("{EXAMPLE}{stack}"), &[]));
        assert!(matches!(text.as_slice(), [line] if line.contains(expected)), "{text:?}");
    }
}

#[test]
fn macros_and_loops_are_reported() {
    let text = replaced("Transform: AWS::Serverless-2016-10-31", "Transform: [AWS::Serverless-2016-10-31, Mine]");
    let text = text
        .replace("Resources:\n  SubnetA", "Resources:\n  Fn::ForEach::More: [A, !Ref Nobody, { C: {} }]\n  SubnetA");
    let text = not_checked(&diagnosis(&text, &[])).join("\n");
    assert!(
        text.contains("macro Mine may change it") && text.contains("ForEach::More: its collection is unknown"),
        "{text}"
    );
}

#[test]
fn json_and_the_long_forms_are_read_alike() {
    let template = r#"{"Resources": {
        "Cluster": {"Type": "AWS::ECS::Cluster", "Properties": {"CapacityProviders": ["FARGATE_SPOT"]}},
        "Service": {"Type": "AWS::ECS::Service", "Properties": {
            "Cluster": {"Fn::GetAtt": ["Cluster", "Arn"]}, "LaunchType": {"Fn::Sub": "FARGATE"}, "DesiredCount": "2"}}}}"#;
    assert_eq!(ids(&diagnosis(template, &[])), ["SD001"]);
}

#[test]
fn what_is_no_template_is_refused() {
    let table = [
        ("a: [", "stacks/main.yaml: is not valid YAML"),
        ("", "stacks/main.yaml: is empty"),
        ("just text", "has no Resources: expected a template"),
        ("Resources: {}", "has no Resources"),
    ];
    for (text, expected) in table {
        let error = deployment(text, "", &[]).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(
        deployment(EXAMPLE, "", &[("Nobody", "1")])
            .unwrap_err()
            .to_string()
            .contains("unknown parameter Nobody; parameters: Clusters, Delivery, Mode, Vpc")
    );
    let missing =
        read(&Templates::of(Path::new("x"), BTreeMap::new()), &|_| Err(io::Error::other("no such file"))).unwrap_err();
    assert_eq!(missing.to_string(), "x: cannot be read: no such file");
}

#[test]
fn circular_references_end() {
    let text = replaced("DesiredCount: 4", "DesiredCount: !If [Round, 1, 2]")
        .replace("  ByQueue:", "  Round: !Not [!Condition Again]\n  Again: !Condition Round\n  ByQueue:")
        .replace("ServiceName: logstash", "ServiceName: !Ref Service");
    let text = not_checked(&diagnosis(&text, &[]));
    assert!(text.iter().any(|line| line.contains("refers to itself")), "{text:?}");
}

//! Several templates that are deployed together, and files of other formats.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use spotdrain_doctor::template::{TemplateError, Templates, read};
use spotdrain_doctor::{Diagnosis, examine};

const EXAMPLE: &str = include_str!("fixtures/example.yaml");

type Files<'a> = &'a [(&'a str, &'a str)];

fn load(files: Files<'_>) -> impl Fn(&Path) -> io::Result<String> {
    move |path| {
        let found = files.iter().find(|(name, _)| Path::new(name) == path).map(|(_, text)| (*text).to_owned());
        found.ok_or_else(|| io::Error::other("no such file"))
    }
}

fn diagnosis(templates: &Templates, files: Files<'_>) -> Result<Diagnosis, TemplateError> {
    Ok(examine(&read(templates, &load(files))?))
}

fn all(files: Files<'_>, parameters: &[(&str, &str)]) -> Templates {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Templates { files: files.iter().map(|(name, _)| name.into()).collect(), parameters, ..Templates::default() }
}

/// The example as two stacks: the service's, which exports its cluster, and spotdrain's, which imports it.
fn two_stacks() -> (String, String) {
    let (services, function) = EXAMPLE.split_once("  NoticeRule:").unwrap();
    let head = EXAMPLE.split("Resources:").next().unwrap();
    let exports = "Outputs:\n  Cluster: { Value: !GetAtt Cluster.Arn, Export: { Name: demo-cluster } }\n";
    let function = function.replace("!GetAtt Cluster.Arn", "!ImportValue demo-cluster");
    (format!("{services}{exports}"), format!("{head}Resources:\n  NoticeRule:{function}"))
}

#[test]
fn the_users_stack_and_spotdrains_own_are_judged_together() {
    let (service, spotdrain) = two_stacks();
    let files = [("web.yaml", service.as_str()), ("spotdrain.yaml", spotdrain.as_str())];
    let diagnosis_of = |parameters| diagnosis(&all(&files, parameters), &files).unwrap();
    let together = diagnosis_of(&[]);
    let ids = |diagnosis: &Diagnosis| diagnosis.findings.iter().map(|one| one.check.id).collect::<Vec<_>>();
    assert_eq!((ids(&together), together.not_checked.as_slice()), (vec!["SD057"], [].as_slice()));
    let out_of_scope = diagnosis_of(&[("Clusters", "other")]);
    assert_eq!(ids(&out_of_scope), ["SD030", "SD057"]);
    let place = &out_of_scope.findings[0].problem.place;
    assert_eq!((place.name.as_str(), place.file.as_deref()), ("service web:Service", Some("web.yaml")));
    let alone = diagnosis(&all(&files[..1], &[]), &files).unwrap();
    assert!(alone.not_checked.iter().any(|one| one.why.contains("spotdrain's function is not in this template")));
}

#[test]
fn a_service_of_two_tasks_that_follows_the_fix_for_spot_alone_has_one_task_on_each() {
    let found = |strategy: &str| {
        let service = format!(
            "Resources:\n  Service:\n    Type: AWS::ECS::Service\n    Properties:\n      DesiredCount: 2\n      {strategy}\n"
        );
        let files = [("web.yaml", service.as_str())];
        let findings = diagnosis(&all(&files, &[]), &files).unwrap().findings;
        findings.into_iter().map(|one| (one.check.id, one.problem.fix.template)).collect::<BTreeMap<_, _>>()
    };
    let on_spot = found("CapacityProviderStrategy: [{ CapacityProvider: FARGATE_SPOT }]");
    let all_on_demand = found(
        "CapacityProviderStrategy: [{ CapacityProvider: FARGATE, Base: 2, Weight: 1 }, { CapacityProvider: FARGATE_SPOT, Weight: 1 }]",
    );
    assert_eq!(on_spot["SD003"], all_on_demand["SD004"]);
    let fixed = found(&on_spot["SD003"]);
    assert!(!fixed.contains_key("SD003") && !fixed.contains_key("SD004"), "{fixed:?}");
}

#[test]
fn two_files_with_the_same_name_are_distinguished() {
    let service = "Resources:\n  Service:\n    Type: AWS::ECS::Service\n    Properties:\n      CapacityProviderStrategy: [{ CapacityProvider: FARGATE_SPOT }]\n";
    let files = [("a/web.yaml", service), ("b/web.yaml", service)];
    let diagnosis = diagnosis(&all(&files, &[]), &files).unwrap();
    let names: Vec<_> = diagnosis.findings.iter().map(|one| one.problem.place.name.as_str()).collect();
    assert_eq!(names, ["service web:Service", "service web-2:Service"].repeat(2));
}

#[test]
fn of_a_folder_templates_are_read_others_skipped_and_nested_ones_read_once() {
    let parent = "Resources:\n  Child: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: child.yaml } }\n";
    let child = "Resources:\n  Service: { Type: AWS::ECS::Service, Properties: { CapacityProviderStrategy: [{ CapacityProvider: FARGATE_SPOT }] } }\n";
    let files = [
        ("out/child.yaml", child),
        ("out/parent.yaml", parent),
        ("out/manifest.json", "{\"version\": \"36.0.0\"}"),
        ("out/broken.yaml", "Resources: ["),
    ];
    let candidates = files.iter().map(|(name, _)| name.into()).collect();
    let diagnosis = diagnosis(&Templates { candidates, ..Templates::default() }, &files).unwrap();
    let services: Vec<_> = diagnosis.findings.iter().map(|one| one.problem.place.name.as_str()).collect();
    assert_eq!(services, ["service parent:Child/Service"; 2]);
    let broken = &diagnosis.not_checked[0];
    assert!(broken.subject == "out/broken.yaml" && broken.why.contains("not valid YAML"), "{broken:?}");
}

#[test]
fn an_unknown_parameter_is_refused_with_the_ones_that_there_are() {
    let (service, spotdrain) = two_stacks();
    let files = [("web.yaml", service.as_str()), ("spotdrain.yaml", spotdrain.as_str())];
    let error = diagnosis(&all(&files, &[("Nobody", "1")]), &files).unwrap_err().to_string();
    assert!(error.contains("unknown parameter Nobody; parameters: Clusters, Delivery, Mode, Vpc"), "{error}");
}

#[test]
fn a_value_that_is_not_allowed_and_a_broken_rule_are_refused() {
    let text = "Parameters:
  Size: { Type: String, Default: small, AllowedValues: [small, large] }
  Zone: { Type: CommaDelimitedList, Default: \"a,b\" }
Rules:
  NotBoth:
    RuleCondition: !Equals [!Ref Size, large]
    Assertions:
      - Assert: !EachMemberIn [!Ref Zone, [a, b]]
        AssertDescription: large needs the zones a and b
  Open: { Assertions: [{ Assert: !RefAll AWS::EC2::VPC::Id }] }
Resources:
  Service: { Type: AWS::ECS::Service, Properties: { LaunchType: FARGATE } }
";
    let files = [("t.yaml", text)];
    let with = |parameters| diagnosis(&all(&files, parameters), &files);
    let open = with(&[("Size", "large")]).unwrap();
    assert!(open.not_checked[0].subject == "rule Open of the template", "{:?}", open.not_checked);
    let table: [(&[(&str, &str)], &str); 2] = [
        (&[("Size", "huge")], "parameter Size: \"huge\" is not allowed; allowed values: small, large"),
        (
            &[("Size", "large"), ("Zone", "a,c")],
            "refuses these parameters by rule NotBoth: large needs the zones a and b",
        ),
    ];
    for (parameters, expected) in table {
        let error = with(parameters).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn files_of_other_formats_are_recognised_with_what_to_do() {
    let table = [
        (
            "main.tf",
            "resource \"aws_ecs_service\" \"web\" {\n  name = \"web\"\n}",
            "is Terraform",
            "spotdrain doctor --plan plan.json",
        ),
        (
            "plan.json",
            "{\"format_version\": \"1.2\", \"planned_values\": {}}",
            "is Terraform",
            "spotdrain doctor --plan plan.json",
        ),
        ("compose.yaml", "services:\n  web:\n    image: nginx\n", "is a Compose file", "ecs-compose-x render"),
        ("serverless.yml", "service: web\nprovider: { name: aws }\n", "is a Serverless", "serverless package"),
        ("services.json", "{\"services\": [{\"serviceArn\": \"arn\"}]}", "of the ECS API", "--service NAME"),
        ("task.json", "{\"family\": \"web\", \"containerDefinitions\": []}", "of the ECS API", "--service NAME"),
        (
            "manifest.json",
            "{\"version\": \"55.0.0\", \"artifacts\": {}}",
            "of a CDK cloud assembly",
            "--template cdk.out",
        ),
        ("stdin", "Supply a stack id (Web, Api) to display its template.\n", "of cdk synth", "--template cdk.out"),
        ("cdk.json", "{\"app\": \"node app.js\"}", "is a CDK project", "cdk synth"),
        (
            "manifest.yml",
            "name: web\ntype: Backend Service\nimage: { port: 80 }\n",
            "Copilot manifest",
            "copilot svc package",
        ),
        ("other.yaml", "a: 1\n", "has no Resources", "expected a template of CloudFormation or SAM"),
    ];
    for (file, text, format, advice) in table {
        let files = [(file, text)];
        let error = diagnosis(&all(&files, &[]), &files).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{file}: ")) && error.contains(format) && error.contains(advice), "{error}");
    }
}

#[test]
fn a_service_that_may_run_on_ec2_has_findings_with_a_condition_that_do_not_fail_the_run() {
    let text = "Resources:
  TaskDefinition: { Type: AWS::ECS::TaskDefinition, Properties: { NetworkMode: awsvpc, ContainerDefinitions: [{ Name: web, Image: a }] } }
  Service:
    Type: AWS::ECS::Service
    Properties: { Cluster: !ImportValue cluster, DesiredCount: 1, TaskDefinition: !Ref TaskDefinition }
";
    let files = [("t.yaml", text)];
    let diagnosis = diagnosis(&all(&files, &[]), &files).unwrap();
    let [finding] = diagnosis.findings.as_slice() else { panic!("{:?}", diagnosis.findings) };
    assert!(finding.check.id == "SD006" && finding.if_on_spot.as_ref().is_some_and(|why| why.contains("!ImportValue")));
    assert_eq!(diagnosis.worst(), None);
}

#[test]
fn settings_that_only_ec2_accepts_exclude_fargate() {
    let table = [
        ("NetworkMode: bridge", "", "network mode bridge"),
        ("Family: a", "", "no network mode awsvpc"),
        ("NetworkMode: awsvpc", "PlacementStrategies: [{ Type: spread }]", "placement strategies"),
        ("NetworkMode: awsvpc", "SchedulingStrategy: DAEMON", "DAEMON"),
        ("NetworkMode: awsvpc, RequiresCompatibilities: [EC2]", "", "RequiresCompatibilities"),
    ];
    for (definition, property, expected) in table {
        let text = format!(
            "Resources:
  TaskDefinition: {{ Type: AWS::ECS::TaskDefinition, Properties: {{ {definition}, ContainerDefinitions: [{{ Name: web }}] }} }}
  Service:
    Type: AWS::ECS::Service
    Properties:
      Cluster: !ImportValue cluster
      DesiredCount: 1
      TaskDefinition: !Ref TaskDefinition
      {property}
"
        );
        let files = [("t.yaml", text.as_str())];
        let diagnosis = diagnosis(&all(&files, &[]), &files).unwrap();
        assert!(diagnosis.findings.is_empty(), "{expected}: {:?}", diagnosis.findings);
        assert!(diagnosis.not_applicable[0].why.contains(expected), "{:?}", diagnosis.not_applicable);
    }
}

#[test]
fn a_service_on_demand_beside_others_on_spot_is_meant_so() {
    let text = |other: &str| {
        format!(
            "Resources:
  Cluster:
    Type: AWS::ECS::Cluster
    Properties:
      CapacityProviders: [FARGATE, FARGATE_SPOT]
      DefaultCapacityProviderStrategy: [{{ CapacityProvider: FARGATE_SPOT, Weight: 1 }}]
  Service: {{ Type: AWS::ECS::Service, Properties: {{ Cluster: !Ref Cluster, LaunchType: FARGATE, DesiredCount: 2 }} }}
{other}"
        )
    };
    let beside = "  Other: { Type: AWS::ECS::Service, Properties: { Cluster: !Ref Cluster, DesiredCount: 2 } }\n";
    for (text, expected) in [(text(""), true), (text(beside), false)] {
        let files = [("t.yaml", text.as_str())];
        let diagnosis = diagnosis(&all(&files, &[]), &files).unwrap();
        assert_eq!(diagnosis.findings.iter().any(|one| one.check.id == "SD001"), expected, "{text}");
    }
}

#[test]
fn codedeploys_second_group_is_compared_with_the_first() {
    let group = |name: &str, delay: u32| {
        format!(
            "  {name}: {{ Type: AWS::ElasticLoadBalancingV2::TargetGroup, Properties: {{ Name: {name}, TargetType: ip, Protocol: HTTP, Port: 80, TargetGroupAttributes: [{{ Key: deregistration_delay.timeout_seconds, Value: \"{delay}\" }}] }} }}\n"
        )
    };
    let text = format!(
        "Resources:\n{}{}  Service:
    Type: AWS::ECS::Service
    Properties:
      DesiredCount: 4
      DeploymentController: {{ Type: CODE_DEPLOY }}
      CapacityProviderStrategy: [{{ CapacityProvider: FARGATE, Base: 2, Weight: 1 }}, {{ CapacityProvider: FARGATE_SPOT, Weight: 1 }}]
      LoadBalancers: [{{ ContainerName: web, ContainerPort: 80, TargetGroupArn: !Ref Blue }}]
  Deployments:
    Type: AWS::CodeDeploy::DeploymentGroup
    Properties:
      LoadBalancerInfo:
        TargetGroupPairInfoList: [{{ TargetGroups: [{{ Name: !GetAtt Blue.TargetGroupName }}, {{ Name: !GetAtt Green.TargetGroupName }}] }}]
",
        group("Blue", 20),
        group("Green", 300)
    );
    let files = [("t.yaml", text.as_str())];
    let diagnosis = diagnosis(&all(&files, &[]), &files).unwrap();
    let found: Vec<_> =
        diagnosis.findings.iter().map(|one| format!("{} {}", one.check.id, one.problem.place.name)).collect();
    assert!(
        found.contains(&"SD020 target group Green".to_owned())
            && found.contains(&"SD012 target group Green".to_owned()),
        "{found:?}"
    );
}

#[test]
fn a_template_without_services_is_read_and_has_nothing_to_examine() {
    let files = [("t.yaml", "Resources:\n  A: { Type: AWS::SNS::Topic }\n")];
    let templates = Templates::of(Path::new("t.yaml"), BTreeMap::new());
    assert!(diagnosis(&templates, &files).unwrap().is_empty());
}

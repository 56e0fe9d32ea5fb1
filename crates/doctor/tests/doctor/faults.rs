//! The example has nothing that the doctor finds; with one fault in it, it has exactly that.
//!
//! The same faults are tried on the stack that is deployed from `deploy/example`, with spotdrain's nested in it, as far as their
//! text is in it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use spotdrain_doctor::diagnosis::Finding;
use spotdrain_doctor::template::{Templates, read};
use spotdrain_doctor::{CHECKS, Diagnosis, examine};

pub(super) const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctor/fixtures/example.yaml");
const DEPLOYED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/example/template.yaml");

/// The check, and what in the template is replaced by what.
pub(super) type Fault = (&'static str, &'static [(&'static str, &'static str)]);

const STRATEGY: &str = "      CapacityProviderStrategy:
        - { CapacityProvider: FARGATE, Base: 2, Weight: 1 }
        - { CapacityProvider: FARGATE_SPOT, Weight: 1 }
";
const CONTAINER: &str = "        - Name: logstash\n";
const HELD: &str =
    "        - Name: logstash\n          EntryPoint: [spotdrain-hold, --health, \"0.0.0.0:81\", --stop-timeout=120]\n";
const UDP: (&str, &str) =
    ("      Protocol: TCP\n      Port: 5044\n      Health", "      Protocol: UDP\n      Port: 5044\n      Health");
const CUTS_UNHEALTHY: &str = "unhealthy.connection_termination.enabled, Value: \"false\"";
const CUTS: &str = "unhealthy.connection_termination.enabled, Value: \"true\"";
const BREAKER_OFF: (&str, &str) = ("{ Enable: true, Rollback: true }", "{ Enable: false, Rollback: true }");
const CHECK_PORT: (&str, &str) =
    ("      HealthCheckProtocol: TCP\n", "      HealthCheckProtocol: TCP\n      HealthCheckPort: 81\n");
const HOLD_TAG: (&str, &str) =
    ("      DesiredCount: 4\n", "      Tags: [{ Key: spotdrain, Value: hold }]\n      DesiredCount: 4\n");
const BALANCERS: &str =
    "LoadBalancers: [{ ContainerName: logstash, ContainerPort: 5044, TargetGroupArn: !Ref TargetGroup }]";
const RESPONSES: &str = "      FunctionResponseTypes: [ReportBatchItemFailures]\n";
const MODE: &str = "          SPOTDRAIN_MODE: !Ref Mode\n";

pub(super) const FAULTS: &[Fault] = &[
    ("SD001", &[(STRATEGY, "      LaunchType: FARGATE\n")]),
    ("SD002", &[("      DesiredCount: 4", "      LaunchType: FARGATE\n      DesiredCount: 4")]),
    ("SD003", &[("FARGATE, Base: 2, Weight: 1", "FARGATE, Base: 0, Weight: 0"), BREAKER_OFF]),
    ("SD004", &[("FARGATE, Base: 2,", "FARGATE, Base: 4,")]),
    (
        "SD005",
        &[(
            "      NetworkMode: awsvpc\n",
            "      NetworkMode: awsvpc\n      RuntimePlatform: { OperatingSystemFamily: WINDOWS_SERVER_2022_CORE }\n",
        )],
    ),
    (
        "SD005",
        &[
            ("      NetworkMode: awsvpc\n", "      NetworkMode: awsvpc\n      RuntimePlatform: { CpuArchitecture: ARM64 }\n"),
            ("      DesiredCount: 4", "      PlatformVersion: 1.3.0\n      DesiredCount: 4"),
        ],
    ),
    ("SD006", &[("DesiredCount: 4", "DesiredCount: 1")]),
    ("SD007", &[("Rollback: true }\n", "Rollback: true }\n        MinimumHealthyPercent: 0\n")]),
    (
        "SD008",
        &[
            ("cross_zone.enabled, Value: \"true\"", "cross_zone.enabled, Value: \"false\""),
            ("DesiredCount: 4", "DesiredCount: 3"),
            ("FARGATE, Base: 2,", "FARGATE, Base: 1,"),
        ],
    ),
    ("SD009", &[("StopTimeout: 120", "StopTimeout: 30")]),
    ("SD009", &[("          StopTimeout: 120\n", "")]),
    ("SD010", &[(CONTAINER, "        - { Name: proxy, Image: envoy }\n        - Name: logstash\n")]),
    (
        "SD010",
        &[(
            CONTAINER,
            "        - Name: proxy\n          StopTimeout: 120\n          DependsOn: [{ ContainerName: logstash, Condition: START }]\n        - Name: logstash\n",
        )],
    ),
    ("SD011", &[(CONTAINER, "        - Name: logstash\n          EntryPoint: [spotdrain-hold, --port, \"5044\"]\n")]),
    (
        "SD011",
        &[(CONTAINER, "        - Name: logstash\n          EntryPoint: [spotdrain-hold, --health, \"0.0.0.0:81\", --stop-timeout=120]\n")],
    ),
    ("SD012", &[("Value: \"90\"", "Value: \"300\"")]),
    ("SD012", &[("        - { Key: deregistration_delay.timeout_seconds, Value: \"90\" }\n", "")]),
    (
        "SD013",
        &[(
            "      TargetGroupAttributes:\n",
            "      TargetGroupAttributes:\n        - { Key: deregistration_delay.connection_termination.enabled, Value: \"true\" }\n",
        )],
    ),
    ("SD014", &[(CUTS_UNHEALTHY, CUTS)]),
    (
        "SD015",
        &[
            (CUTS_UNHEALTHY, CUTS),
            (CONTAINER, HELD),
            ("      HealthCheckProtocol: TCP\n", "      HealthCheckProtocol: TCP\n      HealthCheckPort: 81\n"),
            ("      DesiredCount: 4\n", "      Tags: [{ Key: spotdrain, Value: hold }]\n      DesiredCount: 4\n"),
        ],
    ),
    ("SD016", &[("HealthCheckIntervalSeconds: 10", "HealthCheckIntervalSeconds: 60")]),
    ("SD017", &[("[{ ContainerPort: 5044, Protocol: tcp }]", "[{ ContainerPort: 5043, Protocol: tcp }]")]),
    ("SD017", &[("ContainerName: logstash,", "ContainerName: beats,")]),
    ("SD018", &[("      Port: 5044\n      HealthCheckProtocol", "      Port: 80\n      HealthCheckProtocol")]),
    ("SD019", &[("TargetType: ip", "IpAddressType: ipv6\n      TargetType: ip")]),
    (
        "SD020",
        &[
            (
                "  Listener:\n",
                "  Green:
    Type: AWS::ElasticLoadBalancingV2::TargetGroup
    Properties:
      TargetType: ip
      Protocol: TCP
      Port: 5044
      HealthCheckIntervalSeconds: 10
      TargetGroupAttributes:
        - { Key: deregistration_delay.timeout_seconds, Value: \"60\" }
        - { Key: target_health_state.unhealthy.connection_termination.enabled, Value: \"false\" }
        - { Key: load_balancing.cross_zone.enabled, Value: \"true\" }
  Listener:\n",
            ),
            (
                "TargetGroupArn: !Ref TargetGroup }]\n      NetworkConfiguration",
                "TargetGroupArn: !Ref TargetGroup, AdvancedConfiguration: { AlternateTargetGroupArn: !Ref Green } }]\n      NetworkConfiguration",
            ),
        ],
    ),
    ("SD021", &[("clusterArn: [!GetAtt Cluster.Arn]", "clusterArn: [\"*\"]")]),
    ("SD021", &[("detail-type: [ECS Task State Change]", "detail-type: ECS Task State Change")]),
    ("SD021", &[("desiredStatus: [STOPPED]", "desiredStatus: [STOPPING]")]),
    (
        "SD022",
        &[
            ("- stopCode: [SpotInterruption, TerminationNotice]", "- stopCode: [SpotInterruption]"),
            ("- stoppedReason: [{ prefix: Your Spot Task was interrupted }]", "- stopCode: [TerminationNotice]"),
        ],
    ),
    ("SD023", &[("      EventPattern:\n", "      State: DISABLED\n      EventPattern:\n")]),
    (
        "SD023",
        &[(
            "      FunctionResponseTypes: [ReportBatchItemFailures]\n",
            "      FunctionResponseTypes: [ReportBatchItemFailures]\n      Enabled: false\n",
        )],
    ),
    ("SD024", &[("VisibilityTimeout: 30", "VisibilityTimeout: 180")]),
    ("SD024", &[("VisibilityTimeout: 30", "VisibilityTimeout: 20")]),
    ("SD025", &[("      FunctionResponseTypes: [ReportBatchItemFailures]\n", "")]),
    ("SD026", &[("\n      Timeout: 30\n", "\n")]),
    ("SD027", &[("Action: ecs:DescribeTasks", "Action: ecs:ListTasks")]),
    ("SD027", &[("ecs:cluster: !GetAtt Cluster.Arn", "ecs:cluster: other")]),
    ("SD028", &[(":targetgroup/*/*", ":targetgroup/other/*")]),
    ("SD029", &[("      DesiredCount: 4\n", "      Tags: [{ Key: spotdrain, Value: \"off\" }]\n      DesiredCount: 4\n")]),
    ("SD030", &[("SPOTDRAIN_CLUSTERS: !", "SPOTDRAIN_CLUSTERS: other # !")]),
    (
        "SD030",
        &[(
            "          SPOTDRAIN_CLUSTERS: !If [",
            "          SPOTDRAIN_DISCOVER: false
          SPOTDRAIN_TARGET_GROUPS: arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/other/0123456789abcdef
          SPOTDRAIN_CLUSTERS: !If [",
        )],
    ),
    ("SD031", &[("    Default: enforce", "    Default: observe")]),
    ("SD032", &[("    Default: enforce", "    Default: \"on\"")]),
    ("SD032", &[(MODE, "          SPOTDRAIN_CLUSTER: demo\n")]),
    (
        "SD034",
        &[
            (CONTAINER, HELD),
            ("      HealthCheckProtocol: TCP\n", "      HealthCheckProtocol: TCP\n      HealthCheckPort: 81\n"),
        ],
    ),
    (
        "SD034",
        &[
            (CONTAINER, "        - { Name: proxy, Image: envoy, StopTimeout: 120, EntryPoint: [spotdrain-hold] }\n        - Name: logstash\n"),
            ("      HealthCheckProtocol: TCP\n", "      HealthCheckProtocol: TCP\n      HealthCheckPort: 81\n"),
            ("      DesiredCount: 4\n", "      Tags: [{ Key: spotdrain, Value: hold }]\n      DesiredCount: 4\n"),
        ],
    ),
    ("SD034", &[("      DesiredCount: 4\n", "      Tags: [{ Key: spotdrain, Value: hold }]\n      DesiredCount: 4\n")]),
    ("SD035", &[("sqs:ChangeMessageVisibility", "sqs:SendMessage")]),
    (
        "SD037",
        &[(
            "  TaskDefinition:\n    Type",
            "  Scaling:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties: { MinCapacity: 1, ResourceId: !Sub \"service/${Cluster}/${Service.Name}\", ServiceNamespace: ecs }
  TaskDefinition:\n    Type",
        )],
    ),
    ("SD038", &[("Rollback: true }\n", "Rollback: true }\n        MaximumPercent: 100\n")]),
    ("SD038", &[("Rollback: true }\n", "Rollback: true }\n        MaximumPercent: 124\n        MinimumHealthyPercent: 50\n")]),
    ("SD039", &[("      CapacityProviders: [FARGATE, FARGATE_SPOT]\n", "      CapacityProviders: [FARGATE]\n")]),
    ("SD039", &[("FARGATE_SPOT, Weight: 1", "FARGATE_SPOT, Base: 1, Weight: 1")]),
    ("SD040", &[(CONTAINER, "        - Name: logstash\n          EntryPoint: [sh, -c, setup && logstash]\n")]),
    ("SD041", &[("StopTimeout: 120", "StopTimeout: 121")]),
    ("SD042", &[("TargetType: ip", "TargetType: instance")]),
    ("SD043", &[("      DesiredCount: 4", "      PlatformVersion: 1.3.0\n      DesiredCount: 4")]),
    (
        "SD044",
        &[
            (CONTAINER, HELD),
            CHECK_PORT,
            HOLD_TAG,
            (
                "      TargetGroupAttributes:\n",
                "      TargetGroupAttributes:
        - { Key: target_group_health.unhealthy_state_routing.minimum_healthy_targets.count, Value: \"2\" }\n",
            ),
        ],
    ),
    (
        "SD045",
        &[
            (
                CONTAINER,
                "        - { Name: proxy, Image: envoy, StopTimeout: 120 }
        - Name: logstash\n          EntryPoint: [spotdrain-hold, --health, \"0.0.0.0:81\", --stop-timeout=120]\n",
            ),
            CHECK_PORT,
            HOLD_TAG,
        ],
    ),
    ("SD046", &[(BALANCERS, "ServiceRegistries: [{ RegistryArn: arn }]")]),
    ("SD047", &[("      HealthCheckGracePeriodSeconds: 120\n", "")]),
    ("SD048", &[("FARGATE, Base: 2, Weight: 1", "FARGATE, Base: 0, Weight: 0")]),
    (
        "SD049",
        &[
            ("      Protocol: TCP\n      Port: 5044\n      Health", "      Protocol: HTTP\n      Port: 5044\n      Health"),
            (
                "      TargetGroupAttributes:\n",
                "      TargetGroupAttributes:\n        - { Key: slow_start.duration_seconds, Value: \"300\" }\n",
            ),
        ],
    ),
    ("SD050", &[("      DesiredCount: 4", "      GatewayConnectors: [{ Arn: arn }]\n      DesiredCount: 4")]),
    ("SD051", &[("        - Id: spotdrain\n", "        - Id: spotdrain\n          InputPath: $.detail\n")]),
    ("SD051", &[("        - Id: spotdrain\n", "        - Id: spotdrain\n          Input: \"{}\"\n")]),
    (
        "SD051",
        &[(
            "        - Id: spotdrain\n",
            "        - Id: spotdrain\n          InputTransformer: { InputTemplate: '{\"task\": <aws.events.event.json>}' }\n",
        )],
    ),
    (
        "SD052",
        &[(
            RESPONSES,
            "      FunctionResponseTypes: [ReportBatchItemFailures]
      FilterCriteria: { Filters: [{ Pattern: '{\"body\": {\"detail\": {\"stopCode\": [\"TerminationNotice\"]}}}' }] }\n",
        )],
    ),
    ("SD053", &[("      EventPattern:\n", "      EventBusName: orders\n      EventPattern:\n")]),
    (
        "SD054",
        &[(
            "    Properties:\n      VisibilityTimeout: 30",
            "    Properties:\n      VisibilityTimeout: 30\n      KmsMasterKeyId: alias/aws/sqs",
        )],
    ),
    ("SD055", &[("Principal: { Service: events.amazonaws.com }", "Principal: { Service: sns.amazonaws.com }")]),
    (
        "SD055",
        &[(
            "ArnEquals: { aws:SourceArn: !GetAtt NoticeRule.Arn }",
            "ArnEquals: { aws:SourceArn: \"arn:aws:events:eu-central-1:123456789012:rule/other\" }",
        )],
    ),
    ("SD056", &[("      Role: !GetAtt Role.Arn\n      Env", "      ReservedConcurrentExecutions: 0\n      Role: !GetAtt Role.Arn\n      Env")]),
    ("SD058", &[("      DesiredCount: 4", "      AvailabilityZoneRebalancing: ENABLED\n      DesiredCount: 4")]),
    (
        "SD059",
        &[
            (CONTAINER, HELD),
            (
                "      HealthCheckProtocol: TCP\n",
                "      HealthCheckProtocol: HTTPS\n      HealthCheckPort: 81\n",
            ),
            HOLD_TAG,
        ],
    ),
    (
        "SD059",
        &[
            (CONTAINER, HELD),
            (
                "      HealthCheckProtocol: TCP\n",
                "      ProtocolVersion: GRPC\n      HealthCheckPort: 81\n",
            ),
            HOLD_TAG,
        ],
    ),
    ("SD060", &[UDP]),
    ("SD061", &[UDP, (CONTAINER, HELD), CHECK_PORT, HOLD_TAG]),
];

/// A template with replacements; `None` where one of their texts is neither in it nor in what is nested in it.
pub(super) fn diagnosis(template: &str, replacements: &[(&str, &str)]) -> Option<Diagnosis> {
    let replaced = RefCell::new(BTreeSet::new());
    let load = |path: &Path| {
        // A deployment begins with observe, which is a finding itself.
        let mut text = std::fs::read_to_string(path)?.replace("Default: observe", "Default: enforce");
        for (from, to) in replacements {
            if text.contains(from) {
                replaced.borrow_mut().insert(*from);
                text = text.replace(from, to);
            }
        }
        Ok(text)
    };
    let templates = Templates::of(Path::new(template), BTreeMap::new());
    // A fault may be a value that the deployed stack does not allow.
    let deployment = read(&templates, &load).ok()?;
    (replaced.borrow().len() == replacements.len()).then(|| examine(&deployment))
}

/// The forecast is of all settings together: an NLB without the hold refuses connections, whatever they are.
fn but_forecast(diagnosis: &Diagnosis) -> impl Iterator<Item = &Finding> {
    diagnosis.findings.iter().filter(|finding| finding.check.id != "SD057")
}

fn lines_of(diagnosis: &Diagnosis) -> Vec<String> {
    let findings = but_forecast(diagnosis);
    findings
        .map(|finding| format!("{} {}: {}", finding.check.id, finding.problem.place.name, finding.problem.description))
        .collect()
}

#[test]
fn nothing_is_found_in_the_examples_and_all_of_it_is_checked() {
    for template in [EXAMPLE, DEPLOYED, concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/template.yaml")] {
        let diagnosis = diagnosis(template, &[]).unwrap();
        assert_eq!((lines_of(&diagnosis), diagnosis.not_checked.as_slice()), (vec![], [].as_slice()), "{template}");
    }
}

/// A fault that cannot be made without another.
fn with_companions(id: &'static str) -> &'static [&'static str] {
    let all = CHECKS.iter().position(|check| check.id == id).unwrap();
    match id {
        "SD048" => &["SD003", "SD048"],
        _ => std::slice::from_ref(&CHECKS[all].id),
    }
}

#[test]
fn each_fault_is_exactly_its_finding() {
    for (id, replacements) in FAULTS {
        let ids = |template| {
            let diagnosis = diagnosis(template, replacements)?;
            Some(but_forecast(&diagnosis).map(|finding| finding.check.id).collect::<Vec<_>>())
        };
        let expected = with_companions(id);
        assert_eq!(ids(EXAMPLE).as_deref(), Some(expected), "{replacements:?}");
        // The stack that is deployed from here says some things in other words.
        assert!(ids(DEPLOYED).is_none_or(|ids| ids == expected), "{id} in {DEPLOYED}: {replacements:?}");
    }
}

#[test]
fn most_faults_can_be_made_in_the_stack_that_is_deployed_from_here() {
    let made = FAULTS.iter().filter(|(_, replacements)| diagnosis(DEPLOYED, replacements).is_some()).count();
    assert!(made * 4 > FAULTS.len() * 3, "{made} of {}", FAULTS.len());
}

#[test]
fn every_check_but_those_of_what_is_deployed_has_its_fault() {
    let without: Vec<_> =
        CHECKS.iter().map(|check| check.id).filter(|id| !FAULTS.iter().any(|(known, _)| known == id)).collect();
    assert_eq!(
        without,
        ["SD033", "SD036", "SD057"],
        "whether there is a function, the targets' states, and the forecast"
    );
}

#[test]
fn the_findings_of_all_faults_as_text() {
    let all = FAULTS.iter().filter_map(|(_, replacements)| diagnosis(EXAMPLE, replacements));
    let lines: Vec<_> = all
        .flat_map(|diagnosis| {
            let text = |finding: &Finding| {
                let problem = &finding.problem;
                let place = format!("{}:{}", problem.place.name, problem.place.line.unwrap_or_default());
                let (impact, fix) = (problem.impact, &problem.fix);
                let id = finding.check.id;
                format!(
                    "{id} {place}\n  {}\n  {impact}\n  $ {}\n  + {}\n  = {}",
                    problem.description, fix.command, fix.template, fix.terraform
                )
            };
            but_forecast(&diagnosis).map(text).collect::<Vec<_>>()
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

//! Every setting is a parameter with the same default, and invalid values are rejected before anything is deployed.

use serde_json::Value;
use spotdrain_core::settings::{Mode, NAMES, Settings};

use crate::deployed;
use crate::template::{Template, refusal};

const GROUP: &str = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/demo-5044/6d0ecf831eec9f09";
const LOAD_BALANCER: &str =
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/demo/50dc6c495c0c9188";
const CLUSTER: &str = "arn:aws:ecs:eu-central-1:123456789012:cluster/demo";

fn environment(template: &Template) -> Vec<(String, String)> {
    let variables = template.properties("Function").unwrap()["Environment"]["Variables"].clone();
    let variables = variables.as_object().unwrap().iter();
    variables.map(|(name, value)| (name.clone(), value.as_str().unwrap().replace("<NoticeQueue>", QUEUE_URL))).collect()
}

/// The settings that the template sets itself, from one of its resources.
pub const FILLED_IN: [&str; 1] = ["SPOTDRAIN_QUEUE_URL"];

const QUEUE_URL: &str = "https://sqs.eu-central-1.amazonaws.com/123456789012/notices";

/// The settings that are parameters, with their defaults.
pub fn settings() -> impl Iterator<Item = (&'static str, &'static str)> {
    NAMES.into_iter().filter(|(name, _)| !FILLED_IN.contains(name))
}

/// The default of a setting's parameter: a new deployment only observes until its mode is set to enforce.
fn parameter_default(setting: &str, default: &'static str) -> &'static str {
    if setting == "SPOTDRAIN_MODE" { "observe" } else { default }
}

/// The parameter of a setting: `SPOTDRAIN_KEEP_LAST` is `KeepLast`.
pub fn parameter_of(setting: &str) -> String {
    let words = setting.trim_start_matches("SPOTDRAIN_").split('_');
    words.map(|word| word[..1].to_owned() + &word[1..].to_lowercase()).collect()
}

#[test]
fn every_setting_is_a_parameter_with_the_same_default_except_the_mode() {
    let template = deployed();
    let environment = environment(&template);
    for (setting, default) in settings() {
        let default = parameter_default(setting, default);
        let declared = &template.root["Parameters"][parameter_of(setting)];
        assert_eq!(crate::template::text_of(&declared["Default"]), default, "{setting}");
        assert!(
            declared["Description"].as_str().unwrap().starts_with(setting),
            "{setting} is named in its description"
        );
        assert!(environment.contains(&(setting.to_owned(), default.to_owned())), "{setting} in {environment:?}");
    }
    let others: Vec<_> =
        environment.iter().map(|(name, _)| name).filter(|name| !name.starts_with("SPOTDRAIN_")).collect();
    assert_eq!(others, ["RUST_LOG"]);
}

#[test]
fn the_function_reads_the_templates_environment() {
    let direct = Settings { mode: Mode::Observe, ..Settings::default() };
    assert_eq!(Settings::read(environment(&deployed().with("Delivery", "direct"))).unwrap(), direct);
    let queued = Settings { queue_url: Some(QUEUE_URL.to_owned()), ..direct };
    assert_eq!(Settings::read(environment(&deployed())).unwrap(), queued);
    let enforcing = Settings::read(environment(&deployed().with("Mode", "enforce"))).unwrap();
    assert_eq!(enforcing.mode, Mode::Enforce);
    let two = format!("{CLUSTER},{CLUSTER}-2");
    let template = deployed().with("Clusters", &two).with("TargetGroups", GROUP).with("Discover", "false");
    let settings = Settings::read(environment(&template)).unwrap();
    assert_eq!(settings.clusters.unwrap().join(","), two);
    assert_eq!(settings.target_groups[0].arn.as_str(), GROUP);
    assert!(!settings.discover);
    let template = deployed().with("LoadBalancers", LOAD_BALANCER).with("Discover", "false");
    let settings = Settings::read(environment(&template)).unwrap();
    assert_eq!(settings.load_balancers[0].as_str(), LOAD_BALANCER);
}

fn template_takes(parameters: &Value, setting: &str, value: &str) -> bool {
    refusal(&parameters[parameter_of(setting)], value).is_none()
}

#[test]
fn the_template_rejects_what_the_function_rejects() {
    let table = [
        ("SPOTDRAIN_MODE", vec!["", "on", "Enforce"]),
        (
            "SPOTDRAIN_CLUSTERS",
            vec!["", "arn:aws:ecs:x", "arn:aws:ecs:eu-central-1:12345:cluster/demo", &GROUP, "de mo", "a,,b"],
        ),
        ("SPOTDRAIN_TARGET_GROUPS", vec!["", "all", "demo-5044", "arn:aws:elasticloadbalancing:x", &CLUSTER, "=5044"]),
        (
            "SPOTDRAIN_LOAD_BALANCERS",
            vec![
                "",
                "all",
                "demo",
                &GROUP,
                "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/classic",
            ],
        ),
        ("SPOTDRAIN_DISCOVER", vec!["", "yes", "True"]),
        ("SPOTDRAIN_KEEP_LAST", vec!["", "no"]),
        ("SPOTDRAIN_FRESH_SECONDS", vec!["", "-1", "1.5", "121", "200", "1000", "x"]),
        ("SPOTDRAIN_CALLS_PER_SECOND", vec!["", "0", "0.05", "1001", "x"]),
        ("SPOTDRAIN_CALL_BURST", vec!["", "0", "1001", "1.5", "-1", "x"]),
        ("SPOTDRAIN_EVENT_SOURCES", vec!["", "a,,b"]),
        ("SPOTDRAIN_MESSAGE_TOPIC", vec!["", "all", &CLUSTER, "arn:aws:sns:eu-central-1:123456789012:chat.fifo"]),
    ];
    let names: Vec<_> = settings().map(|(name, _)| name).collect();
    assert_eq!(table.each_ref().map(|(name, _)| *name).as_slice(), names, "every setting has its line");
    let parameters = deployed().root["Parameters"].clone();
    for (setting, values) in &table {
        for value in values {
            assert!(Settings::read([(setting, value)]).is_err(), "the function refuses {setting}={value}");
            assert!(!template_takes(&parameters, setting, value), "the template refuses {setting}={value}");
        }
    }
}

#[test]
fn the_function_accepts_what_the_template_accepts() {
    let other = "arn:aws-cn:ecs:cn-north-1:123456789012:cluster/a_B-9";
    let table = [
        ("SPOTDRAIN_MODE", vec!["enforce", "observe"]),
        ("SPOTDRAIN_CLUSTERS", vec!["all", CLUSTER, other]),
        ("SPOTDRAIN_TARGET_GROUPS", vec!["none", GROUP]),
        ("SPOTDRAIN_LOAD_BALANCERS", vec!["none", LOAD_BALANCER]),
        ("SPOTDRAIN_FRESH_SECONDS", vec!["0", "9", "10", "99", "100", "119", "120"]),
        ("SPOTDRAIN_CALLS_PER_SECOND", vec!["0.1", "2", "1000"]),
        ("SPOTDRAIN_CALL_BURST", vec!["1", "10", "999", "1000"]),
        ("SPOTDRAIN_EVENT_SOURCES", vec!["aws.ecs", "aws.ecs,spotdrain.drill"]),
        ("SPOTDRAIN_MESSAGE_TOPIC", vec!["none", "arn:aws:sns:eu-central-1:123456789012:chat"]),
    ];
    let parameters = deployed().root["Parameters"].clone();
    for (setting, values) in table {
        for value in values {
            assert!(template_takes(&parameters, setting, value), "the template takes {setting}={value}");
            assert!(Settings::read([(setting, value)]).is_ok(), "the function takes {setting}={value}");
        }
    }
}

/// The one difference: a rule and a role identify a cluster only by its ARN, and a role a target group without a port.
#[test]
fn cluster_names_and_group_ports_are_only_for_the_command_line() {
    let parameters = deployed().root["Parameters"].clone();
    for (setting, value) in
        [("SPOTDRAIN_CLUSTERS", "demo".to_owned()), ("SPOTDRAIN_TARGET_GROUPS", format!("{GROUP}=5044"))]
    {
        assert!(Settings::read([(setting, &value)]).is_ok());
        assert!(!template_takes(&parameters, setting, &value));
    }
}

#[test]
fn every_parameter_is_used_and_in_a_group() {
    let template = deployed();
    let groups = template.root["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].as_array().unwrap();
    let asked: Vec<_> = groups.iter().flat_map(|group| group["Parameters"].as_array().unwrap()).collect();
    assert_eq!(asked.len(), template.parameters.len());
    let used = ["Resources", "Conditions", "Rules"].map(|part| template.root[part].to_string()).concat();
    for name in template.parameters.keys() {
        assert!(asked.iter().any(|one| *one == name), "{name} is in no group");
        assert!(
            used.contains(&format!("\"Ref\":\"{name}\"")) || used.contains(&format!("${{{name}}}")),
            "{name} is unused"
        );
    }
}

//! The example is the article's stack, and its times fit into the two minutes of a notice.

use serde_json::{Value, json};

use crate::deployed;
use crate::template::Template;

pub const EXAMPLE: &str = include_str!("../../../../deploy/example/template.yaml");
const PROBER: &str = include_str!("../../../../deploy/example/prober.yaml");
const PROBE_GUIDE: &str = include_str!("../../../../docs/probe.md");

fn example() -> Template {
    Template::read(EXAMPLE)
}

#[test]
fn two_tasks_are_on_demand_and_half_of_the_rest_is_on_spot() {
    let expected = json!([
        {"CapacityProvider": "FARGATE", "Base": 2, "Weight": 1},
        {"CapacityProvider": "FARGATE_SPOT", "Weight": 1},
    ]);
    let service = example().properties("Service").unwrap();
    assert_eq!(service["CapacityProviderStrategy"], expected);
    assert_eq!(service["LaunchType"], Value::Null, "ECS refuses both together");
    let cluster = example().properties("Cluster").unwrap();
    assert_eq!(cluster["DefaultCapacityProviderStrategy"], expected);
    assert_eq!(cluster["CapacityProviders"], json!(["FARGATE", "FARGATE_SPOT"]));
}

#[test]
fn the_stop_timeout_and_the_deregistration_delay_fit_the_notice() {
    let container = example().properties("TaskDefinition").unwrap()["ContainerDefinitions"][0].clone();
    assert_eq!(container["StopTimeout"], 120);
    let group = example().properties("TargetGroup").unwrap();
    assert_eq!((&group["TargetType"], &group["Port"]), (&json!("ip"), &json!(5044)));
    let attributes = group["TargetGroupAttributes"].as_array().unwrap().clone();
    let delay = attributes.iter().find(|one| one["Key"] == "deregistration_delay.timeout_seconds").unwrap();
    let delay: u32 = delay["Value"].as_str().unwrap().parse().unwrap();
    assert!(delay < 120);
}

#[test]
fn spotdrain_is_connected_to_the_cluster_with_existing_parameters() {
    let wired = example().properties("Spotdrain").unwrap();
    assert_eq!(wired["TemplateURL"], "../template.yaml");
    assert_eq!(wired["Parameters"]["Clusters"], "<Cluster.Arn>");
    let known = deployed();
    for name in wired["Parameters"].as_object().unwrap().keys() {
        assert!(known.parameters.contains_key(name), "{name}");
    }
}

#[test]
fn parameters_that_are_passed_on_have_the_same_defaults() {
    let (example, template) = (example(), deployed());
    for (name, value) in &example.parameters {
        assert!(template.parameters.get(name).is_none_or(|other| other == value), "{name}");
    }
}

/// EC2 refuses any other character in the description of a group or a rule.
/// Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRuleDescription.html>
#[test]
fn the_descriptions_of_security_groups_have_only_allowed_characters() {
    let is_taken = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    let with = example().with("Hold", "with");
    let group = with.properties("TaskSecurityGroup").unwrap();
    let of =
        |way: &str| group[way].as_array().unwrap().iter().map(|rule| rule["Description"].clone()).collect::<Vec<_>>();
    let hold = with.properties("HoldIngress").unwrap();
    let prober = Template::read(PROBER).properties("SecurityGroup").unwrap();
    let own = vec![group["GroupDescription"].clone(), hold["Description"].clone(), prober["GroupDescription"].clone()];
    let of_prober = prober["SecurityGroupEgress"].as_array().unwrap().iter().map(|rule| rule["Description"].clone());
    let texts = [of("SecurityGroupIngress"), of("SecurityGroupEgress"), own, of_prober.collect()].concat();
    assert_eq!(texts.len(), 7);
    for text in texts.iter().map(|text| text.as_str().unwrap()) {
        assert!(text.len() <= 255 && text.chars().all(is_taken), "{text}");
    }
}

#[test]
fn with_the_hold_the_surrounding_settings_match() {
    let with = example().with("Hold", "with");
    let container = with.properties("TaskDefinition").unwrap()["ContainerDefinitions"][0].clone();
    let settings = container["Environment"].as_array().unwrap();
    let set =
        |name: &str| settings.iter().find(|one| one["Name"] == name).unwrap()["Value"].as_str().unwrap().to_owned();
    assert_eq!(set("SPOTDRAIN_HOLD_STOP_TIMEOUT"), container["StopTimeout"].to_string());
    let group = with.properties("TargetGroup").unwrap();
    let port = group["HealthCheckPort"].as_str().unwrap();
    assert_eq!(set("SPOTDRAIN_HOLD_HEALTH"), format!("0.0.0.0:{port}"));
    let ingress = with.properties("HoldIngress").unwrap();
    assert_eq!((ingress["FromPort"].to_string(), ingress["ToPort"].to_string()), (port.to_owned(), port.to_owned()));
    assert_eq!(example().properties("HoldIngress"), None);
    assert_eq!(with.properties("Service").unwrap()["Tags"], json!([{"Key": "spotdrain", "Value": "hold"}]));
    let fails =
        group["HealthCheckIntervalSeconds"].as_u64().unwrap() * group["UnhealthyThresholdCount"].as_u64().unwrap();
    assert_eq!(set("SPOTDRAIN_HOLD_MIN_HOLD"), (fails + 40).to_string(), "as docs/hold.md has it for a quiet service");
    let without = example().properties("TargetGroup").unwrap();
    assert_eq!(without["HealthCheckPort"], "traffic-port");
}

#[test]
fn to_measure_the_hold_can_be_made_to_fail_through_ecs_exec() {
    let environment = |example: &Template| {
        let container = example.properties("TaskDefinition").unwrap()["ContainerDefinitions"][0].clone();
        container["Environment"].as_array().unwrap().clone()
    };
    let holds = example().with("Hold", "with");
    let measures = example().with("Hold", "with").with("Measure", "on");
    let added: Vec<_> =
        environment(&measures).into_iter().filter(|setting| !environment(&holds).contains(setting)).collect();
    // The file that the probe names in its commands.
    let file = "/tmp/spotdrain-fail-health";
    assert_eq!(added, [json!({"Name": "SPOTDRAIN_HOLD_FAIL_HEALTH_FILE", "Value": file})]);
    assert!(PROBE_GUIDE.contains(file));
    let exec = |template: &Template| template.properties("Service").unwrap()["EnableExecuteCommand"].clone();
    assert_eq!((exec(&holds), exec(&measures)), (json!(false), json!(true)));
    assert_eq!(holds.properties("TaskRole"), None, "without ECS Exec, the task needs no permission");
    let actions = actions(&measures.properties("TaskRole").unwrap());
    assert!(actions.len() == 4 && actions.iter().all(|action| action.starts_with("ssmmessages:")), "{actions:?}");
}

#[test]
fn the_prober_may_do_what_the_guide_lists_and_no_more() {
    let prober = Template::read(PROBER);
    let role = prober.properties("TaskRole").unwrap();
    let granted = actions(&role);
    let (_, list) = PROBE_GUIDE.split_once("\nPermissions: ").unwrap();
    let list = list.split_once("\n\n").unwrap().0;
    assert_eq!(granted.len(), 6);
    for action in granted {
        let (service, name) = action.split_once(':').unwrap();
        assert!(list.contains(&format!("{service}:")) && list.contains(name), "{action} is not in {list}");
    }
    let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap().clone();
    let on_all = statements.iter().filter(|statement| statement["Resource"] == "*");
    assert!(on_all.flat_map(|statement| texts(&statement["Action"])).all(|action| action.contains(":Describe")));
}

fn actions(role: &Value) -> Vec<String> {
    let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap();
    statements.iter().flat_map(|statement| texts(&statement["Action"])).collect()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

//! The example is the article's stack, and its times fit in the notice.

use serde_json::{Value, json};

use crate::deployed;
use crate::template::Template;

pub const EXAMPLE: &str = include_str!("../../../../deploy/example/template.yaml");

fn example() -> Template {
    Template::read(EXAMPLE)
}

#[test]
fn two_tasks_are_always_on_demand_and_the_rest_is_half_spot() {
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
fn the_container_has_the_whole_notice_and_the_target_group_fits_in_it() {
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
fn spotdrain_is_wired_to_the_cluster_with_parameters_that_it_has() {
    let wired = example().properties("Spotdrain").unwrap();
    assert_eq!(wired["TemplateURL"], "../template.yaml");
    assert_eq!(wired["Parameters"]["Clusters"], "<Cluster.Arn>");
    let known = deployed();
    for name in wired["Parameters"].as_object().unwrap().keys() {
        assert!(known.parameters.contains_key(name), "{name}");
    }
}

#[test]
fn what_it_passes_on_has_the_same_default() {
    let (example, template) = (example(), deployed());
    for (name, value) in &example.parameters {
        assert!(template.parameters.get(name).is_none_or(|other| other == value), "{name}");
    }
}

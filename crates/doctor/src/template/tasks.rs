//! Task definitions and their containers.
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-taskdefinition.html>

use std::collections::BTreeMap;

use crate::model::service::{Container, TaskDefinition};
use crate::model::setting::Fact;

use crate::template::resources::{Resource, Resources};
use crate::template::value::{Data, Value, all};

const TASK_DEFINITION: &[&str] = &["AWS::ECS::TaskDefinition"];

/// The task definition of a service.
pub(crate) fn task_definition(resources: &Resources, service: &Value) -> Fact<TaskDefinition> {
    service.text("TaskDefinition").and_then(|text| {
        let elsewhere = || Fact::NotKnown(format!("task definition {text} is not in this template"));
        resources.named(TASK_DEFINITION, &text).map_or_else(elsewhere, |resource| Fact::Known(read(resource)))
    })
}

fn read(resource: &Resource) -> TaskDefinition {
    let properties = &resource.properties;
    let platform = |key| properties.get("RuntimePlatform").and_then(|platform| platform.text(key));
    TaskDefinition {
        place: resource.place.clone(),
        architecture: platform("CpuArchitecture"),
        system: platform("OperatingSystemFamily"),
        containers: properties.items("ContainerDefinitions").and_then(|items| all(items.into_iter().map(container))),
    }
}

fn container(value: &Value) -> Fact<Container> {
    if let Data::Unknown(why) = &value.data {
        return Fact::NotKnown(format!("a container: {why}"));
    }
    value.text("Name").map(|name| Container {
        name,
        stop_timeout: value.number("StopTimeout"),
        words: words(value),
        environment: environment(value),
        ports: value
            .items("PortMappings")
            .and_then(|items| all(items.into_iter().map(|item| item.number("ContainerPort")))),
        depends_on: value.items("DependsOn").and_then(|items| all(items.into_iter().map(dependency))),
    })
}

/// Entry point and command, one after the other.
fn words(value: &Value) -> Fact<Vec<String>> {
    match (value.texts("EntryPoint"), value.texts("Command")) {
        (Fact::NotKnown(why), _) | (_, Fact::NotKnown(why)) => Fact::NotKnown(why),
        (Fact::Absent, Fact::Absent) => Fact::Absent,
        (entry, command) => {
            let both = [entry, command].iter().filter_map(Fact::known).flatten().cloned().collect();
            Fact::Known(both)
        }
    }
}

fn environment(value: &Value) -> Fact<BTreeMap<String, Fact<String>>> {
    let variable = |item: &Value| item.text("Name").map(|name| (name, item.text("Value")));
    value
        .items("Environment")
        .and_then(|items| all(items.into_iter().map(variable)))
        .map(|all| all.into_iter().collect())
}

fn dependency(item: &Value) -> Fact<(String, String)> {
    item.text("ContainerName").and_then(|name| item.text("Condition").map(|condition| (name, condition)))
}

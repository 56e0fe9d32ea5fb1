//! Task definitions and their containers.
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-taskdefinition.html>

use std::collections::BTreeMap;

use crate::model::service::{Container, TaskDefinition};
use crate::model::setting::Setting;

use crate::template::evaluate::value::{Data, Value, all};
use crate::template::resources::{Resource, Resources, lines};

const TASK_DEFINITION: &[&str] = &["AWS::ECS::TaskDefinition"];

/// The task definition of a service.
pub(crate) fn task_definition(resources: &Resources, service: &Value) -> Setting<TaskDefinition> {
    service.text("TaskDefinition").and_then(|text| {
        let elsewhere = || Setting::Unknown(resources.not_here("task definition", &text));
        resources.named(TASK_DEFINITION, &text).map_or_else(elsewhere, |resource| Setting::Set(read(resource)))
    })
}

fn read(resource: &Resource) -> TaskDefinition {
    let properties = &resource.properties;
    let platform = |key| properties.get("RuntimePlatform").and_then(|platform| platform.text(key));
    TaskDefinition {
        place: resource.place.clone(),
        compatibilities: properties.texts("RequiresCompatibilities"),
        network_mode: properties.text("NetworkMode"),
        architecture: platform("CpuArchitecture"),
        system: platform("OperatingSystemFamily"),
        containers: properties.items("ContainerDefinitions").and_then(|items| all(items.into_iter().map(container))),
    }
}

fn container(value: &Value) -> Setting<Container> {
    if let Data::Unknown(reason) = &value.data {
        return Setting::Unknown(format!("a container: {}", reason.why));
    }
    value.name("Name").map(|name| Container {
        name,
        stop_timeout: value.number("StopTimeout"),
        words: words(value),
        environment: environment(value),
        ports: value
            .items("PortMappings")
            .and_then(|items| all(items.into_iter().map(|item| item.number("ContainerPort")))),
        depends_on: value.items("DependsOn").and_then(|items| all(items.into_iter().map(dependency))),
        line: (value.line > 0).then_some(value.line),
        lines: lines(value),
    })
}

/// Entry point and command, one after the other.
fn words(value: &Value) -> Setting<Vec<String>> {
    match (value.texts("EntryPoint"), value.texts("Command")) {
        (Setting::Unknown(why), _) | (_, Setting::Unknown(why)) => Setting::Unknown(why),
        (Setting::Default, Setting::Default) => Setting::Default,
        (entry, command) => {
            let both = [entry, command].iter().filter_map(Setting::known).flatten().cloned().collect();
            Setting::Set(both)
        }
    }
}

fn environment(value: &Value) -> Setting<BTreeMap<String, Setting<String>>> {
    let variable = |item: &Value| item.text("Name").map(|name| (name, item.text("Value")));
    value
        .items("Environment")
        .and_then(|items| all(items.into_iter().map(variable)))
        .map(|all| all.into_iter().collect())
}

fn dependency(item: &Value) -> Setting<(String, String)> {
    item.name("ContainerName").and_then(|name| item.text("Condition").map(|condition| (name, condition)))
}

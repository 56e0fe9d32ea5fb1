//! Task definitions, each read once.
//! Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskDefinition.html>

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{ContainerDefinition, TaskDefinition as EcsTaskDefinition};
use spotdrain_core::model::arn::last_segment;
use spotdrain_doctor::model::root::Place;
use spotdrain_doctor::model::service::{Container, TaskDefinition};
use spotdrain_doctor::model::setting::Setting;

use super::paced_client::{CallBudget, PacedClient};
use super::services::FoundServices;
use super::unknown;

/// Adds the task definition to every service.
pub(crate) async fn fill(client: &PacedClient<'_>, services: &mut FoundServices) {
    let mut known: BTreeMap<String, Setting<TaskDefinition>> = BTreeMap::new();
    client.progress.expect(services.found.len());
    for found in &mut services.found {
        let Some(arn) = &found.definition else { continue };
        client.progress.step(last_segment(arn));
        if !known.contains_key(arn) {
            known.insert(arn.clone(), describe(client, arn).await);
        }
        found.service.task_definition = known.get(arn).cloned().unwrap_or_default();
    }
}

async fn describe(client: &PacedClient<'_>, arn: &str) -> Setting<TaskDefinition> {
    let request = client.aws.ecs.describe_task_definition().task_definition(arn);
    match client.call("DescribeTaskDefinition", CallBudget::Other, || request.clone().send()).await {
        Ok(answer) => answer.task_definition().map(|definition| read(arn, definition)).into(),
        Err(failure) => unknown(&failure.message),
    }
}

fn read(arn: &str, definition: &EcsTaskDefinition) -> TaskDefinition {
    let platform = definition.runtime_platform();
    let architecture = platform.and_then(|platform| platform.cpu_architecture()).map(|one| one.as_str().to_owned());
    let system = platform.and_then(|platform| platform.operating_system_family()).map(|one| one.as_str().to_owned());
    let compatibilities: Vec<_> =
        definition.requires_compatibilities().iter().map(|one| one.as_str().to_owned()).collect();
    TaskDefinition {
        compatibilities: if compatibilities.is_empty() { Setting::Default } else { Setting::Set(compatibilities) },
        network_mode: definition.network_mode().map(|mode| mode.as_str().to_owned()).into(),
        place: Place::live(format!("task definition {}", last_segment(arn))),
        architecture: architecture.into(),
        system: system.into(),
        containers: Setting::Set(definition.container_definitions().iter().map(container).collect()),
    }
}

fn container(container: &ContainerDefinition) -> Container {
    let words: Vec<_> = container.entry_point().iter().chain(container.command()).cloned().collect();
    let variables = container.environment().iter();
    let variables =
        variables.filter_map(|pair| Some((pair.name()?.to_owned(), pair.value().map(str::to_owned).into())));
    let ports = container.port_mappings().iter().filter_map(|mapping| u16::try_from(mapping.container_port()?).ok());
    let depends_on = container.depends_on().iter();
    let depends_on = depends_on.map(|on| (on.container_name().to_owned(), on.condition().as_str().to_owned()));
    Container {
        name: container.name().unwrap_or_default().to_owned(),
        stop_timeout: container.stop_timeout().and_then(|seconds| u32::try_from(seconds).ok()).into(),
        words: if words.is_empty() { Setting::Default } else { Setting::Set(words) },
        environment: Setting::Set(variables.collect()),
        ports: Setting::Set(ports.collect()),
        depends_on: Setting::Set(depends_on.collect()),
        ..Container::default()
    }
}

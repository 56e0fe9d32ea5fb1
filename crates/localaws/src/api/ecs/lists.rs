//! The `List...` calls, `DescribeClusters` and `DescribeTaskDefinition`.
//!
//! Pages are those of the API: `ListServices` returns ten by default, the others a hundred, and never more than a hundred
//! (botocore, `ecs`, 2014-11-13). A token is the index of the next item.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::ecs::requests::find_cluster;
use crate::call::action::{Action, Api};
use crate::call::error::ApiError;
use crate::call::log::Subject;
use crate::model::canned::with;
use crate::model::ecs::task::TaskStatus;
use crate::model::world::World;
use crate::protocol::json;

/// A well-formed request.
#[derive(Debug, Clone)]
pub(crate) enum ListRequest {
    Clusters(ListBody),
    DescribeClusters(ListBody),
    Services(ListBody),
    Tasks(ListBody),
    TaskDefinition(ListBody),
}

/// The fields of all these requests.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListBody {
    cluster: Option<String>,
    clusters: Option<Vec<String>>,
    service_name: Option<String>,
    desired_status: Option<String>,
    task_definition: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

impl ListRequest {
    /// Parses a request; `None` for another action.
    pub(crate) fn parse(action: Action, body: &[u8]) -> Option<Result<Self, ApiError>> {
        let wrap = match action {
            Action::ListClusters => Self::Clusters,
            Action::DescribeClusters => Self::DescribeClusters,
            Action::ListServices => Self::Services,
            Action::ListTasks => Self::Tasks,
            Action::DescribeTaskDefinition => Self::TaskDefinition,
            _ => return None,
        };
        Some(json::read(Api::Ecs, body).map(wrap))
    }

    /// Runs the request, and returns the JSON answer.
    pub(crate) fn run(self, world: &World) -> Result<String, ApiError> {
        let answer = match self {
            Self::Clusters(body) => clusters(world, &body),
            Self::DescribeClusters(body) => describe_clusters(world, &body),
            Self::Services(body) => services(world, &body),
            Self::Tasks(body) => tasks(world, &body),
            Self::TaskDefinition(body) => task_definition(world, &body),
        };
        json::write(Api::Ecs, &answer?)
    }

    pub(crate) fn subject(&self) -> Subject {
        let (Self::Clusters(body)
        | Self::DescribeClusters(body)
        | Self::Services(body)
        | Self::Tasks(body)
        | Self::TaskDefinition(body)) = self;
        let resource = body.task_definition.clone().or_else(|| body.cluster.clone());
        Subject { resource, targets: body.clusters.clone().unwrap_or_default(), with_tags: false }
    }
}

fn clusters(world: &World, body: &ListBody) -> Result<Value, ApiError> {
    page("clusterArns", world.clusters.iter().map(|name| world.location.cluster_arn(name)).collect(), body, 100)
}

fn services(world: &World, body: &ListBody) -> Result<Value, ApiError> {
    let cluster = find_cluster(world, body.cluster.as_deref().unwrap_or("default"))?;
    let prefix = world.location.service_arn(cluster, "");
    let all: BTreeSet<&String> = world.services.keys().chain(world.described.services.keys()).collect();
    page("serviceArns", all.into_iter().filter(|arn| arn.starts_with(&prefix)).cloned().collect(), body, 10)
}

fn tasks(world: &World, body: &ListBody) -> Result<Value, ApiError> {
    let cluster = find_cluster(world, body.cluster.as_deref().unwrap_or("default"))?;
    let group = body.service_name.as_ref().map(|name| format!("service:{name}"));
    let wanted = body.desired_status.as_deref().unwrap_or("RUNNING");
    let is_wanted = |is_stopped: bool| is_stopped == (wanted == "STOPPED");
    let of_it = world
        .tasks
        .iter()
        .filter(|(_, task)| task.cluster == cluster && is_wanted(task.desired_status == TaskStatus::Stopped));
    let of_service = of_it.filter(|(_, task)| group.as_ref().is_none_or(|group| task.group == *group));
    let prefix = world.location.task_arn(cluster, "");
    let described = world.described.tasks.iter().filter(|(arn, _)| arn.starts_with(&prefix));
    let of_group = |task: &Value| task.get("group").and_then(Value::as_str).map(str::to_owned);
    let described = described.filter(|(_, task)| group.is_none() || of_group(task) == group);
    let is_stopped = |task: &Value| task.get("desiredStatus").and_then(Value::as_str) == Some("STOPPED");
    let described = described.filter(|(_, task)| is_wanted(is_stopped(task)));
    let all: BTreeSet<&String> = of_service.map(|(arn, _)| arn).chain(described.map(|(arn, _)| arn)).collect();
    page("taskArns", all.into_iter().cloned().collect(), body, 100)
}

fn page(field: &str, all: Vec<String>, body: &ListBody, default: usize) -> Result<Value, ApiError> {
    let size = body.max_results.unwrap_or(default);
    let start = body.next_token.as_deref().map_or(Ok(0), str::parse::<usize>);
    let wrong = || ApiError::invalid(Api::Ecs, "Invalid token or page size");
    let start = start.ok().filter(|_| (1..=100).contains(&size)).ok_or_else(wrong)?;
    let more = all.len() > start.saturating_add(size);
    let items: Vec<_> = all.into_iter().skip(start).take(size).collect();
    let mut answer = json!({ field: items });
    if let Some(fields) = answer.as_object_mut().filter(|_| more) {
        fields.insert("nextToken".to_owned(), (start + size).to_string().into());
    }
    Ok(answer)
}

fn describe_clusters(world: &World, body: &ListBody) -> Result<Value, ApiError> {
    let named = body.clusters.clone().unwrap_or_else(|| vec!["default".to_owned()]);
    if named.len() > 100 {
        return Err(ApiError::invalid(Api::Ecs, "'clusters' must name at most 100"));
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for cluster in &named {
        match find_cluster(world, cluster) {
            Ok(name) => found.push(with(
                json!({"clusterArn": world.location.cluster_arn(name), "clusterName": name, "status": "ACTIVE"}),
                world.canned.clusters.get(name),
            )),
            Err(_) => failures.push(json!({"arn": world.location.cluster_arn(cluster), "reason": "MISSING"})),
        }
    }
    Ok(json!({"clusters": found, "failures": failures}))
}

fn task_definition(world: &World, body: &ListBody) -> Result<Value, ApiError> {
    let named = body.task_definition.as_deref().unwrap_or_default();
    let last = named.rsplit('/').next().unwrap_or(named);
    let family = last.split(':').next().unwrap_or(last);
    let fields = world.canned.task_definitions.get(family);
    let fields = fields.ok_or_else(|| ApiError::bad("ClientException", "Unable to describe task definition."))?;
    let base =
        json!({"taskDefinitionArn": world.location.task_definition_arn(family), "family": family, "revision": 1});
    Ok(json!({"taskDefinition": with(base, Some(fields))}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ecs::service::Service;
    use crate::model::scene::Scene;

    fn asked(world: &World, action: Action, body: &str) -> Value {
        let answer = ListRequest::parse(action, body.as_bytes()).unwrap().unwrap().run(world).unwrap();
        serde_json::from_str(&answer).unwrap()
    }

    #[test]
    fn services_come_in_pages_of_ten() {
        let mut world = World::new();
        for number in 0..25 {
            world.add_service(Service::new("many", &format!("s{number:02}")));
        }
        let (mut token, mut sizes) = (None, Vec::new());
        loop {
            let body = json!({"cluster": "many", "nextToken": token}).to_string();
            let answer = asked(&world, Action::ListServices, &body);
            sizes.push(answer["serviceArns"].as_array().unwrap().len());
            token = answer["nextToken"].as_str().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        assert_eq!(sizes, [10, 10, 5]);
    }

    #[test]
    fn a_cluster_shows_its_capacity_providers_and_a_missing_one_is_a_failure() {
        let world = Scene::demo().world;
        let answer = asked(&world, Action::DescribeClusters, r#"{"clusters": ["demo", "nobody"]}"#);
        assert_eq!(answer["clusters"][0]["capacityProviders"], json!(["FARGATE", "FARGATE_SPOT"]));
        assert_eq!(answer["failures"][0]["reason"], "MISSING");
    }

    #[test]
    fn a_task_definition_is_found_by_family_revision_or_arn() {
        let world = Scene::demo().world;
        for name in ["logstash", "logstash:1", "arn:aws:ecs:eu-central-1:123456789012:task-definition/logstash:1"] {
            let answer = asked(&world, Action::DescribeTaskDefinition, &json!({"taskDefinition": name}).to_string());
            assert_eq!(answer["taskDefinition"]["containerDefinitions"][0]["name"], "logstash");
        }
        let request = ListRequest::parse(Action::DescribeTaskDefinition, br#"{"taskDefinition": "x"}"#).unwrap();
        assert_eq!(request.unwrap().run(&world).unwrap_err().code, "ClientException");
    }
}

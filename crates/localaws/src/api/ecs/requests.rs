//! Parses the requests of ECS (botocore, `ecs`, 2014-11-13).
//!
//! A call names at most ten services or a hundred tasks of one cluster (API reference, `DescribeServices`, `DescribeTasks`).

use std::time::Duration;

use serde::Deserialize;

use crate::api::ecs::describe;
use crate::api::ecs::lists::ListRequest;
use crate::call::action::{Action, Api};
use crate::call::error::ApiError;
use crate::call::log::Subject;
use crate::model::world::World;
use crate::protocol::json;

/// A well-formed request.
#[derive(Debug, Clone)]
pub(crate) enum EcsRequest {
    Services(Query),
    Tasks(Query),
    Revisions { arns: Vec<String>, missing: bool },
    Stop(StopBody),
    Other(ListRequest),
}

/// The services or tasks of a cluster that a request names.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(super) cluster: String,
    pub(super) names: Vec<String>,
    pub(super) with_tags: bool,
    /// Whether a fault hides everything that the request names.
    pub(super) missing: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RevisionsBody {
    service_revision_arns: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct ServicesBody {
    cluster: Option<String>,
    services: Option<Vec<String>>,
    include: Option<Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct StopBody {
    cluster: Option<String>,
    task: String,
    reason: Option<String>,
}

#[derive(Deserialize)]
struct TasksBody {
    cluster: Option<String>,
    tasks: Option<Vec<String>>,
    include: Option<Vec<String>>,
}

impl EcsRequest {
    /// Parses a request; `None` for an action of another API.
    pub(crate) fn parse(action: Action, body: &[u8]) -> Option<Result<Self, ApiError>> {
        match action {
            Action::DescribeServices => Some(services_query(body).map(Self::Services)),
            Action::DescribeTasks => Some(tasks_query(body).map(Self::Tasks)),
            Action::DescribeServiceRevisions => Some(revisions(body)),
            Action::StopTask => Some(json::read(Api::Ecs, body).map(Self::Stop)),
            other => ListRequest::parse(other, body).map(|read| read.map(Self::Other)),
        }
    }

    /// Runs the request, and returns the JSON answer.
    pub(crate) fn run(self, world: &mut World, now: Duration) -> Result<String, ApiError> {
        match self {
            Self::Services(query) => describe::services(world, &query),
            Self::Tasks(query) => describe::tasks(world, &query),
            Self::Revisions { arns, missing } => describe::revisions(world, &arns, missing),
            Self::Stop(body) => stop(world, body, now),
            Self::Other(request) => request.run(world),
        }
    }

    /// The same request with every named object missing.
    pub(crate) fn with_everything_missing(self) -> Self {
        match self {
            Self::Services(query) => Self::Services(Query { missing: true, ..query }),
            Self::Tasks(query) => Self::Tasks(Query { missing: true, ..query }),
            Self::Revisions { arns, .. } => Self::Revisions { arns, missing: true },
            Self::Stop(_) | Self::Other(_) => self,
        }
    }

    pub(crate) fn subject(&self) -> Subject {
        match self {
            Self::Services(query) | Self::Tasks(query) => Subject {
                resource: Some(query.cluster.clone()),
                targets: query.names.clone(),
                with_tags: query.with_tags,
            },
            Self::Revisions { arns, .. } => Subject { targets: arns.clone(), ..Subject::default() },
            Self::Stop(body) => Subject { targets: vec![body.task.clone()], ..Subject::default() },
            Self::Other(request) => request.subject(),
        }
    }
}

fn services_query(body: &[u8]) -> Result<Query, ApiError> {
    let read: ServicesBody = json::read(Api::Ecs, body)?;
    let names = counted("services", read.services, 10)?;
    Ok(Query { cluster: cluster_or_default(read.cluster), names, with_tags: tags_asked(read.include)?, missing: false })
}

fn tasks_query(body: &[u8]) -> Result<Query, ApiError> {
    let read: TasksBody = json::read(Api::Ecs, body)?;
    let names = counted("tasks", read.tasks, 100)?;
    Ok(Query { cluster: cluster_or_default(read.cluster), names, with_tags: tags_asked(read.include)?, missing: false })
}

fn revisions(body: &[u8]) -> Result<EcsRequest, ApiError> {
    let read: RevisionsBody = json::read(Api::Ecs, body)?;
    let arns = counted("serviceRevisionArns", read.service_revision_arns, describe::MAX_REVISIONS)?;
    Ok(EcsRequest::Revisions { arns, missing: false })
}

/// `StopTask`. Only the desired status changes: what follows is up to the simulation's user.
/// Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html>
fn stop(world: &mut World, body: StopBody, now: Duration) -> Result<String, ApiError> {
    let cluster = cluster_or_default(body.cluster);
    let cluster = find_cluster(world, &cluster)?;
    let arn = world.location.task_arn(cluster, last_part(cluster, "task", &body.task)?);
    let reason = body.reason.unwrap_or_default();
    world.stop_task(&arn, &reason, now).map_err(|_| invalid("The referenced task was not found.".to_owned()))?;
    describe::stopped(world, &arn)
}

/// The API's default cluster is `default`.
fn cluster_or_default(cluster: Option<String>) -> String {
    cluster.unwrap_or_else(|| "default".to_owned())
}

fn counted(field: &str, names: Option<Vec<String>>, most: usize) -> Result<Vec<String>, ApiError> {
    let names = names.unwrap_or_default();
    if names.is_empty() || names.len() > most {
        return Err(invalid(format!("'{field}' must name 1 to {most}, not {}", names.len())));
    }
    Ok(names)
}

fn tags_asked(include: Option<Vec<String>>) -> Result<bool, ApiError> {
    let include = include.unwrap_or_default();
    match include.iter().find(|field| *field != "TAGS") {
        Some(other) => Err(invalid(format!("'include' can name TAGS, not '{other}'"))),
        None => Ok(!include.is_empty()),
    }
}

/// Finds a cluster by name or ARN.
pub(crate) fn find_cluster<'a>(world: &World, cluster: &'a str) -> Result<&'a str, ApiError> {
    let name = cluster.rsplit_once(":cluster/").map_or(cluster, |(_, name)| name);
    let named = name == cluster || world.location.cluster_arn(name) == cluster;
    let missing = || ApiError::bad("ClusterNotFoundException", "Cluster not found.");
    if named && world.clusters.contains(name) { Ok(name) } else { Err(missing()) }
}

/// Returns the name in `KIND/CLUSTER/NAME` (or the old `KIND/NAME`) of an ARN; anything else is a name already.
pub(super) fn last_part<'a>(cluster: &str, kind: &str, given: &'a str) -> Result<&'a str, ApiError> {
    let Some((_, resource)) = given.split_once(&format!(":{kind}/")) else {
        return Ok(given);
    };
    match resource.split_once('/') {
        None => Ok(resource),
        Some((of, name)) if of == cluster => Ok(name),
        Some((of, _)) => {
            Err(invalid(format!("Invalid identifier: Identifier is for cluster {of}. Your cluster is {cluster}")))
        }
    }
}

pub(super) fn invalid(message: String) -> ApiError {
    ApiError::invalid(Api::Ecs, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(action: Action, body: &str) -> ApiError {
        EcsRequest::parse(action, body.as_bytes()).unwrap().unwrap_err()
    }

    #[test]
    fn a_malformed_request_gets_an_error_that_says_why() {
        let eleven = format!(r#"{{"services":{}}}"#, serde_json::to_string(&["a"; 11]).unwrap());
        let table = [
            (Action::DescribeServices, "{}", "'services' must name 1 to 10, not 0"),
            (Action::DescribeServices, eleven.as_str(), "'services' must name 1 to 10, not 11"),
            (Action::DescribeTasks, r#"{"tasks":[]}"#, "'tasks' must name 1 to 100, not 0"),
            (Action::DescribeTasks, r#"{"tasks":["a"],"include":["X"]}"#, "'include' can name TAGS, not 'X'"),
            (Action::DescribeTasks, r#"{"tasks":7}"#, "expected a sequence"),
            (Action::DescribeTasks, "", "EOF"),
            (Action::DescribeServiceRevisions, "{}", "'serviceRevisionArns' must name 1 to 20, not 0"),
        ];
        for (action, body, text) in table {
            let error = error(action, body);
            assert_eq!(error.code, "InvalidParameterException");
            assert!(error.message.contains(text), "{}", error.message);
        }
    }

    #[test]
    fn clusters_and_services_are_found_by_name_or_arn() {
        let mut world = World::new();
        let arn = world.add_cluster("demo");
        assert_eq!(find_cluster(&world, "demo").unwrap(), "demo");
        assert_eq!(find_cluster(&world, &arn).unwrap(), "demo");
        assert_eq!(find_cluster(&world, "nobody").unwrap_err().code, "ClusterNotFoundException");
        let service = world.location.service_arn("demo", "logstash");
        assert_eq!(last_part("demo", "service", &service).unwrap(), "logstash");
        assert!(
            last_part("other", "service", &service)
                .unwrap_err()
                .message
                .contains("Identifier is for cluster demo. Your cluster is other")
        );
    }
}

//! How does ECS read its requests, and what does each answer?
//!
//! Limits and failures are those of the API's `DescribeServices` and `DescribeTasks` (botocore, `ecs`, 2014-11-13): ten
//! services or a hundred tasks of one cluster a call, and what is not there is a failure `MISSING` of a call that succeeds.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::ecs::describe;
use crate::api::ecs::lists::ListRequest;
use crate::api::ecs::shapes::{self, ServiceShape};
use crate::call::action::{Action, Api};
use crate::call::error::ApiError;
use crate::call::log::Subject;
use crate::model::canned::with;
use crate::model::ecs::described::shown;
use crate::model::world::World;
use crate::protocol::json;

/// A request that is well formed.
#[derive(Debug, Clone)]
pub(crate) enum EcsRequest {
    Services(Query),
    Tasks(Query),
    Revisions { arns: Vec<String>, missing: bool },
    Other(ListRequest),
}

/// What is asked for, of which cluster.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    cluster: String,
    names: Vec<String>,
    with_tags: bool,
    /// Whether a fault hides all of it.
    missing: bool,
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

#[derive(Deserialize)]
struct TasksBody {
    cluster: Option<String>,
    tasks: Option<Vec<String>>,
    include: Option<Vec<String>>,
}

#[derive(Serialize)]
struct ServicesAnswer {
    services: Vec<Value>,
    failures: Vec<Failure>,
}

#[derive(Serialize)]
struct TasksAnswer {
    tasks: Vec<Value>,
    failures: Vec<Failure>,
}

#[derive(Serialize)]
struct Failure {
    arn: String,
    reason: &'static str,
}

impl EcsRequest {
    /// Reads a request, or gives none for an action of another API.
    pub(crate) fn parse(action: Action, body: &[u8]) -> Option<Result<Self, ApiError>> {
        match action {
            Action::DescribeServices => Some(services_query(body).map(Self::Services)),
            Action::DescribeTasks => Some(tasks_query(body).map(Self::Tasks)),
            Action::DescribeServiceRevisions => Some(revisions(body)),
            other => ListRequest::parse(other, body).map(|read| read.map(Self::Other)),
        }
    }

    /// Answers, in JSON.
    pub(crate) fn run(self, world: &World) -> Result<String, ApiError> {
        match self {
            Self::Services(query) => describe_services(world, &query),
            Self::Tasks(query) => describe_tasks(world, &query),
            Self::Revisions { arns, missing } => describe::describe(world, &arns, missing),
            Self::Other(request) => request.run(world),
        }
    }

    /// The same request, which finds nothing that it names.
    pub(crate) fn with_everything_missing(self) -> Self {
        match self {
            Self::Services(query) => Self::Services(Query { missing: true, ..query }),
            Self::Tasks(query) => Self::Tasks(Query { missing: true, ..query }),
            Self::Revisions { arns, .. } => Self::Revisions { arns, missing: true },
            Self::Other(request) => Self::Other(request),
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
    let arns = counted("serviceRevisionArns", read.service_revision_arns, describe::MOST_A_CALL)?;
    Ok(EcsRequest::Revisions { arns, missing: false })
}

/// Without a name the cluster is `default`, as the API says.
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

fn describe_services(world: &World, query: &Query) -> Result<String, ApiError> {
    let cluster = find_cluster(world, &query.cluster)?;
    let mut answer = ServicesAnswer { services: Vec::new(), failures: Vec::new() };
    for name in &query.names {
        let arn = world.location.service_arn(cluster, last_part(cluster, "service", name)?);
        match service(world, &arn, query.with_tags)?.filter(|_| !query.missing) {
            Some(service) => answer.services.push(service),
            None => answer.failures.push(Failure { arn, reason: "MISSING" }),
        }
    }
    json::write(Api::Ecs, &answer)
}

fn service(world: &World, arn: &str, with_tags: bool) -> Result<Option<Value>, ApiError> {
    if let Some(object) = world.described.services.get(arn) {
        return Ok(Some(shown(object, with_tags)));
    }
    let Some(service) = world.services.get(arn) else {
        return Ok(None);
    };
    let shape = ServiceShape::of(world, arn, service, with_tags);
    let shape = serde_json::to_value(shape).map_err(|_| ApiError::internal(Api::Ecs))?;
    Ok(Some(with(shape, world.canned.services.get(arn))))
}

fn task(world: &World, arn: &str, with_tags: bool) -> Option<Value> {
    let described = world.described.tasks.get(arn).map(|object| shown(object, with_tags));
    described.or_else(|| world.tasks.get(arn).map(|task| shapes::task(world, arn, task, with_tags)))
}

fn describe_tasks(world: &World, query: &Query) -> Result<String, ApiError> {
    let cluster = find_cluster(world, &query.cluster)?;
    let mut answer = TasksAnswer { tasks: Vec::new(), failures: Vec::new() };
    for name in &query.names {
        let id = last_part(cluster, "task", name)?;
        if !matches!(id.len(), 32 | 36) {
            return Err(invalid(format!("the id of task '{name}' must have 32 or 36 characters")));
        }
        let arn = world.location.task_arn(cluster, id);
        match task(world, &arn, query.with_tags).filter(|_| !query.missing) {
            Some(task) => answer.tasks.push(task),
            None => answer.failures.push(Failure { arn, reason: "MISSING" }),
        }
    }
    json::write(Api::Ecs, &answer)
}

/// A cluster by name or by ARN.
pub(crate) fn find_cluster<'a>(world: &World, cluster: &'a str) -> Result<&'a str, ApiError> {
    let name = cluster.rsplit_once(":cluster/").map_or(cluster, |(_, name)| name);
    let named = name == cluster || world.location.cluster_arn(name) == cluster;
    let missing = || ApiError::bad("ClusterNotFoundException", "Cluster not found.");
    if named && world.clusters.contains(name) { Ok(name) } else { Err(missing()) }
}

/// The name in `KIND/CLUSTER/NAME` (or the old `KIND/NAME`) of an ARN, or what is given itself.
fn last_part<'a>(cluster: &str, kind: &str, given: &'a str) -> Result<&'a str, ApiError> {
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

fn invalid(message: String) -> ApiError {
    ApiError::invalid(Api::Ecs, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(action: Action, body: &str) -> ApiError {
        EcsRequest::parse(action, body.as_bytes()).unwrap().unwrap_err()
    }

    #[test]
    fn a_malformed_request_is_told_what_is_wrong() {
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

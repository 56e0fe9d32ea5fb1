//! The answers of `DescribeServices`, `DescribeTasks` and `DescribeServiceRevisions`.
//!
//! An object that does not exist is a failure `MISSING` in a call that succeeds (API reference).

use serde::Serialize;
use serde_json::{Value, json};

use crate::api::ecs::requests::{Query, find_cluster, invalid, last_part};
use crate::api::ecs::shapes::{self, ServiceShape};
use crate::call::action::Api;
use crate::call::error::ApiError;
use crate::model::canned::with;
use crate::model::ecs::described::shown;
use crate::model::world::World;
use crate::protocol::json;

/// The limit of `DescribeServiceRevisions` per call.
pub(crate) const MAX_REVISIONS: usize = 20;

#[derive(Serialize)]
struct ServicesAnswer {
    services: Vec<Value>,
    failures: Vec<DescribeFailure>,
}

#[derive(Serialize)]
struct TasksAnswer {
    tasks: Vec<Value>,
    failures: Vec<DescribeFailure>,
}

#[derive(Serialize)]
struct DescribeFailure {
    arn: String,
    reason: &'static str,
}

/// `DescribeServices`.
pub(crate) fn services(world: &World, query: &Query) -> Result<String, ApiError> {
    let cluster = find_cluster(world, &query.cluster)?;
    let mut answer = ServicesAnswer { services: Vec::new(), failures: Vec::new() };
    for name in &query.names {
        let arn = world.location.service_arn(cluster, last_part(cluster, "service", name)?);
        match service(world, &arn, query.with_tags)?.filter(|_| !query.missing) {
            Some(service) => answer.services.push(service),
            None => answer.failures.push(DescribeFailure { arn, reason: "MISSING" }),
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

/// `DescribeTasks`.
pub(crate) fn tasks(world: &World, query: &Query) -> Result<String, ApiError> {
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
            None => answer.failures.push(DescribeFailure { arn, reason: "MISSING" }),
        }
    }
    json::write(Api::Ecs, &answer)
}

/// The answer of `StopTask`.
pub(crate) fn stopped(world: &World, arn: &str) -> Result<String, ApiError> {
    json::write(Api::Ecs, &json!({"task": task(world, arn, false)}))
}

/// `DescribeServiceRevisions`. With `missing`, every revision is reported as missing.
pub(crate) fn revisions(world: &World, arns: &[String], missing: bool) -> Result<String, ApiError> {
    if let Some(wrong) = arns.iter().find(|arn| !arn.contains(":service-revision/")) {
        return Err(ApiError::invalid(Api::Ecs, format!("'{wrong}' is not the ARN of a service revision")));
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for arn in arns {
        match revision(world, arn).filter(|_| !missing) {
            Some(revision) => found.push(revision),
            None => failures.push(json!({"arn": arn, "reason": "MISSING"})),
        }
    }
    json::write(Api::Ecs, &json!({"serviceRevisions": found, "failures": failures}))
}

fn revision(world: &World, arn: &str) -> Option<Value> {
    let described = world.described.revisions.get(arn).map(|object| shown(object, false));
    described.or_else(|| {
        world.services.iter().find_map(|(service_arn, service)| {
            let revision = service.revisions.iter().find(|revision| revision.arn == arn)?;
            Some(revision.described(service_arn, &world.location.cluster_arn(&service.cluster)))
        })
    })
}

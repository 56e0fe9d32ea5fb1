//! Which service revisions are there? A call names 20 at most, and an unknown one is a failure `MISSING` of a call that
//! succeeds (ECS API, `DescribeServiceRevisions`).

use serde_json::{Value, json};

use crate::call::action::Api;
use crate::call::error::ApiError;
use crate::model::ecs::described::shown;
use crate::model::world::World;
use crate::protocol::json;

pub(crate) const MOST_A_CALL: usize = 20;

/// The revisions of these ARNs, in JSON; with `missing` none of them is found.
pub(crate) fn describe(world: &World, arns: &[String], missing: bool) -> Result<String, ApiError> {
    if let Some(wrong) = arns.iter().find(|arn| !arn.contains(":service-revision/")) {
        return Err(ApiError::invalid(Api::Ecs, format!("'{wrong}' is not the ARN of a service revision")));
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for arn in arns {
        match find(world, arn).filter(|_| !missing) {
            Some(revision) => found.push(revision),
            None => failures.push(json!({"arn": arn, "reason": "MISSING"})),
        }
    }
    json::write(Api::Ecs, &json!({"serviceRevisions": found, "failures": failures}))
}

fn find(world: &World, arn: &str) -> Option<Value> {
    let described = world.described.revisions.get(arn).map(|object| shown(object, false));
    described.or_else(|| {
        world.services.iter().find_map(|(service_arn, service)| {
            let revision = service.revisions.iter().find(|revision| revision.arn == arn)?;
            Some(revision.described(service_arn, &world.location.cluster_arn(&service.cluster)))
        })
    })
}

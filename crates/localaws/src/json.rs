//! How does awsJson1.1 name the action, read a request, and write an answer or an error?

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::action::Api;
use crate::error::ApiError;

/// The part of `X-Amz-Target` before the action, for ECS.
const ECS: &str = "AmazonEC2ContainerServiceV20141113";

/// The API and the action that `X-Amz-Target` names, or none of an API that is not played.
pub(crate) fn target(header: &str) -> Option<(Api, &str)> {
    match header.split_once('.')? {
        (ECS, action) => Some((Api::Ecs, action)),
        _ => None,
    }
}

pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body)
        .map_err(|error| ApiError::invalid(Api::Ecs, format!("the body cannot be read: {error}")))
}

pub(crate) fn write(value: &impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string(value).map_err(|_| ApiError::internal(Api::Ecs))
}

pub(crate) fn error(error: &ApiError) -> String {
    json!({"__type": error.code, "message": error.message}).to_string()
}

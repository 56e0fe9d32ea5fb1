//! How do the JSON protocols name the action, read a request, and write an answer or an error?
//!
//! ECS and EventBridge speak awsJson1.1, SQS awsJson1.0. SQS names an error twice: in the body, and for callers from the time of its query
//! protocol in a header (Smithy, trait `awsQueryCompatible`).

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::call::action::Api;
use crate::call::error::ApiError;

/// The part of `X-Amz-Target` before the action, for each API.
const ECS: &str = "AmazonEC2ContainerServiceV20141113";
const SQS: &str = "AmazonSQS";
const EVENTS: &str = "AWSEvents";
const SCALING: &str = "AnyScaleFrontendService";

/// The API and the action that `X-Amz-Target` names, or none of an API that is not played.
pub(crate) fn target(header: &str) -> Option<(Api, &str)> {
    match header.split_once('.')? {
        (ECS, action) => Some((Api::Ecs, action)),
        (SQS, action) => Some((Api::Sqs, action)),
        (EVENTS, action) => Some((Api::Events, action)),
        (SCALING, action) => Some((Api::Scaling, action)),
        _ => None,
    }
}

pub(crate) fn read<T: DeserializeOwned>(api: Api, body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| ApiError::invalid(api, format!("the body cannot be read: {error}")))
}

pub(crate) fn write(api: Api, value: &impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string(value).map_err(|_| ApiError::internal(api))
}

/// An error with its type as the API names it, which is the code itself for ECS.
pub(crate) fn error(kind: &str, error: &ApiError) -> String {
    json!({"__type": kind, "message": error.message}).to_string()
}

//! The JSON protocols: the action header, requests, answers and errors.
//!
//! ECS and EventBridge speak awsJson1.1, SQS awsJson1.0. SQS names an error twice: in the body, and
//! for older clients in a header (Smithy, trait `awsQueryCompatible`).

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

/// Parses `X-Amz-Target` into API and action; `None` for an API that is not simulated.
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
    serde_json::from_slice(body).map_err(|error| ApiError::invalid(api, format!("cannot parse the body: {error}")))
}

pub(crate) fn write(api: Api, value: &impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string(value).map_err(|_| ApiError::internal(api))
}

/// An error; `kind` is its type as the API writes it, for ECS the code itself.
pub(crate) fn error(kind: &str, error: &ApiError) -> String {
    json!({"__type": kind, "message": error.message}).to_string()
}

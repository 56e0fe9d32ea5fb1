//! What can go wrong: an API's error as every protocol can write it, and the mistakes of a caller of [`World`](crate::World).

use crate::call::action::{Action, Api};
use crate::location;

/// An API's error, before a protocol writes it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl ApiError {
    /// The caller's fault: status 400.
    pub(crate) fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: 400, code, message: message.into() }
    }

    /// A request that the API cannot take as it stands, in the API's own code.
    pub(crate) fn invalid(api: Api, message: impl Into<String>) -> Self {
        match api {
            Api::Elb | Api::Iam | Api::Sts => Self::bad("ValidationError", message),
            Api::Ecs => Self::bad("InvalidParameterException", message),
            Api::Events | Api::Scaling => Self::bad("ValidationException", message),
            Api::Lambda => Self::bad("InvalidParameterValueException", message),
            Api::Sqs => Self::bad("InvalidParameterValue", message),
        }
    }

    pub(crate) fn group_not_found() -> Self {
        Self::bad("TargetGroupNotFound", "One or more target groups not found")
    }

    pub(crate) fn invalid_target(ids: &[&str]) -> Self {
        Self::bad("InvalidTarget", format!("The following targets are not valid: {}", quoted(ids)))
    }

    pub(crate) fn zone_required(id: &str) -> Self {
        let message = format!(
            "The Availability Zone for IP address '{id}' must be 'all' for Application Load Balancer target groups, \
             when not within the VPC"
        );
        Self::bad("ValidationError", message)
    }

    /// The code differs between the APIs; the SDKs take both for throttling.
    pub(crate) fn throttled(api: Api) -> Self {
        let code = match api {
            Api::Elb | Api::Iam | Api::Sts => "Throttling",
            Api::Ecs | Api::Events | Api::Scaling => "ThrottlingException",
            Api::Lambda => "TooManyRequestsException",
            Api::Sqs => "RequestThrottled",
        };
        Self::bad(code, "Rate exceeded")
    }

    pub(crate) fn access_denied(caller: &str, action: Action, resource: &str) -> Self {
        let permission = action.permission();
        let resource = if action.api() == Api::Sqs { location::queue_arn(resource) } else { resource.to_owned() };
        // Elastic Load Balancing describes without resources, and names none.
        let is_without = action.api() == Api::Elb && action.name().starts_with("Describe");
        let on = if is_without { String::new() } else { format!(" on resource: {resource}") };
        let message = format!(
            "User: {caller} is not authorized to perform: {permission}{on} \
             because no identity-based policy allows the {permission} action"
        );
        match action.api() {
            Api::Elb | Api::Iam | Api::Sts | Api::Sqs => Self { status: 403, code: "AccessDenied", message },
            Api::Ecs | Api::Events | Api::Scaling => Self::bad("AccessDeniedException", message),
            Api::Lambda => Self { status: 403, code: "AccessDeniedException", message },
        }
    }

    pub(crate) fn internal(api: Api) -> Self {
        let code = match api {
            Api::Elb | Api::Sqs | Api::Sts => "InternalFailure",
            Api::Ecs => "ServerException",
            Api::Events => "InternalException",
            Api::Scaling => "InternalServiceException",
            Api::Lambda => "ServiceException",
            Api::Iam => "ServiceFailure",
        };
        Self { status: 500, code, message: "The request failed because of an internal error".to_owned() }
    }

    pub(crate) fn unavailable() -> Self {
        let message = "The service cannot handle the request at present".to_owned();
        Self { status: 503, code: "ServiceUnavailable", message }
    }
}

fn quoted(ids: &[&str]) -> String {
    ids.iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ")
}

/// A call of [`World`](crate::World) that names what is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorldError {
    /// No target group has this ARN.
    #[error("no target group {0}")]
    NoGroup(String),
    /// The target group has no such target, neither active nor draining.
    #[error("no target {target} in {group}")]
    NoTarget {
        /// The target group's ARN.
        group: String,
        /// The target, as `id:port`.
        target: String,
    },
    /// No task has this ARN.
    #[error("no task {0}")]
    NoTask(String),
    /// The task has no address that the target group can take.
    #[error("task {0} has no address for this target group")]
    NoAddress(String),
    /// No queue has this name, ARN or URL.
    #[error("no queue {0}")]
    NoQueue(String),
    /// The queue never gave this receipt handle.
    #[error("{0} is no receipt handle of this queue")]
    NoReceipt(String),
}

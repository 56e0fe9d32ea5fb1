//! The error of an API call, independent of the protocol, and the error of a [`World`](crate::World) method.

use crate::call::action::{Action, Api};
use crate::location;

/// The error of an API call, independent of the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl ApiError {
    /// A client error: status 400.
    pub(crate) fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: 400, code, message: message.into() }
    }

    /// A malformed request, with the API's code for it.
    pub(crate) fn invalid(api: Api, message: impl Into<String>) -> Self {
        match api {
            Api::Elb | Api::Iam | Api::Sts => Self::bad("ValidationError", message),
            Api::Ecs => Self::bad("InvalidParameterException", message),
            Api::Events | Api::Scaling => Self::bad("ValidationException", message),
            Api::Lambda => Self::bad("InvalidParameterValueException", message),
            Api::Sqs => Self::bad("InvalidParameterValue", message),
            Api::Sns => Self::bad("InvalidParameter", message),
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

    /// The code differs between the APIs; the SDKs treat all of them as throttling.
    pub(crate) fn throttled(api: Api) -> Self {
        let code = match api {
            Api::Elb | Api::Iam | Api::Sts => "Throttling",
            Api::Sns => "Throttled",
            Api::Ecs | Api::Events | Api::Scaling => "ThrottlingException",
            Api::Lambda => "TooManyRequestsException",
            Api::Sqs => "RequestThrottled",
        };
        Self::bad(code, "Rate exceeded")
    }

    pub(crate) fn access_denied(caller: &str, action: Action, resource: &str) -> Self {
        let permission = action.permission();
        let resource = if action.api() == Api::Sqs { location::queue_arn(resource) } else { resource.to_owned() };
        // The `Describe` actions of ELB have no resource-level permissions, so the message has no resource.
        let is_without = action.api() == Api::Elb && action.name().starts_with("Describe");
        let on = if is_without { String::new() } else { format!(" on resource: {resource}") };
        let message = format!(
            "User: {caller} is not authorized to perform: {permission}{on} \
             because no identity-based policy allows the {permission} action"
        );
        match action.api() {
            Api::Elb | Api::Iam | Api::Sts | Api::Sqs => Self { status: 403, code: "AccessDenied", message },
            Api::Sns => Self { status: 403, code: "AuthorizationError", message },
            Api::Ecs | Api::Events | Api::Scaling => Self::bad("AccessDeniedException", message),
            Api::Lambda => Self { status: 403, code: "AccessDeniedException", message },
        }
    }

    pub(crate) fn internal(api: Api) -> Self {
        let code = match api {
            Api::Elb | Api::Sqs | Api::Sts => "InternalFailure",
            Api::Sns => "InternalError",
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

/// A [`World`](crate::World) method was called with the name of something that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorldError {
    #[error("target group not found: {0}")]
    NoGroup(String),
    /// The target is neither registered nor draining.
    #[error("target not found: {target} in {group}")]
    NoTarget {
        group: String,
        /// `id:port`
        target: String,
    },
    #[error("task not found: {0}")]
    NoTask(String),
    /// The task has no address of the target group's type.
    #[error("task {0} has no address for this target group")]
    NoAddress(String),
    #[error("queue not found: {0}")]
    NoQueue(String),
    /// The receipt handle is not from this queue.
    #[error("{0} is not a receipt handle of this queue")]
    NoReceipt(String),
}

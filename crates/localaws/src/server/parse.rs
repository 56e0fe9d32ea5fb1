//! Parses an HTTP request into a call of one of the APIs, as far as possible: an unknown or malformed call is parsed to its error.

use crate::api::ecs::EcsRequest;
use crate::api::elb::{self, ElbRequest};
use crate::api::iam::{self, IamRequest};
use crate::api::lambda_and_events::CannedRequest;
use crate::api::sns;
use crate::api::sqs::SqsRequest;
use crate::call::action::{Action, Api};
use crate::call::error::ApiError;
use crate::call::log::Subject;
use crate::model::canned::PublishedMessage;
use crate::protocol::Incoming;
use crate::protocol::form::Form;
use crate::protocol::json;
use crate::protocol::query;

/// A call, parsed as far as possible.
pub(crate) struct ParsedCall {
    pub(crate) api: Api,
    pub(crate) name: String,
    pub(crate) action: Option<Action>,
    pub(crate) subject: Subject,
    pub(crate) request: Result<ApiRequest, ApiError>,
}

pub(crate) enum ApiRequest {
    Elb(ElbRequest),
    Ecs(EcsRequest),
    Sqs(SqsRequest),
    Canned(CannedRequest),
    Iam(IamRequest),
    Publish(PublishedMessage),
}

impl ApiRequest {
    /// For an ECS call that supports failures, makes everything missing if `missing` is set.
    pub(crate) fn or_missing(self, missing: bool) -> Self {
        match self {
            Self::Ecs(request) if missing => Self::Ecs(request.with_everything_missing()),
            request => request,
        }
    }
}

impl ParsedCall {
    /// Parses a request. The target header identifies the JSON APIs, and the path Lambda; all others use the query protocol.
    pub(crate) fn parse(incoming: &Incoming<'_>) -> Self {
        match incoming.target {
            Some(target) => parse_json(target, incoming.body),
            None if CannedRequest::is_lambda(incoming.path) => parse_rest(incoming),
            None => parse_query(&Form::parse(incoming.body)),
        }
    }
}

fn parse_json(target: &str, body: &[u8]) -> ParsedCall {
    let (api, name) = json::target(target).unwrap_or((Api::Ecs, target));
    let action = Action::named(name).filter(|action| action.api() == api && name != target);
    let unknown = || {
        ApiError::bad(
            "UnknownOperationException",
            format!("Unknown operation '{target}': the local AWS does not simulate it"),
        )
    };
    let read = action.and_then(|action| json_request(action, body)).unwrap_or_else(|| Err(unknown()));
    let (request, subject) = match read {
        Ok((request, subject)) => (Ok(request), subject),
        Err(error) => (Err(error), Subject::default()),
    };
    ParsedCall { api, name: name.to_owned(), action, subject, request }
}

fn json_request(action: Action, body: &[u8]) -> Option<Result<(ApiRequest, Subject), ApiError>> {
    let ecs = || EcsRequest::parse(action, body).map(|read| read.map(|one| (one.subject(), ApiRequest::Ecs(one))));
    let sqs = || SqsRequest::parse(action, body).map(|read| read.map(|one| (one.subject(), ApiRequest::Sqs(one))));
    let events =
        || CannedRequest::parse(action, body).map(|read| read.map(|one| (one.subject(), ApiRequest::Canned(one))));
    ecs().or_else(sqs).or_else(events).map(|read| read.map(|(subject, request)| (request, subject)))
}

/// The version identifies the API.
fn parse_query(form: &Form) -> ParsedCall {
    let name = form.get("Action").unwrap_or_default();
    let version = form.get("Version").unwrap_or_default();
    let api = query::api(version);
    let action = Action::named(name).filter(|action| Some(action.api()) == api);
    let request = action.and_then(|action| query_request(action, form));
    let request = request.unwrap_or_else(|| Err(no_such_action(name, version)));
    let api = api.unwrap_or(Api::Elb);
    let subject = match api {
        Api::Iam => iam::subject(form),
        Api::Sns => sns::subject(form),
        _ => elb::subject(form),
    };
    ParsedCall { api, name: name.to_owned(), action, subject, request }
}

fn query_request(action: Action, form: &Form) -> Option<Result<ApiRequest, ApiError>> {
    let elb = ElbRequest::parse(action, form).map(|read| read.map(ApiRequest::Elb));
    let iam = || IamRequest::parse(action, form).map(|read| read.map(ApiRequest::Iam));
    let publish = || sns::parse(action, form).map(|read| read.map(ApiRequest::Publish));
    elb.or_else(iam).or_else(publish)
}

/// Method and path identify Lambda's calls.
fn parse_rest(incoming: &Incoming<'_>) -> ParsedCall {
    let read = CannedRequest::of_path(incoming.method, incoming.path, incoming.query);
    let unknown =
        || ApiError { status: 404, ..ApiError::bad("UnknownOperationException", "Not implemented by the local AWS") };
    let Some((action, request)) = read else {
        return ParsedCall {
            api: Api::Lambda,
            name: incoming.path.to_owned(),
            action: None,
            subject: Subject::default(),
            request: Err(unknown()),
        };
    };
    let (subject, request) = (request.subject(), Ok(ApiRequest::Canned(request)));
    ParsedCall { api: Api::Lambda, name: action.name().to_owned(), action: Some(action), subject, request }
}

fn no_such_action(name: &str, version: &str) -> ApiError {
    if name.is_empty() {
        return ApiError::bad("MissingAction", "The request names no action");
    }
    ApiError::bad(
        "InvalidAction",
        format!("Unknown action '{name}' of version '{version}': the local AWS does not simulate it"),
    )
}

//! Maps an HTTP request to a reaction: applies faults and throttles to the parsed call, runs it, and encodes the answer.
//!
//! Pure: takes the bytes and the time. Any request gets an answer unless a fault prevents it. The server retries a receive that
//! waits for a message.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::api::sns;
use crate::api::sqs::error as sqs_error;
use crate::api::sqs::long_poll::{LongPoll, PollAnswer, ReceiveAttempt};
use crate::call::action::{Action, Api};
use crate::call::error::ApiError;
use crate::call::fault::{Fault, FaultReply, Fired};
use crate::call::log::{Call, CallResult};
use crate::model::sqs::queues::Uneven;
use crate::model::world::World;
use crate::protocol::json;
use crate::protocol::query;
use crate::protocol::{Incoming, Reply};
use crate::server::control;
use crate::server::parse::{ApiRequest, ParsedCall};

/// What the server does with the request.
#[derive(Debug, Clone)]
pub(crate) enum Reaction {
    Answer { reply: Reply, after: Duration },
    Wait(Waiting),
    Reset { after: Duration },
    Hang,
}

/// A call that waits for a message.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    poll: LongPoll,
    /// Delay of the answer after its result is known.
    after: Duration,
}

/// Handles a request.
pub(crate) fn react(world: &mut World, incoming: &Incoming<'_>, now: Duration) -> Reaction {
    if incoming.path.starts_with("/_local/") {
        let reply = control::answer(world, incoming, now);
        return Reaction::Answer { reply, after: Duration::ZERO };
    }
    call(world, ParsedCall::parse(incoming), incoming.origin, now)
}

/// Tries again to answer a waiting call.
pub(crate) fn retry(world: &mut World, waiting: &Waiting, now: Duration) -> ReceiveAttempt<Reaction> {
    match waiting.poll.try_receive(world, now).transpose() {
        None => ControlFlow::Continue(waiting.poll.retry_at(world, now)),
        Some(result) => {
            ControlFlow::Break(Reaction::Answer { reply: reply(world, Api::Sqs, None, result), after: waiting.after })
        }
    }
}

fn call(world: &mut World, parsed: ParsedCall, origin: &str, now: Duration) -> Reaction {
    let fired = parsed.action.and_then(|action| world.faults.take(action, &parsed.subject));
    let delivery = fired.as_ref().map_or(FaultReply::Answer, |fired| fired.fault.delivery());
    let missing = fired.as_ref().is_some_and(|fired| fired.fault == Fault::Missing);
    let result = match fault_error(world, &parsed, fired.as_ref()) {
        Some(error) => Err(error),
        None => run(world, parsed.action, parsed.request.map(|request| request.or_missing(missing)), origin, now),
    };
    let answer = logged(delivery, &result);
    world.calls.push(Call {
        at: now,
        action: parsed.name,
        resource: parsed.subject.resource,
        targets: parsed.subject.targets,
        answer,
    });
    let fault_delay = fired.map_or(Duration::ZERO, |fired| fired.delay.saturating_add(fired.fault.delay()));
    let uneven = world.queues.uneven.as_mut().filter(|_| parsed.action == Some(Action::ReceiveMessage));
    let uneven = uneven.map_or(Duration::ZERO, Uneven::latency);
    let after = world.latency.saturating_add(fault_delay).saturating_add(uneven);
    match (delivery, result) {
        (FaultReply::Reset, _) => Reaction::Reset { after },
        (FaultReply::Nothing, _) => Reaction::Hang,
        (FaultReply::Html, _) => Reaction::Answer { reply: proxy_page(world), after },
        (FaultReply::Answer, Ok(PollAnswer::Later(poll))) => Reaction::Wait(Waiting { poll, after }),
        (FaultReply::Answer, Ok(PollAnswer::Now(result))) => {
            Reaction::Answer { reply: reply(world, parsed.api, parsed.action, Ok(result)), after }
        }
        (FaultReply::Answer, Err(error)) => {
            Reaction::Answer { reply: reply(world, parsed.api, parsed.action, Err(error)), after }
        }
    }
}

fn fault_error(world: &World, parsed: &ParsedCall, fired: Option<&Fired>) -> Option<ApiError> {
    let (fired, action) = (fired?, parsed.action?);
    let resource = parsed.subject.resource.as_deref().unwrap_or("*");
    let named = fired.naming.as_deref().and_then(|name| parsed.subject.named(name));
    let resource = match (action, named) {
        // IAM decides for each service, not for the cluster.
        (Action::DescribeServices, Some(name)) => &world.location.service_arn(last(resource), last(name)),
        (Action::DescribeTasks | Action::DescribeServiceRevisions, Some(name)) => name,
        _ => resource,
    };
    fired.fault.replacement_error(&world.location.caller_arn(), action, resource)
}

/// Returns the name in an ARN, or the name itself.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn run(
    world: &mut World,
    action: Option<Action>,
    request: Result<ApiRequest, ApiError>,
    origin: &str,
    now: Duration,
) -> Result<PollAnswer, ApiError> {
    if let Some(action) = action {
        world.limiter.pass(action, now)?;
    }
    match request? {
        ApiRequest::Elb(request) => request.run(world, now).map(PollAnswer::Now),
        ApiRequest::Ecs(request) => {
            if let Some(action) = action {
                world.foreign.check(&world.location, action, &request.subject())?;
            }
            request.run(world, now).map(PollAnswer::Now)
        }
        ApiRequest::Canned(request) => request.run(world).map(PollAnswer::Now),
        ApiRequest::Iam(request) => request.run(world).map(PollAnswer::Now),
        ApiRequest::Publish(message) => sns::publish(world, message).map(PollAnswer::Now),
        ApiRequest::Sqs(request) => request.run(world, origin, now),
    }
}

/// A waiting call is logged as a success.
fn logged(delivery: FaultReply, result: &Result<PollAnswer, ApiError>) -> CallResult {
    match (delivery, result) {
        (FaultReply::Reset | FaultReply::Nothing, _) => CallResult::NoAnswer,
        (FaultReply::Answer | FaultReply::Html, Ok(_)) => CallResult::Ok,
        (FaultReply::Answer | FaultReply::Html, Err(error)) => CallResult::Error(error.code.to_owned()),
    }
}

fn reply(world: &mut World, api: Api, action: Option<Action>, result: Result<String, ApiError>) -> Reply {
    let request_id = world.next_request_id();
    let status = result.as_ref().map_or_else(|error| error.status, |_| 200);
    let query_error = result.as_ref().err().filter(|_| api == Api::Sqs).map(sqs_error::old_name);
    let (content_type, body) = match (api, result, action) {
        (Api::Elb | Api::Iam | Api::Sts | Api::Sns, Ok(result), Some(action)) => {
            ("text/xml", query::success(action, &result, &request_id))
        }
        (Api::Elb | Api::Iam | Api::Sts | Api::Sns, Ok(result), None) => ("text/xml", result),
        (Api::Elb | Api::Iam | Api::Sts | Api::Sns, Err(error), _) => {
            ("text/xml", query::error(api, &error, &request_id))
        }
        (Api::Lambda, Ok(result), _) => ("application/json", result),
        (Api::Lambda, Err(error), _) => ("application/json", json::error(error.code, &error)),
        (Api::Ecs | Api::Events | Api::Scaling, Ok(result), _) => ("application/x-amz-json-1.1", result),
        (Api::Ecs | Api::Events | Api::Scaling, Err(error), _) => {
            ("application/x-amz-json-1.1", json::error(error.code, &error))
        }
        (Api::Sqs, Ok(result), _) => ("application/x-amz-json-1.0", result),
        (Api::Sqs, Err(error), _) => ("application/x-amz-json-1.0", json::error(&sqs_error::kind(&error), &error)),
    };
    Reply { status, content_type, request_id, query_error, body }
}

/// The page of a proxy that requires a login.
fn proxy_page(world: &mut World) -> Reply {
    let body = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in to continue</body></html>";
    let request_id = world.next_request_id();
    Reply { status: 200, content_type: "text/html", request_id, query_error: None, body: body.to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::scene::Scene;
    use crate::model::sqs::queue::Queue;

    const ORIGIN: &str = "http://127.0.0.1:4566";

    fn answered(target: Option<&str>, body: &str) -> Reply {
        let incoming = Incoming { method: "POST", path: "/", query: "", origin: ORIGIN, target, body: body.as_bytes() };
        match react(&mut Scene::demo().world, &incoming, Duration::ZERO) {
            Reaction::Answer { reply, .. } => reply,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn unsupported_calls_are_refused_with_the_protocols_errors() {
        let ecs = Some("AmazonEC2ContainerServiceV20141113.RunTask");
        let sqs = Some("AmazonSQS.ListQueues");
        let elb_by_json = Some("AmazonEC2ContainerServiceV20141113.DeregisterTargets");
        let bare = Some("DescribeTasks");
        let table = [
            (None, "Action=CreateRule&Version=2015-12-01", "<Code>InvalidAction</Code>"),
            (None, "Action=DescribeTargetGroups&Version=2012-06-01", "<Code>InvalidAction</Code>"),
            (None, "Action=DescribeTasks&Version=2015-12-01", "<Code>InvalidAction</Code>"),
            (None, "Action=GetRole&Version=2015-12-01", "<Code>InvalidAction</Code>"),
            (None, "Action=CreateRole&Version=2010-05-08", "<Code>InvalidAction</Code>"),
            (None, "Action=GetRole&Version=2010-05-08", "<Code>ValidationError</Code>"),
            (None, "", "<Code>MissingAction</Code>"),
            (ecs, "{}", r#""__type":"UnknownOperationException""#),
            (sqs, "{}", r#""__type":"com.amazon.coral.service#UnknownOperationException""#),
            (elb_by_json, "{}", r#""__type":"UnknownOperationException""#),
            (bare, "{}", r#""__type":"UnknownOperationException""#),
        ];
        for (target, body, text) in table {
            let reply = answered(target, body);
            assert_eq!(reply.status, 400, "{target:?} {body}");
            assert!(reply.body.contains(text), "{}", reply.body);
        }
    }

    #[test]
    fn the_log_has_the_call_and_its_answer() {
        let mut scene = Scene::demo();
        let body = format!(
            "Action=DeregisterTargets&Version=2015-12-01&TargetGroupArn={}&Targets.member.1.Id=10.0.2.21&Targets.member.1.Port=1",
            scene.group
        );
        let incoming =
            Incoming { method: "POST", path: "/", query: "", origin: ORIGIN, target: None, body: body.as_bytes() };
        let _ = react(&mut scene.world, &incoming, Duration::from_secs(3));
        let expected = Call {
            at: Duration::from_secs(3),
            action: "DeregisterTargets".to_owned(),
            resource: Some(scene.group),
            targets: vec!["10.0.2.21:1".to_owned()],
            answer: CallResult::Ok,
        };
        assert_eq!(scene.world.calls(), [expected]);
    }

    fn a_target() -> impl Strategy<Value = Option<String>> {
        let service = |api| if api == Api::Sqs { "AmazonSQS" } else { "AmazonEC2ContainerServiceV20141113" };
        let known = Action::ALL.iter().map(|action| format!("{}.{action}", service(action.api()))).collect::<Vec<_>>();
        prop_oneof![Just(None), any::<String>().prop_map(Some), proptest::sample::select(known).prop_map(Some)]
    }

    fn a_body() -> impl Strategy<Value = Vec<u8>> {
        let names = [
            "TargetGroupArn",
            "TargetGroupArns.member.1",
            "Targets.member.1.Id",
            "Targets.member.1.Port",
            "Names",
            "RoleName",
            "Marker",
        ];
        let field = (proptest::sample::select(names.to_vec()), any::<String>());
        let form = (proptest::sample::select(Action::ALL.to_vec()), proptest::collection::vec(field, 0..4));
        let encoded = form.prop_map(|(action, fields)| {
            let version = match action.api() {
                Api::Iam => "2010-05-08",
                Api::Sts => "2011-06-15",
                Api::Sns => "2010-03-31",
                _ => "2015-12-01",
            };
            let mut form = form_urlencoded::Serializer::new(format!("Version={version}&Action={action}"));
            form.extend_pairs(fields).finish().into_bytes()
        });
        let json = proptest::collection::vec(any::<String>(), 0..3).prop_map(|names| {
            let url = names.first().map(|_| "http://a/123456789012/notices");
            let (queue, body) = (names.get(1), names.get(2));
            let entries: Vec<_> =
                names.iter().map(|name| serde_json::json!({"Id": name, "ReceiptHandle": name})).collect();
            let value = serde_json::json!({
                "cluster": "demo", "services": names, "tasks": names,
                "QueueUrl": url, "QueueName": queue, "MessageBody": body, "ReceiptHandle": body, "Entries": entries,
            });
            value.to_string().into_bytes()
        });
        prop_oneof![proptest::collection::vec(any::<u8>(), 0..200), encoded, json]
    }

    proptest! {
        #[test]
        fn any_bytes_to_any_path_are_answered(
            method in "GET|POST|[A-Z]{1,8}",
            path in prop_oneof![Just("/".to_owned()), "/_local/(fault|target-state|calls|x)", any::<String>()],
            target in a_target(),
            body in a_body(),
        ) {
            let mut world = Scene::demo().world;
            world.add_queue(Queue::new("notices"));
            let incoming = Incoming { method: &method, path: &path, query: "", origin: ORIGIN, target: target.as_deref(), body: &body };
            let Reaction::Answer { reply, .. } = react(&mut world, &incoming, Duration::ZERO) else {
                return Err(TestCaseError::fail("no answer"));
            };
            prop_assert!((200..500).contains(&reply.status), "{reply:?}");
            prop_assert!(!reply.body.is_empty());
        }
    }
}

//! Faults that concern one object of a call, and answers that no API would give.

use std::time::{Duration, Instant};

use crate::common::{http, sdk::clients};
use aws_sdk_ecs::types::ServiceField;
use aws_sdk_elasticloadbalancingv2::error::ProvideErrorMetadata;
use serde_json::json;
use spotdrain_localaws::{Action, CallResult, Fault, LocalAws, Scene, Service, State};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

async fn demo() -> (LocalAws, Scene) {
    let mut scene = Scene::demo();
    scene.world.add_service(Service::new("demo", "web"));
    (LocalAws::start(scene.world.clone()).await.unwrap(), scene)
}

#[tokio::test]
async fn one_denied_service_fails_the_whole_call() {
    let (aws, scene) = demo().await;
    let (_, ecs) = clients(&aws);
    let table =
        [(Fault::AccessDenied, "AccessDeniedException"), (Fault::InvalidParameter, "InvalidParameterException")];
    for (fault, code) in table {
        aws.world().add_fault(fault.on(Action::DescribeServices).naming("web"));
        let call = || ecs.describe_services().cluster("demo").services(&scene.service);
        call().send().await.unwrap();
        for web in ["web", "arn:aws:ecs:eu-central-1:123456789012:service/demo/web"] {
            let error = call().services(web).send().await.unwrap_err().into_service_error();
            assert_eq!(error.code(), Some(code));
            let text = "on resource: arn:aws:ecs:eu-central-1:123456789012:service/demo/web";
            assert!(error.message().unwrap().contains(text), "{error:?}");
        }
        aws.world().clear_faults(None);
    }
}

#[tokio::test]
async fn tags_can_be_denied_separately() {
    let (aws, _) = demo().await;
    let (_, ecs) = clients(&aws);
    aws.world().add_fault(Fault::AccessDenied.on(Action::DescribeServices).with_tags());
    let call = || ecs.describe_services().cluster("demo").services("logstash");
    let error = call().include(ServiceField::Tags).send().await.unwrap_err().into_service_error();
    assert!(error.is_access_denied_exception(), "{error:?}");
    assert_eq!(call().send().await.unwrap().services().len(), 1);
}

#[tokio::test]
async fn describe_services_can_be_slow() {
    let (aws, _) = demo().await;
    let (_, ecs) = clients(&aws);
    let slow = Duration::from_millis(300);
    aws.world().add_fault(Fault::Slow(slow).on(Action::DescribeServices).times(1));
    let start = Instant::now();
    let answer = ecs.describe_services().cluster("demo").services("logstash").send().await.unwrap();
    assert!(start.elapsed() >= slow && answer.services().len() == 1);
}

#[tokio::test]
async fn a_task_can_be_missing_for_the_first_reads() {
    let (aws, scene) = demo().await;
    let (_, ecs) = clients(&aws);
    aws.world().add_fault(Fault::Missing.on(Action::DescribeTasks).naming(&scene.spot[0]).times(2));
    let call = |task: &str| ecs.describe_tasks().cluster("demo").tasks(task).send();
    assert_eq!(call(&scene.spot[1]).await.unwrap().tasks().len(), 1, "another task is seen");
    for found in [0, 0, 1] {
        let answer = call(&scene.spot[0]).await.unwrap();
        assert_eq!((answer.tasks().len(), answer.failures().len()), (found, 1 - found));
        if found == 0 {
            let failure = &answer.failures()[0];
            assert_eq!((failure.arn(), failure.reason()), (Some(scene.spot[0].as_str()), Some("MISSING")));
        }
    }
}

#[test]
fn a_status_200_can_have_another_body() {
    let scene = Scene::demo();
    let aws = LocalAws::spawn_thread(scene.world).unwrap();
    let target = "Targets.member.1.Id=10.0.2.21&Targets.member.1.Port=5044";
    let call = format!("Action=DeregisterTargets&Version=2015-12-01&TargetGroupArn={}&{target}", scene.group);
    for (fault, start) in [(Fault::Html, "<!DOCTYPE html>"), (Fault::ErrorWithStatus200, "<ErrorResponse ")] {
        aws.world().add_fault(fault.on(Action::DeregisterTargets).times(1));
        let (status, body) = http::request(&aws.endpoint(), "POST", "/", FORM, &call);
        assert!(status == 200 && body.starts_with(start), "{status} {body}");
        assert_eq!(aws.world().state(&scene.group, ("10.0.2.21", 5044), aws.now()), Some(State::Healthy));
    }
    let answers: Vec<_> = aws.calls().into_iter().map(|call| call.answer).collect();
    assert_eq!(answers, ["Html", "InternalFailure"].map(|code| CallResult::Error(code.to_owned())));
    assert_eq!(http::request(&aws.endpoint(), "POST", "/", FORM, &call).0, 200);
    assert_eq!(aws.world().state(&scene.group, ("10.0.2.21", 5044), aws.now()), Some(State::Draining));
}

#[test]
fn these_faults_can_be_set_by_http() {
    let scene = Scene::demo();
    let aws = LocalAws::spawn_thread(scene.world).unwrap();
    let target = "X-Amz-Target: AmazonEC2ContainerServiceV20141113.DescribeServices\r\n";
    let body = json!({"cluster": "demo", "services": ["logstash"], "include": ["TAGS"]}).to_string();
    for (fault, status, text) in [
        ("access-denied", 400, "AccessDeniedException"),
        ("invalid-parameter", 400, "InvalidParameterException"),
        ("missing", 200, "MISSING"),
        ("html", 200, "<!DOCTYPE html>"),
        ("error-with-status-200", 200, "ServerException"),
    ] {
        let rule =
            json!({"action": "DescribeServices", "fault": fault, "naming": "logstash", "with_tags": true, "times": 1});
        let set = http::request(&aws.endpoint(), "POST", "/_local/fault", "", &rule.to_string());
        assert_eq!(set, (200, "{}".to_owned()));
        let (answered, answer) = http::request(&aws.endpoint(), "POST", "/", target, &body);
        assert!(answered == status && answer.contains(text), "{fault}: {answered} {answer}");
    }
}

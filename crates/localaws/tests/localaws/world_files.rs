//! The answers of an AWS that was loaded from a world file.

use std::time::Duration;

use crate::common::{http, sdk::clients};
use aws_sdk_elasticloadbalancingv2::error::ProvideErrorMetadata;
use aws_sdk_elasticloadbalancingv2::types::{TargetDescription, TargetHealthStateEnum};
use serde_json::{Value, json};
use spotdrain_localaws::{ForeignError, LocalAws, Location, State, World};

const CLUSTER_NOT_FOUND: &str = include_str!("../worlds/cluster-not-found.json");
const ZONE_ALL: &str = include_str!("../worlds/zone-all.json");
const MANY_GROUPS: &str = include_str!("../worlds/120-groups.json");
const TASK: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// The status and body of an answer of ECS.
fn ecs(aws: &LocalAws, action: &str, body: &Value) -> (u16, Value) {
    let target = format!("X-Amz-Target: AmazonEC2ContainerServiceV20141113.{action}\r\n");
    let (status, body) = http::request(&aws.endpoint(), "POST", "/", &target, &body.to_string());
    (status, serde_json::from_str(&body).unwrap())
}

fn group(name: &str) -> String {
    format!("arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/{name}/0123456789abcdef")
}

fn zoned(zone: Option<&str>) -> TargetDescription {
    let zone = zone.map(str::to_owned);
    TargetDescription::builder().id("10.1.4.17").port(8080).set_availability_zone(zone).build()
}

#[test]
fn services_and_tasks_are_returned_unchanged() {
    let file: Value = serde_json::from_str(CLUSTER_NOT_FOUND).unwrap();
    let aws = LocalAws::spawn_thread(World::from_json(CLUSTER_NOT_FOUND).unwrap()).unwrap();
    let cluster = "arn:aws:ecs:eu-west-1:111122223333:cluster/web";
    let (_, answer) = ecs(&aws, "DescribeServices", &json!({"cluster": cluster, "services": ["api", "nobody"]}));
    assert_eq!(answer["services"], json!([file["services"]["web/api"]]));
    let missing = "arn:aws:ecs:eu-west-1:111122223333:service/web/nobody";
    assert_eq!(answer["failures"], json!([{"arn": missing, "reason": "MISSING"}]));
    let (_, answer) = ecs(&aws, "DescribeTasks", &json!({"cluster": "web", "tasks": [TASK]}));
    assert_eq!(answer["tasks"], json!([file["tasks"][TASK]]));
}

#[test]
fn unknown_fields_are_kept_and_tags_must_be_requested() {
    let service = json!({"serviceName": "api", "newField": {"a": [1, null]}, "tags": [{"key": "a", "value": "b"}]});
    let world = World::from_json(&json!({"clusters": ["web"], "services": {"web/api": service}}).to_string()).unwrap();
    let aws = LocalAws::spawn_thread(world).unwrap();
    let asked = |include: &[&str]| {
        ecs(&aws, "DescribeServices", &json!({"cluster": "web", "services": ["api"], "include": include})).1
    };
    assert_eq!(asked(&["TAGS"])["services"], json!([service]));
    assert_eq!(asked(&[])["services"], json!([{"serviceName": "api", "newField": {"a": [1, null]}}]));
    let (_, listed) = ecs(&aws, "ListServices", &json!({"cluster": "web"}));
    assert_eq!(listed["serviceArns"], json!(["arn:aws:ecs:eu-central-1:123456789012:service/web/api"]));
}

#[tokio::test]
async fn an_unknown_cluster_and_a_foreign_arn_have_their_own_errors() {
    let mut file: Value = serde_json::from_str(CLUSTER_NOT_FOUND).unwrap();
    file.as_object_mut().unwrap().remove("foreign");
    let aws = LocalAws::start(World::from_json(&file.to_string()).unwrap()).await.unwrap();
    let (_, ecs) = clients(&aws);
    let table = [
        ("nobody", "ClusterNotFoundException", "Cluster not found."),
        ("arn:aws:ecs:eu-west-1:111122223333:cluster/nobody", "ClusterNotFoundException", "Cluster not found."),
        ("arn:aws:ecs:us-east-1:111122223333:cluster/web", "InvalidParameterException", "Invalid Region in ARN"),
        ("arn:aws:ecs:eu-west-1:999988887777:cluster/web", "AccessDeniedException", "ecs:DescribeServices on resource"),
    ];
    for (cluster, code, text) in table {
        let error = ecs.describe_services().cluster(cluster).services("api").send().await.unwrap_err();
        let error = error.into_service_error();
        assert_eq!(error.code(), Some(code), "{cluster}");
        assert!(error.message().unwrap().contains(text), "{error:?}");
    }
    let task = format!("arn:aws:ecs:us-east-1:111122223333:task/web/{TASK}");
    let error = ecs.describe_tasks().cluster("web").tasks(task).send().await.unwrap_err().into_service_error();
    assert!(error.is_invalid_parameter_exception(), "{error:?}");
}

#[tokio::test]
async fn the_file_chooses_the_error_for_a_foreign_arn() {
    let aws = LocalAws::start(World::from_json(CLUSTER_NOT_FOUND).unwrap()).await.unwrap();
    let (_, ecs) = clients(&aws);
    let cluster = "arn:aws:ecs:eu-west-1:999988887777:cluster/web";
    let call = || ecs.describe_tasks().cluster(cluster).tasks(TASK).send();
    assert!(call().await.unwrap_err().into_service_error().is_cluster_not_found_exception());
    aws.world().set_foreign_error(ForeignError::Client, Some("another account"));
    let error = call().await.unwrap_err().into_service_error();
    assert!(error.is_client_exception() && error.message() == Some("another account"), "{error:?}");
}

#[tokio::test]
async fn a_target_outside_the_vpc_needs_its_zone_if_the_world_requires_it() {
    let group = group("peer");
    for insists in [true, false] {
        let mut world = World::from_json(ZONE_ALL).unwrap();
        world.set_zone_required(insists);
        let aws = LocalAws::start(world).await.unwrap();
        let (elb, _) = clients(&aws);
        let health = elb.describe_target_health().target_group_arn(&group).send().await.unwrap();
        let zones: Vec<_> = health.target_health_descriptions().iter().map(|one| one.target().unwrap()).collect();
        assert!(zones.iter().all(|target| target.availability_zone() == Some("all")), "{zones:?}");
        let deregister = |zone| elb.deregister_targets().target_group_arn(&group).targets(zoned(zone)).send();
        let without = deregister(None).await;
        let expected = if insists { State::Healthy } else { State::Draining };
        assert_eq!(aws.world().state(&group, ("10.1.4.17", 8080), aws.now()), Some(expected));
        if insists {
            let error = without.unwrap_err().into_service_error();
            assert_eq!(error.code(), Some("ValidationError"));
            assert!(error.message().unwrap().contains("'10.1.4.17' must be 'all'"), "{error:?}");
        }
        deregister(Some("all")).await.unwrap();
        assert_eq!(aws.world().state(&group, ("10.1.4.17", 8080), aws.now()), Some(State::Draining));
    }
}

#[tokio::test]
async fn a_large_world_has_the_published_throttles_unless_disabled() {
    let mut file: Value = serde_json::from_str(MANY_GROUPS).unwrap();
    for throttle in [true, false] {
        file["throttle"] = throttle.into();
        let aws = LocalAws::start(World::from_json(&file.to_string()).unwrap()).await.unwrap();
        let (elb, _) = clients(&aws);
        let mut refused = 0;
        for number in 0..120 {
            let call = elb.describe_target_health().target_group_arn(group(&format!("g{number:03}")));
            refused += usize::from(call.send().await.is_err());
        }
        assert_eq!(refused > 0, throttle, "{refused}");
    }
}

#[tokio::test]
async fn an_ipv6_target_is_found_only_by_its_exact_spelling() {
    let group = group("six");
    let target = json!({"id": "2001:db8:0:0::1", "state": "healthy"});
    let file = json!({"groups": {&group: {"port": 80, "family": "ipv6", "targets": [target]}}});
    let aws = LocalAws::start(World::from_json(&file.to_string()).unwrap()).await.unwrap();
    let (elb, _) = clients(&aws);
    let health = || elb.describe_target_health().target_group_arn(&group).send();
    for (id, state) in [
        ("2001:db8::1", TargetHealthStateEnum::Healthy),
        ("2001:DB8:0:0::1", TargetHealthStateEnum::Healthy),
        ("2001:db8:0:0::1", TargetHealthStateEnum::Draining),
    ] {
        let target = TargetDescription::builder().id(id).build();
        elb.deregister_targets().target_group_arn(&group).targets(target).send().await.unwrap();
        let health = health().await.unwrap();
        let [one] = health.target_health_descriptions() else { panic!("{health:?}") };
        assert_eq!(one.target().unwrap().id(), Some("2001:db8:0:0::1"));
        assert_eq!(one.target_health().unwrap().state(), Some(&state), "{id}");
    }
}

#[test]
fn the_caller_is_a_user_of_the_account() {
    let location = Location { account: "111122223333".to_owned(), ..Location::default() };
    let aws = LocalAws::spawn_thread(World::at(location)).unwrap();
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let call = "Action=GetCallerIdentity&Version=2011-06-15";
    let (status, body) = http::request(&aws.endpoint(), "POST", "/", form, call);
    assert_eq!(status, 200);
    for part in [
        r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">"#,
        "<Account>111122223333</Account>",
        "<Arn>arn:aws:iam::111122223333:user/local</Arn>",
        "</ResponseMetadata></GetCallerIdentityResponse>",
    ] {
        assert!(body.contains(part), "{part}: {body}");
    }
    let (status, body) = http::request(&aws.endpoint(), "POST", "/", form, "Action=GetSessionToken&Version=2011-06-15");
    assert!(status == 400 && body.contains("<Code>InvalidAction</Code>"), "{body}");
}

#[test]
fn a_draining_target_of_a_file_is_gone_after_its_delay() {
    let group = group("web");
    let target = json!({"id": "10.0.0.1", "state": "draining"});
    let file = json!({"groups": {&group: {"port": 80, "deregistration_delay": 30, "targets": [target]}}});
    let world = World::from_json(&file.to_string()).unwrap();
    assert_eq!(world.state(&group, "10.0.0.1", Duration::from_secs(29)), Some(State::Draining));
    assert_eq!(world.state(&group, "10.0.0.1", Duration::from_secs(30)), None);
}

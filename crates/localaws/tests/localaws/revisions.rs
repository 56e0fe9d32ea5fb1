//! Target groups that only a service revision or a load balancer names, through the unmodified SDK.

use std::time::Duration;

use crate::common::sdk::clients;
use aws_sdk_elasticloadbalancingv2::error::{ProvideErrorMetadata, SdkError};
use serde_json::json;
use spotdrain_localaws::{
    Action, CallResult, Fault, Group, LoadBalancer, LocalAws, Revision, Service, Throttles, World,
};

const BALANCER: &str = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/edge/50dc6c495c0c9188";

fn revision(id: &str) -> String {
    format!("arn:aws:ecs:eu-central-1:123456789012:service-revision/demo/web/{id}")
}

fn service() -> Service {
    let full = Revision::new(&revision("2"))
        .running(3)
        .load_balancer(LoadBalancer::new("configured", "web", 80))
        .resolved_load_balancer("resolved")
        .gateway_connection("of-the-gateway", Some("alternate"))
        .ingress_path("of-the-path");
    Service::new("demo", "web").revision(Revision::new(&revision("1")).past()).revision(full)
}

#[tokio::test]
async fn a_service_lists_its_current_revisions_and_they_name_their_groups() {
    let mut world = World::new();
    let arn = world.add_service(service());
    let aws = LocalAws::start(world).await.unwrap();
    let (_, ecs) = clients(&aws);
    let answer = ecs.describe_services().cluster("demo").services("web").send().await.unwrap();
    let [current] = answer.services()[0].current_service_revisions() else { panic!("{answer:?}") };
    assert_eq!((current.arn(), current.running_task_count()), (Some(revision("2").as_str()), 3));

    let call = ecs.describe_service_revisions().service_revision_arns(revision("2"));
    let answer = call.service_revision_arns(revision("1")).service_revision_arns(revision("9")).send().await.unwrap();
    let [full, past] = answer.service_revisions() else { panic!("{answer:?}") };
    assert_eq!((full.service_arn(), full.service_revision_arn()), (Some(arn.as_str()), Some(revision("2").as_str())));
    assert_eq!(full.load_balancers()[0].target_group_arn(), Some("configured"));
    assert_eq!(full.resolved_configuration().unwrap().load_balancers()[0].target_group_arn(), Some("resolved"));
    let managed = full.ecs_managed_resources().unwrap();
    let resources = managed.gateway_connections()[0].resources().unwrap();
    let shared = format!("{resources:?}");
    assert!(shared.contains("of-the-gateway") && shared.contains("alternate"), "{shared}");
    assert_eq!(managed.ingress_paths()[0].target_groups()[0].arn(), Some("of-the-path"));
    assert!(past.ecs_managed_resources().is_none() && past.load_balancers().is_empty());
    let [missing] = answer.failures() else { panic!("{answer:?}") };
    assert_eq!((missing.arn(), missing.reason()), (Some(revision("9").as_str()), Some("MISSING")));
}

#[tokio::test]
async fn a_world_file_has_revisions_too() {
    let object = json!({"serviceRevisionArn": revision("1"), "loadBalancers": [{"targetGroupArn": "g"}]});
    let file = json!({"clusters": ["demo"], "revisions": {revision("1"): object}});
    let aws = LocalAws::start(World::from_json(&file.to_string()).unwrap()).await.unwrap();
    let (_, ecs) = clients(&aws);
    let answer = ecs.describe_service_revisions().service_revision_arns(revision("1")).send().await.unwrap();
    assert_eq!(answer.service_revisions()[0].load_balancers()[0].target_group_arn(), Some("g"));
}

#[tokio::test]
async fn a_call_is_limited_to_twenty_revisions_and_throttled() {
    let mut world = World::new();
    world.add_service(service());
    let aws = LocalAws::start(world).await.unwrap();
    let (_, ecs) = clients(&aws);
    let call = |arns: Vec<String>| ecs.describe_service_revisions().set_service_revision_arns(Some(arns)).send();
    call(vec![revision("2"); 20]).await.unwrap();
    let elsewhere = revision("2").replace("123456789012", "999988887777");
    let table = [
        (vec![revision("2"); 21], "InvalidParameterException"),
        (vec!["web".to_owned()], "InvalidParameterException"),
        (vec![elsewhere], "AccessDeniedException"),
    ];
    for (arns, code) in table {
        assert_eq!(call(arns).await.unwrap_err().into_service_error().code(), Some(code));
    }
    let mut answers = Vec::new();
    for _ in 0..100 {
        answers.push(call(vec![revision("2")]).await.map_err(SdkError::into_service_error));
    }
    let refused = answers.into_iter().find_map(Result::err).expect("a call is refused");
    assert_eq!(refused.code(), Some("ThrottlingException"));
    aws.advance(Duration::from_millis(50));
    call(vec![revision("2")]).await.unwrap();
    aws.world().add_fault(Fault::AccessDenied.on(Action::DescribeServiceRevisions).times(1));
    let denied = call(vec![revision("2")]).await.unwrap_err().into_service_error();
    assert!(denied.message().unwrap().contains("ecs:DescribeServiceRevisions"), "{denied:?}");
}

#[tokio::test]
async fn the_groups_of_a_load_balancer_have_pages_of_four_hundred() {
    let mut world = World::new();
    world.set_throttles(Throttles::Off);
    let groups: Vec<_> = (0..900)
        .map(|number| world.add_group(Group::new(&format!("g{number:03}"), 80).load_balancer(BALANCER)))
        .collect();
    world.add_group(Group::new("other", 80));
    let aws = LocalAws::start(world).await.unwrap();
    let (elb, _) = clients(&aws);
    let (mut marker, mut pages, mut seen) = (None, Vec::new(), Vec::new());
    loop {
        let call = elb.describe_target_groups().load_balancer_arn(BALANCER).set_marker(marker);
        let answer = call.send().await.unwrap();
        pages.push(answer.target_groups().len());
        assert!(answer.target_groups().iter().all(|group| group.load_balancer_arns() == [BALANCER]));
        seen.extend(answer.target_groups().iter().map(|group| group.target_group_arn().unwrap().to_owned()));
        marker = answer.next_marker().map(str::to_owned);
        if marker.is_none() {
            break;
        }
    }
    assert_eq!((pages, seen), (vec![400, 400, 100], groups.clone()));
    let named = elb.describe_target_groups().set_target_group_arns(Some(groups[..5].to_vec())).page_size(2);
    let answer = named.send().await.unwrap();
    assert_eq!((answer.target_groups().len(), answer.next_marker()), (2, Some("2")));
}

#[tokio::test]
async fn reading_groups_uses_the_read_buckets() {
    let mut world = World::new();
    world.add_group(Group::new("web", 80).load_balancer(BALANCER));
    let aws = LocalAws::start(world).await.unwrap();
    let (elb, _) = clients(&aws);
    for _ in 0..60 {
        elb.describe_target_groups().load_balancer_arn(BALANCER).send().await.ok();
    }
    let refused = CallResult::Error("Throttling".to_owned());
    let first = aws.calls().iter().position(|call| call.answer == refused);
    assert!(first.is_some_and(|first| first >= 40), "{first:?}");
}

//! Which target groups a notice has, and what the service's tag restricts.

use std::collections::BTreeMap;

use crate::scenario::{Scenario, arn, throttled};
use insta::assert_snapshot;
use spotdrain_core::model::arn::LoadBalancerArn;
use spotdrain_core::model::observed::{Service, ServiceObservation};
use spotdrain_core::model::outcome::NoTargetGroup;
use spotdrain_core::plan::target_groups::Configured;
use spotdrain_core::settings::Settings;

use crate::planning::one;

#[test]
fn configured_groups_are_added_to_those_of_the_service() {
    let other = format!("{}=7000", arn("other"));
    let text = Scenario::new()
        .set("SPOTDRAIN_TARGET_GROUPS", &other)
        .notice("one", &["10.0.2.21"])
        .service(&[("web", Some(5044))])
        .group("web", &[("10.0.2.21", 5044, "unhealthy")])
        .rendered();
    assert_snapshot!(text, @r"
    one: 10.0.2.21:7000 in other (not read): deregister
    one: 10.0.2.21:5044 in web (unhealthy): deregister
    call other: 10.0.2.21:7000, to be confirmed
    call web: 10.0.2.21:5044
    ");
}

#[test]
fn a_configured_group_of_another_region_is_a_failure() {
    let elsewhere = arn("other").as_str().replace("eu-central-1", "us-east-1");
    let text = Scenario::new().set("SPOTDRAIN_TARGET_GROUPS", &elsewhere).notice("one", &["10.0.2.21"]).standalone();
    assert_snapshot!(text.rendered(), @"one: failed, SPOTDRAIN_TARGET_GROUPS arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/other/6d0ecf831eec9f09 is of another Region or account than the task, and cannot hold it (permanent)");
}

#[test]
fn a_standalone_task_has_only_the_configured_groups() {
    let scenario = || Scenario::new().set("SPOTDRAIN_TARGET_GROUPS", arn("web").as_str()).notice("one", &["10.0.2.21"]);
    let targets = [("10.0.2.21", 5044, "unhealthy")];
    let expected = "one: 10.0.2.21:5044 in web (unhealthy): deregister\ncall web: 10.0.2.21:5044";
    assert_eq!(scenario().standalone().group("web", &targets).rendered(), expected);
}

/// A cluster with tasks cannot be deleted: the credentials or the Region are wrong.
#[test]
fn a_service_that_ecs_does_not_know_is_a_failure_until_ecs_has_forgotten_it() {
    let scenario =
        |age| Scenario::new().notice("one", &["10.0.2.21"]).service_is(ServiceObservation::Missing).after(age);
    assert_snapshot!(scenario(1).rendered(), @"one: failed, DescribeServices ECS does not know service logstash of cluster demo, although a task of it was running: check that the credentials are those of account 123456789012, and the Region eu-central-1 (retryable)");
    let plans = scenario(3601).plan();
    let candidates = &plans.notices[0].0.candidates;
    assert_eq!((candidates.none, &candidates.failure), (Some(NoTargetGroup::Unresolved), &None));
}

#[test]
fn a_notice_without_a_target_group_says_why() {
    let ended = |service| {
        let scenario = Scenario::new().notice("one", &["10.0.2.21"]).service_is(ServiceObservation::Found(service));
        let candidates = scenario.plan().notices.remove(0).0.candidates;
        (candidates.none, candidates.failure)
    };
    assert_eq!(ended(Service::default()), (Some(NoTargetGroup::NoLoadBalancer), None));
    let with_balancer = Service { has_balancer: true, ..Service::default() };
    assert_eq!(ended(with_balancer.clone()), (Some(NoTargetGroup::Unresolved), None));
    let unread = Service { revision_failure: Some(throttled("DescribeServiceRevisions")), ..with_balancer };
    assert_eq!(ended(unread), (None, Some(throttled("DescribeServiceRevisions"))));
    let standalone = Scenario::new().notice("one", &["10.0.2.21"]).standalone().plan();
    assert_eq!(standalone.notices[0].0.candidates.none, Some(NoTargetGroup::NoLoadBalancer));
}

const BALANCER: &str = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/logs/50dc6c495c0c9188";

/// The article's settings: a load balancer, and a target group with its port.
#[test]
fn the_groups_of_a_configured_load_balancer_are_searched_and_others_are_refused() {
    let web = arn("web");
    let settings = |groups: &str| {
        Settings::read([("SPOTDRAIN_LOAD_BALANCERS", BALANCER), ("SPOTDRAIN_TARGET_GROUPS", groups)]).unwrap()
    };
    let found = BTreeMap::from([(LoadBalancerArn::parse(BALANCER).unwrap(), vec![web.clone(), arn("logs")])]);
    let configured = |groups: &str| Configured::new(&settings(groups), Ok(&found));
    let named = |configured: &Configured| -> Vec<_> {
        configured.groups.iter().map(|group| (group.arn.name().to_owned(), group.port)).collect()
    };
    let own = configured(&format!("{web}=5044"));
    assert_eq!(named(&own), [("web".to_owned(), Some(5044)), ("logs".to_owned(), None)]);
    assert_eq!(own.failure, None);
    let other = configured(arn("other").as_str());
    assert_eq!(named(&other).len(), 2, "the groups of the load balancer are searched all the same");
    let problem = other.failure.unwrap().problem;
    assert!(problem.contains("targetgroup/other/") && problem.contains(BALANCER), "{problem}");
}

#[test]
fn configured_groups_are_drained_if_the_load_balancers_cannot_be_read() {
    let web = arn("web");
    let settings = [("SPOTDRAIN_LOAD_BALANCERS", BALANCER), ("SPOTDRAIN_TARGET_GROUPS", web.as_str())];
    let settings = Settings::read(settings).unwrap();
    let configured = Configured::new(&settings, Err(throttled("DescribeTargetGroups")));
    assert_eq!((configured.groups.len(), configured.failure), (1, Some(throttled("DescribeTargetGroups"))));
}

#[test]
fn nothing_is_decided_while_the_services_tag_is_unknown() {
    let failed = ServiceObservation::Unknown(throttled("DescribeServices"));
    let text = Scenario::new().set("SPOTDRAIN_TARGET_GROUPS", arn("web").as_str()).notice("one", &["10.0.2.21"]);
    assert_snapshot!(text.service_is(failed).rendered(), @"one: failed, DescribeServices Throttling: Rate exceeded (retryable)");
}

#[test]
fn the_services_tag_restricts() {
    let scenario = || one().group("web", &[("10.0.2.21", 5044, "unhealthy")]);
    assert_snapshot!(scenario().tagged("off").rendered(), @"event-one: ignored, OutOfScope");
    for value in ["observe", "false"] {
        assert_eq!(
            scenario().tagged(value).rendered(),
            "one: 10.0.2.21:5044 in web (unhealthy): deregister",
            "and no call"
        );
    }
    assert!(scenario().tagged("on").rendered().contains("call web"));
}

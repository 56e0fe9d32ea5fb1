//! Answers of AWS that are incomplete or unexpected. None of them is reported as "nothing to do".

use std::time::Duration;

use serde_json::{Value, json};
use spotdrain_core::model::outcome::NoTargetGroup;
use spotdrain_core::report::{First, Report, Verdict};
use spotdrain_localaws::{Action, Fault, FaultRule, Group, LoadBalancer, Revision, Service, State, Task, World};

use crate::common::{
    actions, aged, batch, function_on, handle, handle_within, id, is, notice, outcome_lines, start, targets,
};

const REVISION: &str = "arn:aws:ecs:eu-central-1:123456789012:service-revision/demo/web/1234567890";

/// Task 1 is interrupted. It is in group `web`, which its service does not list.
fn hidden(service: impl FnOnce(Service, &str) -> Service) -> (World, String) {
    let mut world = World::new();
    world.add_cluster("demo");
    let group = Group::new("web", 80).target("10.0.0.1", State::Healthy).target("10.0.0.2", State::Healthy);
    let group = world.add_group(group);
    world.add_service(service(Service::new("demo", "web"), &group));
    interrupted(&mut world);
    (world, group)
}

fn interrupted(world: &mut World) {
    let task = world.add_task(Task::new("demo", &id(1)).service("web").address("10.0.0.1"));
    world.interrupt(&task, Duration::ZERO).unwrap();
}

/// A service whose only target group is `web`, with the interrupted task.
fn plain() -> (World, String) {
    hidden(|service, group| service.load_balancer(LoadBalancer::new(group, "web", 80)))
}

async fn report_of(world: World, pairs: &[(&str, &str)]) -> (Report, Vec<String>) {
    let local = start(world).await;
    let report = handle(&function_on(&local, pairs), &notice(1, "web", "10.0.0.1")).await;
    (report, actions(&local))
}

#[tokio::test]
async fn target_groups_of_a_revision_are_found_in_all_four_places() {
    type Place = fn(Revision, &str) -> Revision;
    let places: [(&str, Place); 5] = [
        ("a gateway", |revision, group| revision.gateway_connection(group, None)),
        ("a gateway's alternate", |revision, group| {
            revision.gateway_connection(&group.replace("web", "old"), Some(group))
        }),
        ("an ingress path", |revision, group| revision.ingress_path(group)),
        ("a load balancer", |revision, group| revision.load_balancer(LoadBalancer::new(group, "web", 80))),
        ("a resolved load balancer", |revision, group| revision.resolved_load_balancer(group)),
    ];
    for (place, put) in places {
        let (world, _) = hidden(|service, group| service.revision(put(Revision::new(REVISION).running(1), group)));
        let (report, actions) = report_of(world, &[]).await;
        assert!(
            outcome_lines(&report).contains(&"web 10.0.0.1:80 Deregistered".to_owned()),
            "{place}: {:?}",
            outcome_lines(&report)
        );
        assert!(actions.contains(&"DescribeServiceRevisions".to_owned()), "{place}");
    }
}

#[tokio::test]
async fn a_task_in_no_group_of_its_service_is_searched_in_the_revisions() {
    let (mut world, group) = hidden(|service, _| service);
    let new = world.add_group(Group::new("new", 80).target("10.0.0.2", State::Healthy));
    let service = Service::new("demo", "web").load_balancer(LoadBalancer::new(&new, "web", 80));
    let older = Revision::new(REVISION).running(1).load_balancer(LoadBalancer::new(&group, "web", 80));
    world.add_service(service.revision(older));
    let (report, _) = report_of(world, &[]).await;
    assert_eq!(outcome_lines(&report), ["new 10.0.0.1 NotRegistered", "web 10.0.0.1:80 Deregistered"]);
}

#[tokio::test]
async fn unreadable_revisions_are_a_failure() {
    let (mut world, _) = hidden(|service, group| service.revision(Revision::new(REVISION).ingress_path(group)));
    world.add_fault(Fault::AccessDenied.on(Action::DescribeServiceRevisions));
    let (report, _) = report_of(world, &[]).await;
    assert_eq!(report.verdict, Verdict::Failed);
    assert!(report.failure_summary().unwrap().starts_with("DescribeServiceRevisions: AccessDenied"));
}

#[tokio::test]
async fn a_service_without_a_load_balancer_is_recorded_as_such() {
    let (world, _) = hidden(|service, _| service.revision(Revision::new(REVISION)));
    let (report, _) = report_of(world, &[]).await;
    let ended = (report.verdict, report.notices[0].no_target_group);
    assert_eq!(ended, (Verdict::Nothing, Some(NoTargetGroup::NoLoadBalancer)));
}

/// DescribeServices is denied for one of ten services.
#[tokio::test]
async fn one_denied_service_does_not_block_the_nine_others() {
    for refusal in [Fault::AccessDenied, Fault::InvalidParameter] {
        let mut world = World::new();
        world.add_cluster("demo");
        for number in 0..10 {
            let (name, address) = (format!("s{number}"), format!("10.0.0.{number}"));
            let group =
                Group::new(&name, 80).target(address.as_str(), State::Healthy).target("10.0.1.1", State::Healthy);
            let group = world.add_group(group);
            world.add_service(Service::new("demo", &name).load_balancer(LoadBalancer::new(&group, "web", 80)));
        }
        world.add_fault(refusal.on(Action::DescribeServices).naming("s3"));
        let local = start(world).await;
        let body = |number| notice(number, &format!("s{number}"), &format!("10.0.0.{number}")).to_string();
        let bodies: Vec<_> = (0..10).map(body).collect();
        let report = handle(&function_on(&local, &[]), &batch(&bodies)).await;
        let done = outcome_lines(&report).iter().filter(|row| row.ends_with(" Deregistered")).count();
        assert_eq!((done, report.failed_messages()), (9, vec!["m3"]));
    }
}

#[tokio::test]
async fn without_permission_for_tags_the_service_counts_as_untagged_and_the_record_shows_it() {
    let (mut world, _) = plain();
    world.add_fault(Fault::AccessDenied.on(Action::DescribeServices).with_tags());
    let (report, _) = report_of(world, &[]).await;
    assert_eq!(outcome_lines(&report), ["web 10.0.0.1:80 Deregistered"]);
    assert!(report.notices[0].tags_unknown);
}

#[tokio::test]
async fn a_slow_describe_services_succeeds_on_a_longer_attempt() {
    let (mut world, _) = plain();
    world.add_fault(Fault::Slow(Duration::from_millis(2300)).on(Action::DescribeServices));
    let (report, _) = report_of(world, &[]).await;
    assert_eq!(outcome_lines(&report), ["web 10.0.0.1:80 Deregistered"]);
}

#[tokio::test]
async fn a_200_without_awss_response_is_a_failed_call() {
    for fault in [Fault::Html, Fault::ErrorWithStatus200] {
        let (mut world, group) = plain();
        world.add_fault(fault.on(Action::DeregisterTargets));
        let local = start(world).await;
        let time = Duration::from_secs(3);
        let report = handle_within(&function_on(&local, &[]), &notice(1, "web", "10.0.0.1"), time).await;
        assert_eq!(
            (report.verdict, outcome_lines(&report)),
            (Verdict::Retry, vec!["web 10.0.0.1:80 Failed".to_owned()])
        );
        assert!(is(&local, &group, ("10.0.0.1", 80), State::Healthy));
    }
}

#[tokio::test]
async fn a_task_that_ecs_does_not_know_yet_is_described_again() {
    let (mut world, _) = plain();
    let missing: FaultRule = Fault::Missing.on(Action::DescribeTasks).times(1);
    world.add_fault(missing);
    let local = start(world).await;
    let report = handle(&function_on(&local, &[]), &aged(notice(1, "web", "10.0.0.1"), 15)).await;
    assert_eq!(outcome_lines(&report), ["web 10.0.0.1:80 Deregistered"]);
}

#[tokio::test]
async fn an_event_without_an_address_uses_the_address_from_ecs() {
    let (world, group) = plain();
    let local = start(world).await;
    let mut event = notice(1, "web", "10.0.0.1");
    event["detail"]["attachments"] = json!([]);
    event["detail"]["containers"] = json!([]);
    let report = handle(&function_on(&local, &[]), &event).await;
    assert_eq!(
        (report.verdict, outcome_lines(&report)),
        (Verdict::Done, vec!["web 10.0.0.1:80 Deregistered".to_owned()])
    );
    assert!(is(&local, &group, ("10.0.0.1", 80), State::Draining));
}

/// Five of 200 targets are no longer valid: the others do not wait until those are found.
#[tokio::test]
async fn all_valid_targets_of_a_large_call_are_done_in_one_invocation() {
    let mut world = World::new();
    world.add_cluster("demo");
    let address = |number: u32| format!("10.0.{}.{}", number / 100, number % 100 + 1);
    let all = (0..200).map(address).chain(["10.1.0.1".to_owned()]);
    let group = all.fold(Group::new("web", 80), |group, address| group.target(address.as_str(), State::Healthy));
    let group = world.add_group(group);
    world.add_service(Service::new("demo", "web").load_balancer(LoadBalancer::new(&group, "web", 80)));
    for number in [3, 50, 99, 120, 180] {
        world.reject_target(&group, address(number).as_str()).unwrap();
    }
    for number in 0..200 {
        let task = world.add_task(Task::new("demo", &id(number)).service("web").address(&address(number)));
        world.interrupt(&task, Duration::ZERO).unwrap();
    }
    let local = start(world).await;
    let bodies: Vec<_> = (0..200).map(|number| notice(number, "web", &address(number)).to_string()).collect();
    let report = handle_within(&function_on(&local, &[]), &batch(&bodies), Duration::from_secs(29)).await;
    let done = outcome_lines(&report).iter().filter(|row| row.ends_with(" Deregistered")).count();
    assert_eq!(done, 195);
}

/// The old notice has one second left, and AWS's answer takes longer.
#[tokio::test]
async fn an_old_notice_does_not_shorten_the_time_of_a_fresh_one() {
    let mut world = World::new();
    world.add_cluster("demo");
    let addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
    let group = addresses.iter().fold(Group::new("web", 80), |group, one| group.target(*one, State::Healthy));
    let group = world.add_group(group);
    world.add_service(Service::new("demo", "web").load_balancer(LoadBalancer::new(&group, "web", 80)));
    for (number, address) in [(1, "10.0.0.1"), (2, "10.0.0.2")] {
        let task = world.add_task(Task::new("demo", &id(number)).service("web").address(address));
        world.interrupt(&task, Duration::ZERO).unwrap();
    }
    world.add_fault(Fault::Slow(Duration::from_millis(1500)).on(Action::DeregisterTargets));
    let local = start(world).await;
    let bodies = [aged(notice(1, "web", "10.0.0.1"), 119), notice(2, "web", "10.0.0.2")].map(|event| event.to_string());
    let report = handle(&function_on(&local, &[]), &batch(&bodies)).await;
    assert!(
        outcome_lines(&report).contains(&"web 10.0.0.2:80 Deregistered".to_owned()),
        "{:?}",
        outcome_lines(&report)
    );
}

/// AWS spells the address differently from the event. It is sent in AWS's spelling.
#[tokio::test]
async fn an_ipv6_target_is_sent_as_it_was_read() {
    let group = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/six/0123456789abcdef";
    let targets = json!([{"id": "2001:db8:0:0::1", "state": "healthy"}, {"id": "2001:db8:0:0::2", "state": "healthy"}]);
    let file = json!({"clusters": ["demo"], "groups": {group: {"port": 80, "family": "ipv6", "targets": targets}}});
    let local = start(World::from_json(&file.to_string()).unwrap()).await;
    let pairs = [("SPOTDRAIN_TARGET_GROUPS", group), ("SPOTDRAIN_DISCOVER", "false")];
    let mut event = notice(1, "six", "10.0.0.1");
    event["detail"]["containers"][0]["networkInterfaces"][0]["ipv6Address"] = "2001:DB8::1".into();
    let report = handle(&function_on(&local, &pairs), &event).await;
    assert!(
        outcome_lines(&report).contains(&"six 2001:db8::1:80 Deregistered".to_owned()),
        "{:?}",
        outcome_lines(&report)
    );
    let states = crate::common::targets(&local, group);
    assert_eq!(states, ["2001:db8:0:0::1:80 draining", "2001:db8:0:0::2:80 healthy"]);
}

#[tokio::test]
async fn a_running_task_without_an_address_anywhere_is_a_failure() {
    let mut world = World::new();
    world.add_cluster("demo");
    let group = world.add_group(Group::new("web", 80).target("10.0.0.1", State::Healthy));
    world.add_service(Service::new("demo", "web").load_balancer(LoadBalancer::new(&group, "web", 80)));
    let task = world.add_task(Task::new("demo", &id(1)).service("web"));
    world.interrupt(&task, Duration::ZERO).unwrap();
    let mut event = notice(1, "web", "10.0.0.1");
    event["detail"]["attachments"] = json!([]);
    event["detail"]["containers"] = json!([]);
    let local = start(world).await;
    let report = handle_within(&function_on(&local, &[]), &event, Duration::from_secs(5)).await;
    assert!(matches!(report.verdict, Verdict::Retry | Verdict::Failed), "{:?}", report.verdict);
    let problem = report.failure_summary().unwrap();
    assert!(problem.starts_with("DescribeTasks: ") && problem.contains("address"), "{problem}");
}

/// The configuration of the article's function, with its own container and port.
#[tokio::test]
async fn the_articles_settings_deregister_the_same_target() {
    let mut world = World::new();
    world.add_cluster("demo");
    let balancer = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/logstash/50dc6c495c0c9188";
    let group = Group::new("logstash", 5044).load_balancer(balancer);
    let group = group.target("10.0.0.1", State::Healthy).target("10.0.0.2", State::Healthy);
    let group = world.add_group(group);
    let local = start(world).await;
    let named = format!("{group}=5044");
    let pairs = [
        ("SPOTDRAIN_LOAD_BALANCERS", balancer),
        ("SPOTDRAIN_TARGET_GROUPS", named.as_str()),
        ("SPOTDRAIN_DISCOVER", "false"),
    ];
    let mut event: Value = notice(1, "logstash", "10.0.0.1");
    event["detail"]["containers"][0]["name"] = "logstash".into();
    event["detail"]["stopCode"] = "TerminationNotice".into();
    let report = handle(&function_on(&local, &pairs), &event).await;
    assert_eq!(outcome_lines(&report), ["logstash 10.0.0.1:5044 Deregistered"]);
    assert_eq!(targets(&local, &group), ["10.0.0.1:5044 draining", "10.0.0.2:5044 healthy"]);
    assert_eq!(report.notices[0].first, First::Spotdrain);

    let other = group.replace("logstash", "other");
    let pairs = [pairs[0], ("SPOTDRAIN_TARGET_GROUPS", other.as_str()), pairs[2]];
    let report = handle(&function_on(&local, &pairs), &event).await;
    let problem = report.failure_summary().unwrap();
    assert!(problem.contains("targetgroup/other/") && problem.contains(balancer), "{problem}");
}

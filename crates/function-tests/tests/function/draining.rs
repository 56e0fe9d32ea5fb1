//! One invocation against the local AWS: the calls that are made, and what they change.

use std::time::Duration;

use spotdrain_core::model::notice::Ignored;
use spotdrain_core::report::Verdict;
use spotdrain_localaws::{Action, Fault, Group, LoadBalancer, Service, State, World};

use crate::common::{
    actions, batch, function_on, handle, handle_within, is, notice, outcome_lines, start, targets, two_targets, world,
};

#[tokio::test]
async fn one_notice_is_three_calls_and_one_target() {
    let (world, group) = world();
    let local = start(world).await;
    let report = handle(&function_on(&local, &[]), &notice(1, "web", "10.0.0.1")).await;
    assert_eq!(
        (report.verdict, outcome_lines(&report)),
        (Verdict::Done, vec!["web 10.0.0.1:80 Deregistered".to_owned()])
    );
    assert_eq!(targets(&local, &group), ["10.0.0.1:80 draining", "10.0.0.2:80 healthy", "10.0.0.3:80 healthy"]);
    assert_eq!(actions(&local), ["DescribeServices", "DescribeTargetHealth", "DeregisterTargets"]);
}

#[tokio::test]
async fn a_repeated_event_makes_no_call_and_a_later_version_is_handled() {
    let (world, _) = world();
    let local = start(world).await;
    let function = function_on(&local, &[]);
    let mut event = notice(1, "web", "10.0.0.1");
    handle(&function, &event).await;
    local.world().clear_calls();
    assert_eq!(handle(&function, &event).await.ignored[0].reason, Ignored::Repeated);
    assert!(actions(&local).is_empty());
    event["detail"]["version"] = 5.into();
    assert_eq!(outcome_lines(&handle(&function, &event).await), ["web 10.0.0.1:80 AlreadyDraining"]);
    assert_eq!(actions(&local), ["DescribeTargetHealth"], "the service is remembered for a short time");
}

#[tokio::test]
async fn the_registered_ports_are_deregistered_not_the_services() {
    let (mut world, _) = world();
    let group = Group::new("ports", 80).target("10.0.0.2", State::Healthy);
    let group = group.target(("10.0.0.1", 8080), State::Healthy).target(("10.0.0.1", 9090), State::Healthy);
    let group = world.add_group(group);
    world.add_service(Service::new("demo", "ports").load_balancer(LoadBalancer::new(&group, "ports", 80)));
    let local = start(world).await;
    let report = handle(&function_on(&local, &[]), &notice(1, "ports", "10.0.0.1")).await;
    assert_eq!(outcome_lines(&report), ["ports 10.0.0.1:8080 Deregistered", "ports 10.0.0.1:9090 Deregistered"]);
    assert_eq!(actions(&local).iter().filter(|action| *action == "DeregisterTargets").count(), 1, "in one call");
    assert!(is(&local, &group, ("10.0.0.2", 80), State::Healthy));
}

#[tokio::test]
async fn the_last_healthy_target_is_kept() {
    let (mut world, group) = world();
    for other in ["10.0.0.2", "10.0.0.3"] {
        world.set_state(&group, other, State::Unhealthy, Duration::ZERO).unwrap();
    }
    let local = start(world).await;
    let report = handle(&function_on(&local, &[]), &notice(1, "web", "10.0.0.1")).await;
    assert_eq!(
        (report.verdict, outcome_lines(&report)),
        (Verdict::Nothing, vec!["web 10.0.0.1:80 KeptLastHealthy".to_owned()])
    );
}

#[tokio::test]
async fn a_notice_without_a_turn_before_the_deadline_is_returned_at_once() {
    let mut world = World::new();
    world.add_cluster("demo");
    let names = ["a", "b"];
    for name in names {
        let group = two_targets(&mut world, name);
        world.add_service(Service::new("demo", name).load_balancer(LoadBalancer::new(&group, "web", 80)));
    }
    world.add_fault(Fault::Slow(Duration::from_millis(1500)).on(Action::DeregisterTargets));
    let local = start(world).await;
    let bodies: Vec<_> = (1..).zip(names).map(|(n, name)| notice(n, name, "10.0.0.1").to_string()).collect();
    let function = function_on(&local, &[("SPOTDRAIN_CALLS_PER_SECOND", "0.1"), ("SPOTDRAIN_CALL_BURST", "1")]);
    let report = handle_within(&function, &batch(&bodies), Duration::from_secs(8)).await;
    assert_eq!(outcome_lines(&report), ["a 10.0.0.1:80 Deregistered"]);
    assert_eq!(report.failed_messages(), ["m1"]);
    let problem =
        &report.notices.iter().flat_map(spotdrain_core::report::NoticeRecord::failures).next().unwrap().problem;
    assert_eq!(problem, "not started: the rate limit left no turn for it before the deadline");
    let calls = ["DescribeServices", "DescribeTargetHealth", "ListTasks", "DeregisterTargets"];
    assert_eq!(actions(&local), calls, "no call for it");
}

#[tokio::test]
async fn a_short_function_timeout_is_enough_if_aws_is_fast() {
    let (world, _) = world();
    let local = start(world).await;
    let report = handle_within(&function_on(&local, &[]), &notice(1, "web", "10.0.0.1"), Duration::from_secs(2)).await;
    assert_eq!(report.verdict, Verdict::Done);
}

#[tokio::test]
async fn a_batch_needs_one_write_for_each_group() {
    let mut world = World::new();
    world.set_throttles(spotdrain_localaws::Throttles::Off);
    world.add_cluster("demo");
    let names: Vec<_> = (0..3).map(|group| format!("g{group}")).collect();
    let mut groups = Vec::new();
    for name in &names {
        let mut group = Group::new(name, 80);
        for other in 0..60 {
            group = group.target(format!("10.9.9.{other}").as_str(), State::Healthy);
        }
        for task in 0..50 {
            group = group.target(format!("10.0.0.{task}").as_str(), State::Healthy);
        }
        groups.push(world.add_group(group));
    }
    for (name, group) in names.iter().zip(&groups) {
        world.add_service(Service::new("demo", name).load_balancer(LoadBalancer::new(group, "web", 80)));
    }
    let local = start(world).await;
    let numbers = (0..150).map(|number| (number, number % 3, number / 3));
    let bodies: Vec<_> = numbers
        .map(|(number, group, task)| notice(number, &format!("g{group}"), &format!("10.0.0.{task}")).to_string())
        .collect();
    let report = handle(&function_on(&local, &[]), &batch(&bodies)).await;
    assert_eq!(outcome_lines(&report).iter().filter(|row| row.ends_with(" Deregistered")).count(), 150);
    let mut calls = actions(&local);
    calls.sort();
    calls.dedup();
    assert_eq!(calls.len(), 3, "{calls:?}");
    assert_eq!(local.calls().len(), 1 + 3 + 3, "one for the services, and two a group");
}

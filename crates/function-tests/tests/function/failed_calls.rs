//! Calls that fail, hang or cannot be confirmed, within one invocation.

use std::time::Duration;

use spotdrain_core::report::Verdict;
use spotdrain_localaws::{Action, Fault, Group, LoadBalancer, Service, State, World};

use crate::common::{
    actions, aged, batch, function_on, handle, handle_within, is, notice, outcome_lines, start, two_targets, world,
};

#[tokio::test]
async fn an_unreadable_group_is_deregistered_from_and_read_back() {
    let (mut world, group) = world();
    world.add_fault(Fault::AccessDenied.on(Action::DescribeTargetHealth).times(1));
    let local = start(world).await;
    let report = handle(&function_on(&local, &[]), &notice(1, "web", "10.0.0.1")).await;
    assert_eq!(outcome_lines(&report), ["web 10.0.0.1:80 Deregistered"]);
    assert_eq!(
        actions(&local),
        ["DescribeServices", "DescribeTargetHealth", "DeregisterTargets", "DescribeTargetHealth"]
    );
    assert!(is(&local, &group, ("10.0.0.1", 80), State::Draining));
}

#[tokio::test]
async fn a_wrong_port_is_found_when_read_back_and_corrected() {
    let (mut world, _) = world();
    let group = Group::new("ports", 80).target(("10.0.0.1", 8080), State::Healthy).target("10.0.0.2", State::Healthy);
    let group = world.add_group(group);
    world.add_service(Service::new("demo", "ports").load_balancer(LoadBalancer::new(&group, "ports", 80)));
    world.add_fault(Fault::AccessDenied.on(Action::DescribeTargetHealth).times(1));
    let local = start(world).await;
    let report = handle(&function_on(&local, &[]), &notice(1, "ports", "10.0.0.1")).await;
    assert_eq!(outcome_lines(&report), ["ports 10.0.0.1:8080 Deregistered"]);
    let calls: Vec<_> = actions(&local).into_iter().filter(|action| action != "ListTasks").collect();
    let [look, write] = ["DescribeTargetHealth", "DeregisterTargets"];
    assert_eq!(
        calls[1..],
        [look, write, look, write, look],
        "read back, written, and read back because few targets stay"
    );
    assert!(is(&local, &group, ("10.0.0.1", 8080), State::Draining));
}

#[tokio::test]
async fn a_group_that_is_read_late_keeps_its_last_healthy_target() {
    let (mut world, _) = world();
    let group = Group::new("ports", 80).target(("10.0.0.1", 8080), State::Healthy).target("10.0.0.2", State::Unhealthy);
    let group = world.add_group(group);
    world.add_service(Service::new("demo", "ports").load_balancer(LoadBalancer::new(&group, "ports", 80)));
    world.add_fault(Fault::AccessDenied.on(Action::DescribeTargetHealth).times(1));
    let local = start(world).await;
    let report = handle(&function_on(&local, &[]), &notice(1, "ports", "10.0.0.1")).await;
    assert_eq!(outcome_lines(&report), ["ports 10.0.0.1:8080 KeptLastHealthy"]);
    assert!(is(&local, &group, ("10.0.0.1", 8080), State::Healthy));
}

#[tokio::test]
async fn an_unconfirmed_deregistration_is_a_failure() {
    for (fault, verdict) in [(Fault::Hang, Verdict::Retry), (Fault::AccessDenied, Verdict::Failed)] {
        let (mut world, _) = world();
        world.add_fault(fault.on(Action::DescribeTargetHealth));
        let local = start(world).await;
        let event = notice(1, "web", "10.0.0.1");
        let report = handle_within(&function_on(&local, &[]), &event, Duration::from_secs(7)).await;
        assert_eq!((report.verdict, outcome_lines(&report)), (verdict, vec!["web 10.0.0.1:80 Failed".to_owned()]));
        let failure = report.notices[0].failures().next().unwrap();
        assert!(failure.problem.starts_with("accepted, but not confirmed: "), "{failure:?}");
    }
}

#[tokio::test]
async fn a_hung_call_for_one_notice_does_not_fail_the_others() {
    let (mut world, _) = world();
    world.add_fault(Fault::Hang.on(Action::DescribeTasks));
    let local = start(world).await;
    let bodies = [aged(notice(2, "web", "10.0.0.2"), 60), notice(1, "web", "10.0.0.1")].map(|event| event.to_string());
    let report = handle(&function_on(&local, &[]), &batch(&bodies)).await;
    assert_eq!(outcome_lines(&report), ["web 10.0.0.2:80 Failed", "web 10.0.0.1:80 Deregistered"]);
    assert_eq!(report.failed_messages(), ["m0"]);
}

#[tokio::test]
async fn a_call_on_a_broken_connection_is_retried_without_a_new_turn() {
    let mut world = World::new();
    world.set_throttles(spotdrain_localaws::Throttles::Off);
    world.add_cluster("demo");
    let names: Vec<_> = (10..40).map(|group| format!("g{group}")).collect();
    for name in &names {
        let group = two_targets(&mut world, name);
        world.add_service(Service::new("demo", name).load_balancer(LoadBalancer::new(&group, "web", 80)));
    }
    world.add_fault(Fault::Reset.on(Action::DeregisterTargets).times(10));
    let local = start(world).await;
    let bodies: Vec<_> = (1..).zip(&names).map(|(n, name)| notice(n, name, "10.0.0.1").to_string()).collect();
    let function = function_on(&local, &[("SPOTDRAIN_CALLS_PER_SECOND", "1"), ("SPOTDRAIN_CALL_BURST", "30")]);
    let report = handle(&function, &batch(&bodies)).await;
    assert_eq!(report.verdict, Verdict::Done);
    let writes = actions(&local).into_iter().filter(|action| action == "DeregisterTargets").count();
    assert_eq!(writes, 40, "ten were broken off and came again");
}

#[tokio::test]
async fn a_missing_permission_is_reported_and_the_other_group_is_done() {
    let (mut world, _) = world();
    let [a, b] = ["a", "b"].map(|name| two_targets(&mut world, name));
    let service = Service::new("demo", "two").load_balancer(LoadBalancer::new(&a, "x", 80));
    world.add_service(service.load_balancer(LoadBalancer::new(&b, "y", 80)));
    world.add_fault(Fault::AccessDenied.on(Action::DeregisterTargets).times(1));
    let local = start(world).await;
    let report = handle(&function_on(&local, &[]), &notice(1, "two", "10.0.0.1")).await;
    let mut outcomes: Vec<_> = report.notices[0].registrations.iter().map(|row| row.outcome.as_str()).collect();
    outcomes.sort_unstable();
    assert_eq!((report.verdict, outcomes), (Verdict::Failed, vec!["Deregistered", "Failed"]));
    let summary = report.failure_summary().unwrap();
    assert!(summary.contains("elasticloadbalancing:DeregisterTargets"), "{summary}");
}

#[tokio::test]
async fn throttling_errors_and_broken_connections_are_retried() {
    for fault in [Fault::Refuse, Fault::ServerError, Fault::Unavailable, Fault::Reset, Fault::ResetAfterWork] {
        let (mut world, group) = world();
        for action in [Action::DescribeServices, Action::DescribeTargetHealth, Action::DeregisterTargets] {
            world.add_fault(fault.on(action).times(2));
        }
        let local = start(world).await;
        let report = handle(&function_on(&local, &[]), &notice(1, "web", "10.0.0.1")).await;
        assert_eq!(outcome_lines(&report), ["web 10.0.0.1:80 Deregistered"], "{fault:?}");
        assert!(is(&local, &group, ("10.0.0.1", 80), State::Draining), "{fault:?}");
    }
}

#[tokio::test]
async fn one_invalid_target_does_not_block_the_others() {
    let (mut world, group) = world();
    world.reject_target(&group, "10.0.0.2").unwrap();
    world.set_throttles(spotdrain_localaws::Throttles::Off);
    let local = start(world).await;
    let events = [notice(1, "web", "10.0.0.1"), notice(2, "web", "10.0.0.2")].map(|event| event.to_string());
    let function = function_on(&local, &[("SPOTDRAIN_KEEP_LAST", "false")]);
    let report = handle(&function, &batch(&events)).await;
    let mut lines = outcome_lines(&report);
    lines.sort();
    assert_eq!(lines, ["web 10.0.0.1:80 Deregistered", "web 10.0.0.2:80 Failed"]);
    assert_eq!((report.verdict, report.failed_messages()), (Verdict::Failed, vec!["m1"]));
    let failure = report.notices.iter().flat_map(spotdrain_core::report::NoticeRecord::failures).next().unwrap();
    assert!(failure.problem.starts_with("InvalidTarget: "), "{failure:?}");
    assert!(is(&local, &group, ("10.0.0.1", 80), State::Draining));
}

#[tokio::test]
async fn a_call_without_an_answer_is_abandoned_before_the_deadline() {
    let (mut world, _) = world();
    world.add_fault(Fault::Hang.on(Action::DescribeServices));
    let local = start(world).await;
    let event = batch(&[notice(1, "web", "10.0.0.1").to_string()]);
    let report = handle_within(&function_on(&local, &[]), &event, Duration::from_secs(4)).await;
    assert_eq!((report.verdict, report.failed_messages()), (Verdict::Retry, vec!["m0"]));
}

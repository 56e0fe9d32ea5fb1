//! The whole story in one process, against the local AWS: which calls are made, and what they change.
use std::time::Duration;

use crate::common::{
    actions, aged, batch, dated, drainer, handle, handle_within, id, is, notice, outcome_lines, start, targets,
};
use spotdrain_core::model::notice::Ignored;
use spotdrain_core::model::outcome::NoTargetGroup;
use spotdrain_core::report::Verdict;
use spotdrain_localaws::{
    Action, DeploymentController, Fault, Group, LoadBalancer, Service, State, Task, TaskSet, TaskStatus, World,
};

/// A service `web` on port 80 with three healthy targets; the task of number 1 is at 10.0.0.1.
fn world() -> (World, String) {
    let mut world = World::new();
    world.add_cluster("demo");
    let group = Group::new("web", 80).deregistration_delay(Duration::from_mins(1));
    let group = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].iter().fold(group, |group, ip| group.target(*ip, State::Healthy));
    let group = world.add_group(group);
    world.add_service(Service::new("demo", "web").load_balancer(LoadBalancer::new(&group, "web", 80)));
    world.add_task(Task::new("demo", &id(1)).service("web").address("10.0.0.1"));
    (world, group)
}

#[tokio::test]
async fn one_notice_is_three_calls_and_one_target() {
    let (world, group) = world();
    let local = start(world).await;
    let report = handle(&drainer(&local, &[]), &notice(1, "web", "10.0.0.1")).await;
    assert_eq!(
        (report.verdict, outcome_lines(&report)),
        (Verdict::Done, vec!["web 10.0.0.1:80 Deregistered".to_owned()])
    );
    assert_eq!(targets(&local, &group), ["10.0.0.1:80 draining", "10.0.0.2:80 healthy", "10.0.0.3:80 healthy"]);
    assert_eq!(actions(&local), ["DescribeServices", "DescribeTargetHealth", "DeregisterTargets"]);
}

#[tokio::test]
async fn a_repeat_makes_no_call_and_a_later_version_is_read_again() {
    let (world, _) = world();
    let local = start(world).await;
    let drainer = drainer(&local, &[]);
    let mut event = notice(1, "web", "10.0.0.1");
    handle(&drainer, &event).await;
    local.world().clear_calls();
    assert_eq!(handle(&drainer, &event).await.ignored[0].reason, Ignored::Repeated);
    assert!(actions(&local).is_empty());
    event["detail"]["version"] = 5.into();
    assert_eq!(outcome_lines(&handle(&drainer, &event).await), ["web 10.0.0.1:80 AlreadyDraining"]);
    assert_eq!(actions(&local), ["DescribeTargetHealth"], "the service is remembered for a short time");
}

#[tokio::test]
async fn only_the_registered_port_is_taken_out_whatever_the_service_says() {
    let (mut world, _) = world();
    let group = Group::new("ports", 80).target("10.0.0.2", State::Healthy);
    let group = group.target(("10.0.0.1", 8080), State::Healthy).target(("10.0.0.1", 9090), State::Healthy);
    let group = world.add_group(group);
    world.add_service(Service::new("demo", "ports").load_balancer(LoadBalancer::new(&group, "ports", 80)));
    let local = start(world).await;
    let report = handle(&drainer(&local, &[]), &notice(1, "ports", "10.0.0.1")).await;
    assert_eq!(outcome_lines(&report), ["ports 10.0.0.1:8080 Deregistered", "ports 10.0.0.1:9090 Deregistered"]);
    assert_eq!(actions(&local).iter().filter(|action| *action == "DeregisterTargets").count(), 1, "in one call");
    assert!(is(&local, &group, ("10.0.0.2", 80), State::Healthy));
}

/// Adds a group with two healthy targets, of which 10.0.0.1 is the task's.
fn two_targets(world: &mut World, name: &str) -> String {
    world.add_group(Group::new(name, 80).target("10.0.0.1", State::Healthy).target("10.0.0.2", State::Healthy))
}

#[tokio::test]
async fn groups_of_every_kind_of_deployment_are_found() {
    let (mut world, _) = world();
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| two_targets(&mut world, name));
    let several = Service::new("demo", "several");
    world.add_service(
        several.load_balancer(LoadBalancer::new(&a, "x", 80)).load_balancer(LoadBalancer::new(&b, "y", 80)),
    );
    world.add_service(Service::new("demo", "blue-green").load_balancer(LoadBalancer::new(&c, "x", 80).alternate(&d)));
    let sets = [("1", &a), ("2", &d)].map(|(id, group)| {
        let arn = format!("{}:task-set/demo/any/{id}", crate::common::PREFIX);
        let load_balancers = vec![LoadBalancer::new(group, "x", 80)];
        TaskSet { id: id.to_owned(), task_set_arn: arn, status: "ACTIVE".to_owned(), load_balancers }
    });
    for (name, controller) in
        [("code-deploy", DeploymentController::CodeDeploy), ("external", DeploymentController::External)]
    {
        let service = Service::new("demo", name).deployed_by(controller);
        world.add_service(sets.iter().cloned().fold(service, Service::task_set));
    }
    let local = start(world).await;
    let expected =
        [("several", ["a", "b"]), ("blue-green", ["c", "d"]), ("code-deploy", ["a", "d"]), ("external", ["a", "d"])];
    for (number, (service, groups)) in (1..).zip(expected) {
        let drainer = drainer(&local, &[("SPOTDRAIN_MODE", "observe")]);
        let report = handle(&drainer, &notice(number, service, "10.0.0.1")).await;
        assert_eq!(
            outcome_lines(&report),
            groups.map(|group| format!("{group} 10.0.0.1:80 WouldDeregister")),
            "{service}"
        );
    }
    assert!(!actions(&local).contains(&"DeregisterTargets".to_owned()), "observe changes nothing");
}

#[tokio::test]
async fn an_ipv6_target_is_found_by_the_containers_address() {
    let (mut world, _) = world();
    let group = Group::new("six", 80).ip_address_type(spotdrain_localaws::IpAddressType::Ipv6);
    let group = world.add_group(group.target("2001:db8::1", State::Healthy).target("2001:db8::2", State::Healthy));
    world.add_service(Service::new("demo", "six").load_balancer(LoadBalancer::new(&group, "six", 80)));
    let local = start(world).await;
    let mut event = notice(1, "six", "10.0.0.1");
    event["detail"]["containers"][0]["networkInterfaces"][0]["ipv6Address"] = "2001:db8::1".into();
    assert_eq!(outcome_lines(&handle(&drainer(&local, &[]), &event).await), ["six 2001:db8::1:80 Deregistered"]);
    assert!(is(&local, &group, ("2001:db8::1", 80), State::Draining));
}

#[tokio::test]
async fn a_standalone_task_has_the_configured_groups() {
    let (world, group) = world();
    let local = start(world).await;
    let pairs = [("SPOTDRAIN_TARGET_GROUPS", group.as_str()), ("SPOTDRAIN_MODE", "observe")];
    let mut standalone = notice(2, "web", "10.0.0.1");
    standalone["detail"]["group"] = "family:web".into();
    assert_eq!(
        outcome_lines(&handle(&drainer(&local, &pairs), &standalone).await),
        ["web 10.0.0.1:80 WouldDeregister"]
    );
    let report = handle(&drainer(&local, &[]), &standalone).await;
    assert_eq!(report.verdict, Verdict::Nothing, "none is configured");
    assert_eq!(report.notices[0].no_target_group, Some(NoTargetGroup::NoLoadBalancer));
}

/// A task of it was running a moment ago, so it must be another account or Region.
#[tokio::test]
async fn a_service_that_ecs_does_not_know_is_asked_for_once_more_and_then_a_failure() {
    let (world, _) = world();
    let local = start(world).await;
    let report = handle(&drainer(&local, &[]), &notice(1, "gone", "10.0.0.1")).await;
    assert_eq!(report.verdict, Verdict::Retry);
    let problem = &report.notices[0].failures().next().unwrap().problem;
    assert!(problem.contains("account 123456789012, and the Region eu-central-1"), "{problem}");
    assert_eq!(actions(&local), ["DescribeServices", "DescribeServices"]);
}

#[tokio::test]
async fn a_configured_group_that_does_not_exist_is_an_outcome() {
    let (world, group) = world();
    let local = start(world).await;
    let gone = group.replace("web", "gone");
    let pairs = [("SPOTDRAIN_TARGET_GROUPS", gone.as_str()), ("SPOTDRAIN_DISCOVER", "false")];
    let report = handle(&drainer(&local, &pairs), &notice(1, "web", "10.0.0.1")).await;
    assert_eq!(
        (report.verdict, outcome_lines(&report)),
        (Verdict::Nothing, vec!["gone 10.0.0.1 AlreadyGone".to_owned()])
    );
}

#[tokio::test]
async fn the_last_healthy_target_stays() {
    let (mut world, group) = world();
    for other in ["10.0.0.2", "10.0.0.3"] {
        world.set_state(&group, other, State::Unhealthy, Duration::ZERO).unwrap();
    }
    let local = start(world).await;
    let report = handle(&drainer(&local, &[]), &notice(1, "web", "10.0.0.1")).await;
    assert_eq!(
        (report.verdict, outcome_lines(&report)),
        (Verdict::Nothing, vec!["web 10.0.0.1:80 KeptLastHealthy".to_owned()])
    );
}

#[tokio::test]
async fn a_late_event_for_an_address_that_another_task_has_is_stale() {
    let (mut world, group) = world();
    world.add_task(Task::new("demo", &id(2)).service("web").address("10.0.0.9"));
    for number in 1..=2 {
        world.interrupt(&format!("{}:task/demo/{}", crate::common::PREFIX, id(number)), Duration::ZERO).unwrap();
    }
    let local = start(world).await;
    let drainer = drainer(&local, &[]);
    for (number, age, why) in [(2, 60, "the task has another address"), (3, 130, "the task is gone")] {
        let report = handle(&drainer, &aged(notice(number, "web", "10.0.0.1"), age)).await;
        assert_eq!(outcome_lines(&report), ["web 10.0.0.1:80 Stale"], "{why}");
    }
    let report = handle(&drainer, &aged(notice(1, "web", "10.0.0.1"), 60)).await;
    assert_eq!(outcome_lines(&report), ["web 10.0.0.1:80 Deregistered"], "it is late, and still the task's");
    let written = actions(&local).iter().filter(|action| *action == "DeregisterTargets").count();
    assert_eq!(written, 1);
    assert!(is(&local, &group, ("10.0.0.1", 80), State::Draining));
}

#[tokio::test]
async fn the_services_tag_turns_it_off() {
    let (mut world, group) = world();
    world.add_service(
        Service::new("demo", "off").load_balancer(LoadBalancer::new(&group, "web", 80)).tag("spotdrain", "off"),
    );
    let local = start(world).await;
    let report = handle(&drainer(&local, &[]), &notice(1, "off", "10.0.0.1")).await;
    assert_eq!((report.verdict, report.ignored[0].reason), (Verdict::Nothing, Ignored::OutOfScope));
    assert_eq!(actions(&local), ["DescribeServices"]);
}

#[tokio::test]
async fn a_group_that_cannot_be_read_is_acted_on_and_then_read() {
    let (mut world, group) = world();
    world.add_fault(Fault::AccessDenied.on(Action::DescribeTargetHealth).times(1));
    let local = start(world).await;
    let report = handle(&drainer(&local, &[]), &notice(1, "web", "10.0.0.1")).await;
    assert_eq!(outcome_lines(&report), ["web 10.0.0.1:80 Deregistered"]);
    assert_eq!(
        actions(&local),
        ["DescribeServices", "DescribeTargetHealth", "DeregisterTargets", "DescribeTargetHealth"]
    );
    assert!(is(&local, &group, ("10.0.0.1", 80), State::Draining));
}

#[tokio::test]
async fn a_port_that_was_guessed_wrong_is_seen_and_mended() {
    let (mut world, _) = world();
    let group = Group::new("ports", 80).target(("10.0.0.1", 8080), State::Healthy).target("10.0.0.2", State::Healthy);
    let group = world.add_group(group);
    world.add_service(Service::new("demo", "ports").load_balancer(LoadBalancer::new(&group, "ports", 80)));
    world.add_fault(Fault::AccessDenied.on(Action::DescribeTargetHealth).times(1));
    let local = start(world).await;
    let report = handle(&drainer(&local, &[]), &notice(1, "ports", "10.0.0.1")).await;
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
async fn a_group_that_is_read_only_afterwards_keeps_its_last_healthy_target_too() {
    let (mut world, _) = world();
    let group = Group::new("ports", 80).target(("10.0.0.1", 8080), State::Healthy).target("10.0.0.2", State::Unhealthy);
    let group = world.add_group(group);
    world.add_service(Service::new("demo", "ports").load_balancer(LoadBalancer::new(&group, "ports", 80)));
    world.add_fault(Fault::AccessDenied.on(Action::DescribeTargetHealth).times(1));
    let local = start(world).await;
    let report = handle(&drainer(&local, &[]), &notice(1, "ports", "10.0.0.1")).await;
    assert_eq!(outcome_lines(&report), ["ports 10.0.0.1:8080 KeptLastHealthy"]);
    assert!(is(&local, &group, ("10.0.0.1", 8080), State::Healthy));
}

#[tokio::test]
async fn what_has_no_turn_before_the_deadline_goes_back_at_once() {
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
    let drainer = drainer(&local, &[("SPOTDRAIN_CALLS_PER_SECOND", "0.1"), ("SPOTDRAIN_CALL_BURST", "1")]);
    let report = handle_within(&drainer, &batch(&bodies), Duration::from_secs(8)).await;
    assert_eq!(outcome_lines(&report), ["a 10.0.0.1:80 Deregistered"]);
    assert_eq!(report.failed_messages(), ["m1"]);
    let problem =
        &report.notices.iter().flat_map(spotdrain_core::report::NoticeRecord::failures).next().unwrap().problem;
    assert_eq!(problem, "not started: the rate limit left no turn for it before the deadline");
    let calls = ["DescribeServices", "DescribeTargetHealth", "ListTasks", "DeregisterTargets"];
    assert_eq!(actions(&local), calls, "no call for it");
}

#[tokio::test]
async fn what_is_not_seen_to_be_done_is_not_done() {
    for (fault, verdict) in [(Fault::Hang, Verdict::Retry), (Fault::AccessDenied, Verdict::Failed)] {
        let (mut world, _) = world();
        world.add_fault(fault.on(Action::DescribeTargetHealth));
        let local = start(world).await;
        let event = notice(1, "web", "10.0.0.1");
        let report = handle_within(&drainer(&local, &[]), &event, Duration::from_secs(7)).await;
        assert_eq!((report.verdict, outcome_lines(&report)), (verdict, vec!["web 10.0.0.1:80 Failed".to_owned()]));
        let failure = report.notices[0].failures().next().unwrap();
        assert!(failure.problem.starts_with("accepted, but not confirmed: "), "{failure:?}");
    }
}

#[tokio::test]
async fn an_event_that_says_that_the_task_is_down_outweighs_one_that_comes_late() {
    let (world, group) = world();
    let local = start(world).await;
    let drainer = drainer(&local, &[]);
    let late = notice(1, "web", "10.0.0.1");
    let mut down = late.clone();
    (down["detail"]["lastStatus"], down["detail"]["version"]) = ("STOPPED".into(), 8.into());
    let report = handle(&drainer, &batch(&[late.to_string(), down.to_string()])).await;
    assert_eq!(report.ignored.iter().map(|event| event.reason).collect::<Vec<_>>(), [Ignored::AlreadyDown; 2]);
    assert_eq!(handle(&drainer, &late).await.ignored[0].reason, Ignored::AlreadyDown, "also in a later invocation");
    assert!(is(&local, &group, ("10.0.0.1", 80), State::Healthy));
}

#[tokio::test]
async fn a_service_that_changed_since_it_was_remembered_is_asked_again() {
    let (world, _) = world();
    let local = start(world).await;
    let drainer = drainer(&local, &[]);
    handle(&drainer, &notice(1, "web", "10.0.0.1")).await;
    let new = {
        let mut world = local.world();
        let group = Group::new("new", 80).target("10.0.0.8", State::Healthy).target("10.0.0.9", State::Healthy);
        let new = world.add_group(group);
        let service = format!("{}:service/demo/web", crate::common::PREFIX);
        world.service_mut(&service).unwrap().load_balancers = vec![LoadBalancer::new(&new, "web", 80)];
        new
    };
    let report = handle(&drainer, &notice(2, "web", "10.0.0.2")).await;
    assert_eq!(
        outcome_lines(&report),
        ["web 10.0.0.2:80 Deregistered"],
        "what is remembered still holds for an older task"
    );
    let expected = ["web 10.0.0.9 NotRegistered", "new 10.0.0.9:80 Deregistered"];
    assert_eq!(outcome_lines(&handle(&drainer, &notice(3, "web", "10.0.0.9")).await), expected);
    assert!(is(&local, &new, ("10.0.0.9", 80), State::Draining));
}

#[tokio::test]
async fn one_hung_question_does_not_fail_the_notices_beside_it() {
    let (mut world, _) = world();
    world.add_fault(Fault::Hang.on(Action::DescribeTasks));
    let local = start(world).await;
    let bodies = [aged(notice(2, "web", "10.0.0.2"), 60), notice(1, "web", "10.0.0.1")].map(|event| event.to_string());
    let report = handle(&drainer(&local, &[]), &batch(&bodies)).await;
    assert_eq!(outcome_lines(&report), ["web 10.0.0.2:80 Failed", "web 10.0.0.1:80 Deregistered"]);
    assert_eq!(report.failed_messages(), ["m0"]);
}

#[tokio::test]
async fn ownership_is_asked_in_the_turn_if_the_turn_comes_late() {
    let (mut world, _) = world();
    let late = Group::new("x-late", 80).target("10.0.1.1", State::Healthy).target("10.0.1.2", State::Healthy);
    let late = world.add_group(late.target("10.0.1.3", State::Healthy));
    world.add_service(Service::new("demo", "x-late").load_balancer(LoadBalancer::new(&late, "web", 80)));
    for number in [11, 12] {
        let task = Task::new("demo", &id(number)).service("x-late").address(&format!("10.0.1.{}", number - 10));
        world.add_task(task);
        world.interrupt(&format!("{}:task/demo/{}", crate::common::PREFIX, id(number)), Duration::ZERO).unwrap();
    }
    let down = format!("{}:task/demo/{}", crate::common::PREFIX, id(12));
    world.set_last_status(&down, TaskStatus::Deprovisioning, Duration::ZERO).unwrap();
    let local = start(world).await;
    let first = notice(1, "web", "10.0.0.1");
    let (up, down) = (notice(11, "x-late", "10.0.1.1"), notice(12, "x-late", "10.0.1.2"));
    // The first group has its turn at once, the second after ten seconds: its notices are old by then.
    let drainer = drainer(&local, &[("SPOTDRAIN_CALLS_PER_SECOND", "0.1"), ("SPOTDRAIN_CALL_BURST", "1")]);
    let report = handle(&drainer, &batch(&[first, up, down].map(|event| event.to_string()))).await;
    let expected = ["web 10.0.0.1:80 Deregistered", "x-late 10.0.1.1:80 Deregistered", "x-late 10.0.1.2:80 Stale"];
    assert_eq!(outcome_lines(&report), expected);
    assert!(actions(&local).contains(&"DescribeTasks".to_owned()));
    assert!(is(&local, &late, ("10.0.1.2", 80), State::Healthy));
}

#[tokio::test]
async fn a_short_function_timeout_is_enough_when_aws_is_quick() {
    let (world, _) = world();
    let local = start(world).await;
    let report = handle_within(&drainer(&local, &[]), &notice(1, "web", "10.0.0.1"), Duration::from_secs(2)).await;
    assert_eq!(report.verdict, Verdict::Done);
}

#[tokio::test]
async fn a_broken_connection_does_not_put_a_call_behind_all_the_others() {
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
    let drainer = drainer(&local, &[("SPOTDRAIN_CALLS_PER_SECOND", "1"), ("SPOTDRAIN_CALL_BURST", "30")]);
    let report = handle(&drainer, &batch(&bodies)).await;
    assert_eq!(report.verdict, Verdict::Done);
    let writes = actions(&local).into_iter().filter(|action| action == "DeregisterTargets").count();
    assert_eq!(writes, 40, "ten were broken off and came again");
}

#[tokio::test]
async fn a_right_that_is_missing_is_told_and_another_group_is_done_all_the_same() {
    let (mut world, _) = world();
    let [a, b] = ["a", "b"].map(|name| two_targets(&mut world, name));
    let service = Service::new("demo", "two").load_balancer(LoadBalancer::new(&a, "x", 80));
    world.add_service(service.load_balancer(LoadBalancer::new(&b, "y", 80)));
    world.add_fault(Fault::AccessDenied.on(Action::DeregisterTargets).times(1));
    let local = start(world).await;
    let report = handle(&drainer(&local, &[]), &notice(1, "two", "10.0.0.1")).await;
    let mut outcomes: Vec<_> = report.notices[0].registrations.iter().map(|row| row.outcome.as_str()).collect();
    outcomes.sort_unstable();
    assert_eq!((report.verdict, outcomes), (Verdict::Failed, vec!["Deregistered", "Failed"]));
    let summary = report.failure_summary().unwrap();
    assert!(summary.contains("elasticloadbalancing:DeregisterTargets"), "{summary}");
}

#[tokio::test]
async fn refusals_errors_and_broken_connections_are_tried_again() {
    for fault in [Fault::Refuse, Fault::ServerError, Fault::Unavailable, Fault::Reset, Fault::ResetAfterWork] {
        let (mut world, group) = world();
        for action in [Action::DescribeServices, Action::DescribeTargetHealth, Action::DeregisterTargets] {
            world.add_fault(fault.on(action).times(2));
        }
        let local = start(world).await;
        let report = handle(&drainer(&local, &[]), &notice(1, "web", "10.0.0.1")).await;
        assert_eq!(outcome_lines(&report), ["web 10.0.0.1:80 Deregistered"], "{fault:?}");
        assert!(is(&local, &group, ("10.0.0.1", 80), State::Draining), "{fault:?}");
    }
}

#[tokio::test]
async fn one_invalid_target_does_not_keep_the_others() {
    let (mut world, group) = world();
    world.reject_target(&group, "10.0.0.2").unwrap();
    world.set_throttles(spotdrain_localaws::Throttles::Off);
    let local = start(world).await;
    let events = [notice(1, "web", "10.0.0.1"), notice(2, "web", "10.0.0.2")].map(|event| event.to_string());
    let drainer = drainer(&local, &[("SPOTDRAIN_KEEP_LAST", "false")]);
    let report = handle(&drainer, &batch(&events)).await;
    let mut lines = outcome_lines(&report);
    lines.sort();
    assert_eq!(lines, ["web 10.0.0.1:80 Deregistered", "web 10.0.0.2:80 Failed"]);
    assert_eq!((report.verdict, report.failed_messages()), (Verdict::Failed, vec!["m1"]));
    let failure = report.notices.iter().flat_map(spotdrain_core::report::NoticeRecord::failures).next().unwrap();
    assert!(failure.problem.starts_with("InvalidTarget: "), "{failure:?}");
    assert!(is(&local, &group, ("10.0.0.1", 80), State::Draining));
}

#[tokio::test]
async fn an_api_that_never_answers_is_given_up_before_the_deadline() {
    let (mut world, _) = world();
    world.add_fault(Fault::Hang.on(Action::DescribeServices));
    let local = start(world).await;
    let event = batch(&[notice(1, "web", "10.0.0.1").to_string()]);
    let report = handle_within(&drainer(&local, &[]), &event, Duration::from_secs(4)).await;
    assert_eq!((report.verdict, report.failed_messages()), (Verdict::Retry, vec!["m0"]));
}

#[tokio::test]
async fn a_batch_is_one_call_a_group() {
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
    let report = handle(&drainer(&local, &[]), &batch(&bodies)).await;
    assert_eq!(outcome_lines(&report).iter().filter(|row| row.ends_with(" Deregistered")).count(), 150);
    let mut calls = actions(&local);
    calls.sort();
    calls.dedup();
    assert_eq!(calls.len(), 3, "{calls:?}");
    assert_eq!(local.calls().len(), 1 + 3 + 3, "one for the services, and two a group");
}

#[tokio::test]
async fn an_old_notice_of_a_task_that_is_not_stopping_is_stale() {
    let (world, group) = world();
    let local = start(world).await;
    let report = handle(&drainer(&local, &[]), &aged(notice(1, "web", "10.0.0.1"), 31)).await;
    assert_eq!(outcome_lines(&report), ["web 10.0.0.1:80 Stale"]);
    assert!(is(&local, &group, ("10.0.0.1", 80), State::Healthy));
}

#[tokio::test]
async fn an_event_of_the_future_is_asked_about() {
    let (mut world, _) = world();
    world.interrupt(&format!("{}:task/demo/{}", crate::common::PREFIX, id(1)), Duration::ZERO).unwrap();
    let local = start(world).await;
    let event = dated(notice(1, "web", "10.0.0.1"), "2999-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(outcome_lines(&handle(&drainer(&local, &[]), &event).await), ["web 10.0.0.1:80 Deregistered"]);
    assert!(actions(&local).contains(&"DescribeTasks".to_owned()));
}

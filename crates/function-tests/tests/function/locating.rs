//! How the target groups of a task are found: by service, deployment, tag and configuration.

use spotdrain_core::model::notice::Ignored;
use spotdrain_core::model::outcome::NoTargetGroup;
use spotdrain_core::report::Verdict;
use spotdrain_localaws::{DeploymentController, Group, LoadBalancer, Service, State, TaskSet};

use crate::common::{actions, function_on, handle, is, notice, outcome_lines, start, two_targets, world};

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
        let function = function_on(&local, &[("SPOTDRAIN_MODE", "observe")]);
        let report = handle(&function, &notice(number, service, "10.0.0.1")).await;
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
    assert_eq!(outcome_lines(&handle(&function_on(&local, &[]), &event).await), ["six 2001:db8::1:80 Deregistered"]);
    assert!(is(&local, &group, ("2001:db8::1", 80), State::Draining));
}

#[tokio::test]
async fn a_standalone_task_is_searched_in_the_configured_groups() {
    let (world, group) = world();
    let local = start(world).await;
    let pairs = [("SPOTDRAIN_TARGET_GROUPS", group.as_str()), ("SPOTDRAIN_MODE", "observe")];
    let mut standalone = notice(2, "web", "10.0.0.1");
    standalone["detail"]["group"] = "family:web".into();
    assert_eq!(
        outcome_lines(&handle(&function_on(&local, &pairs), &standalone).await),
        ["web 10.0.0.1:80 WouldDeregister"]
    );
    let report = handle(&function_on(&local, &[]), &standalone).await;
    assert_eq!(report.verdict, Verdict::Nothing, "none is configured");
    assert_eq!(report.notices[0].no_target_group, Some(NoTargetGroup::NoLoadBalancer));
}

/// A task of it was running a moment ago, so it must be another account or Region.
#[tokio::test]
async fn an_unknown_service_is_described_again_and_then_a_failure() {
    let (world, _) = world();
    let local = start(world).await;
    let report = handle(&function_on(&local, &[]), &notice(1, "gone", "10.0.0.1")).await;
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
    let report = handle(&function_on(&local, &pairs), &notice(1, "web", "10.0.0.1")).await;
    assert_eq!(
        (report.verdict, outcome_lines(&report)),
        (Verdict::Nothing, vec!["gone 10.0.0.1 AlreadyGone".to_owned()])
    );
}

#[tokio::test]
async fn a_service_tagged_off_is_ignored() {
    let (mut world, group) = world();
    world.add_service(
        Service::new("demo", "off").load_balancer(LoadBalancer::new(&group, "web", 80)).tag("spotdrain", "off"),
    );
    let local = start(world).await;
    let report = handle(&function_on(&local, &[]), &notice(1, "off", "10.0.0.1")).await;
    assert_eq!((report.verdict, report.ignored[0].reason), (Verdict::Nothing, Ignored::OutOfScope));
    assert_eq!(actions(&local), ["DescribeServices"]);
}

#[tokio::test]
async fn a_service_that_changed_since_it_was_cached_is_described_again() {
    let (world, _) = world();
    let local = start(world).await;
    let function = function_on(&local, &[]);
    handle(&function, &notice(1, "web", "10.0.0.1")).await;
    let new = {
        let mut world = local.world();
        let group = Group::new("new", 80).target("10.0.0.8", State::Healthy).target("10.0.0.9", State::Healthy);
        let new = world.add_group(group);
        let service = format!("{}:service/demo/web", crate::common::PREFIX);
        world.service_mut(&service).unwrap().load_balancers = vec![LoadBalancer::new(&new, "web", 80)];
        new
    };
    let report = handle(&function, &notice(2, "web", "10.0.0.2")).await;
    assert_eq!(
        outcome_lines(&report),
        ["web 10.0.0.2:80 Deregistered"],
        "what is remembered still holds for an older task"
    );
    let expected = ["web 10.0.0.9 NotRegistered", "new 10.0.0.9:80 Deregistered"];
    assert_eq!(outcome_lines(&handle(&function, &notice(3, "web", "10.0.0.9")).await), expected);
    assert!(is(&local, &new, ("10.0.0.9", 80), State::Draining));
}

//! Tasks with a hold behind a Network Load Balancer: which targets are left to the hold.
use std::time::Duration;

use crate::common::{actions, function_on, handle, handle_within, id, notice, outcome_lines, start, targets};
use spotdrain_core::report::Verdict;
use spotdrain_localaws::{Action, Fault, Group, LoadBalancer, Service, State, Task, World};

/// A service `app` with the tag `hold`, and two targets, of which task 1 has the first.
fn world(group: Group) -> (World, String) {
    let mut world = World::new();
    world.add_cluster("demo");
    let group = group.target("10.0.0.1", State::Healthy).target("10.0.0.2", State::Healthy);
    let group = world.add_group(group);
    let balancer = LoadBalancer::new(&group, "app", 5044);
    world.add_service(Service::new("demo", "app").load_balancer(balancer).tag("spotdrain", "hold"));
    world.add_task(Task::new("demo", &id(1)).service("app").address("10.0.0.1"));
    (world, group)
}

#[tokio::test]
async fn a_target_with_a_hold_is_left_to_it_and_the_notice_is_done() {
    let (world, group) = world(Group::new("nlb", 5044).health_check_port(8081));
    let local = start(world).await;
    let function = function_on(&local, &[]);
    let event = notice(1, "app", "10.0.0.1");
    let report = handle(&function, &event).await;
    assert_eq!(
        (report.verdict, outcome_lines(&report)),
        (Verdict::Nothing, vec!["nlb 10.0.0.1:5044 LeftToHold".to_owned()])
    );
    assert_eq!(targets(&local, &group), ["10.0.0.1:5044 healthy", "10.0.0.2:5044 healthy"]);
    assert_eq!(actions(&local), ["DescribeServices", "DescribeTargetHealth"], "it costs no call");
    assert_eq!(handle(&function, &event).await.ignored.len(), 1, "a repeat needs nothing");
}

#[tokio::test]
async fn a_target_with_its_health_check_on_the_traffic_port_is_deregistered() {
    let (world, _) = world(Group::new("alb", 5044));
    let local = start(world).await;
    let report = handle(&function_on(&local, &[]), &notice(1, "app", "10.0.0.1")).await;
    assert_eq!(outcome_lines(&report), ["alb 10.0.0.1:5044 Deregistered"]);
}

#[tokio::test]
async fn an_unreadable_group_of_a_hold_is_retried_without_a_write() {
    let (world, group) = world(Group::new("nlb", 5044).health_check_port(8081));
    let local = start(world).await;
    local.world().add_fault(Fault::Refuse.on(Action::DescribeTargetHealth));
    let function = function_on(&local, &[]);
    let event = notice(1, "app", "10.0.0.1");
    let report = handle_within(&function, &event, Duration::from_secs(6)).await;
    assert_eq!(report.verdict, Verdict::Retry, "{report:?}");
    assert!(!actions(&local).iter().any(|action| action == "DeregisterTargets"), "{:?}", actions(&local));
    local.world().clear_faults(None);
    assert_eq!(outcome_lines(&handle(&function, &event).await), ["nlb 10.0.0.1:5044 LeftToHold"]);
    assert_eq!(targets(&local, &group), ["10.0.0.1:5044 healthy", "10.0.0.2:5044 healthy"]);
}

#[tokio::test]
async fn without_discovery_the_hold_tag_is_not_read() {
    let (world, group) = world(Group::new("nlb", 5044).health_check_port(8081));
    let local = start(world).await;
    let settings = [("SPOTDRAIN_DISCOVER", "false"), ("SPOTDRAIN_TARGET_GROUPS", group.as_str())];
    let report = handle(&function_on(&local, &settings), &notice(1, "app", "10.0.0.1")).await;
    assert_eq!(outcome_lines(&report), ["nlb 10.0.0.1:5044 Deregistered"]);
}

/// The port in the record explains why a target was deregistered despite the tag.
#[tokio::test]
async fn the_record_shows_the_hold_and_the_health_check_port() {
    let record = async |group: Group| {
        let (world, _) = world(group);
        let local = start(world).await;
        let report = handle(&function_on(&local, &[]), &notice(1, "app", "10.0.0.1")).await;
        let row = &report.notices[0].registrations[0];
        (report.notices[0].held, row.check_port, row.outcome.as_str().to_owned())
    };
    assert_eq!(
        record(Group::new("nlb", 5044).health_check_port(8081)).await,
        (true, Some(8081), "LeftToHold".to_owned())
    );
    assert_eq!(record(Group::new("alb", 5044)).await, (true, Some(5044), "Deregistered".to_owned()));
}

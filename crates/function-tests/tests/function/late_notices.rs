//! Notices that arrive late, out of order or dated in the future: an address that another task has is not touched.

use std::time::Duration;

use spotdrain_core::model::notice::Ignored;
use spotdrain_localaws::{Group, LoadBalancer, Service, State, Task, TaskStatus};

use crate::common::{actions, aged, batch, dated, function_on, handle, id, is, notice, outcome_lines, start, world};

#[tokio::test]
async fn a_late_notice_for_another_tasks_address_is_stale() {
    let (mut world, group) = world();
    world.add_task(Task::new("demo", &id(2)).service("web").address("10.0.0.9"));
    for number in 1..=2 {
        world.interrupt(&format!("{}:task/demo/{}", crate::common::PREFIX, id(number)), Duration::ZERO).unwrap();
    }
    let local = start(world).await;
    let function = function_on(&local, &[]);
    for (number, age, why) in [(2, 60, "the task has another address"), (3, 130, "the task is gone")] {
        let report = handle(&function, &aged(notice(number, "web", "10.0.0.1"), age)).await;
        assert_eq!(outcome_lines(&report), ["web 10.0.0.1:80 Stale"], "{why}");
    }
    let report = handle(&function, &aged(notice(1, "web", "10.0.0.1"), 60)).await;
    assert_eq!(outcome_lines(&report), ["web 10.0.0.1:80 Deregistered"], "it is late, and still the task's");
    let written = actions(&local).iter().filter(|action| *action == "DeregisterTargets").count();
    assert_eq!(written, 1);
    assert!(is(&local, &group, ("10.0.0.1", 80), State::Draining));
}

#[tokio::test]
async fn an_event_that_the_task_is_down_overrides_an_older_notice() {
    let (world, group) = world();
    let local = start(world).await;
    let function = function_on(&local, &[]);
    let late = notice(1, "web", "10.0.0.1");
    let mut down = late.clone();
    (down["detail"]["lastStatus"], down["detail"]["version"]) = ("STOPPED".into(), 8.into());
    let report = handle(&function, &batch(&[late.to_string(), down.to_string()])).await;
    assert_eq!(report.ignored.iter().map(|event| event.reason).collect::<Vec<_>>(), [Ignored::AlreadyDown; 2]);
    assert_eq!(handle(&function, &late).await.ignored[0].reason, Ignored::AlreadyDown, "also in a later invocation");
    assert!(is(&local, &group, ("10.0.0.1", 80), State::Healthy));
}

#[tokio::test]
async fn ownership_is_checked_within_the_turn_if_the_turn_is_late() {
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
    let function = function_on(&local, &[("SPOTDRAIN_CALLS_PER_SECOND", "0.1"), ("SPOTDRAIN_CALL_BURST", "1")]);
    let report = handle(&function, &batch(&[first, up, down].map(|event| event.to_string()))).await;
    let expected = ["web 10.0.0.1:80 Deregistered", "x-late 10.0.1.1:80 Deregistered", "x-late 10.0.1.2:80 Stale"];
    assert_eq!(outcome_lines(&report), expected);
    assert!(actions(&local).contains(&"DescribeTasks".to_owned()));
    assert!(is(&local, &late, ("10.0.1.2", 80), State::Healthy));
}

#[tokio::test]
async fn an_old_notice_of_a_task_that_is_not_stopping_is_stale() {
    let (world, group) = world();
    let local = start(world).await;
    let report = handle(&function_on(&local, &[]), &aged(notice(1, "web", "10.0.0.1"), 31)).await;
    assert_eq!(outcome_lines(&report), ["web 10.0.0.1:80 Stale"]);
    assert!(is(&local, &group, ("10.0.0.1", 80), State::Healthy));
}

#[tokio::test]
async fn an_event_dated_in_the_future_is_checked_with_ecs() {
    let (mut world, _) = world();
    world.interrupt(&format!("{}:task/demo/{}", crate::common::PREFIX, id(1)), Duration::ZERO).unwrap();
    let local = start(world).await;
    let event = dated(notice(1, "web", "10.0.0.1"), "2999-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(outcome_lines(&handle(&function_on(&local, &[]), &event).await), ["web 10.0.0.1:80 Deregistered"]);
    assert!(actions(&local).contains(&"DescribeTasks".to_owned()));
}

//! Connections that are opened before they are needed, and no more of them than are used.
use std::time::Duration;

use crate::common::{drainer, handle, id, notice, start};
use spotdrain_core::report::Verdict;
use spotdrain_localaws::{Group, LoadBalancer, LocalAws, Service, State, Task, World};

/// A service `web` with two tasks that go on, and two that may be interrupted.
fn world() -> World {
    let mut world = World::new();
    let group = world.add_group(Group::new("web", 80));
    world.add_service(Service::new("demo", "web").load_balancer(LoadBalancer::new(&group, "web", 80)));
    for number in 1..=4 {
        let task = Task::new("demo", &id(number)).service("web").address(&format!("10.0.0.{number}"));
        world.add_task_in(task, &group, State::Healthy, Duration::ZERO).unwrap();
    }
    world
}

async fn until_connected(local: &LocalAws, connections: u64) {
    while local.traffic().connections < connections {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn the_first_call_has_the_connection_that_was_opened_ahead_and_the_next_ones_keep_it() {
    let local = start(world()).await;
    let drainer = drainer(&local, &[]);
    until_connected(&local, 1).await;
    assert!(local.calls().is_empty(), "no request is made for it");
    assert_eq!(handle(&drainer, &notice(1, "web", "10.0.0.1")).await.verdict, Verdict::Done);
    assert_eq!((local.calls().len(), local.traffic().connections), (3, 1));
}

#[tokio::test]
async fn after_a_rest_one_is_opened_anew() {
    let local = start(world()).await;
    let drainer = drainer(&local, &[]);
    handle(&drainer, &notice(1, "web", "10.0.0.1")).await;
    assert_eq!(local.traffic().connections, 1);
    // Longer than connections are trusted without being used.
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(handle(&drainer, &notice(2, "web", "10.0.0.2")).await.verdict, Verdict::Done);
    assert_eq!(local.traffic().connections, 2);
}

//! Connections that are opened before they are needed, and only as many as are used.
use std::time::Duration;

use crate::common::{function_on, handle, id, notice, start};
use spotdrain_core::report::Verdict;
use spotdrain_localaws::{Group, LoadBalancer, LocalAws, Service, State, Task, World};

/// A service `web` with two running tasks, and two to interrupt.
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

/// Waits until connections are open. They are opened in the background, and nothing signals it.
async fn until_connected(local: &LocalAws, connections: u64) {
    while local.traffic().connections < connections {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn the_first_call_uses_the_preopened_connection_and_later_calls_reuse_it() {
    let local = start(world()).await;
    let function = function_on(&local, &[]);
    until_connected(&local, 1).await;
    assert!(local.calls().is_empty(), "no request is made");
    assert_eq!(handle(&function, &notice(1, "web", "10.0.0.1")).await.verdict, Verdict::Done);
    assert_eq!((local.calls().len(), local.traffic().connections), (3, 1));
}

#[tokio::test]
async fn after_idle_time_a_new_connection_is_opened() {
    let local = start(world()).await;
    let function = function_on(&local, &[]);
    handle(&function, &notice(1, "web", "10.0.0.1")).await;
    assert_eq!(local.traffic().connections, 1);
    // Longer than the function reuses idle connections. It reads the wall clock, so the test has to wait.
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(handle(&function, &notice(2, "web", "10.0.0.2")).await.verdict, Verdict::Done);
    assert_eq!(local.traffic().connections, 2);
}

//! What the function receives from its queue itself, beside what Lambda delivers: one plan for all of it, and nothing is
//! deleted that is not done.
use std::time::Duration;

use crate::common::{CLUSTER, actions, drainer, id, notice, start};
use spotdrain_engine::{Deadline, Handled};
use spotdrain_function::Function;
use spotdrain_localaws::{
    Action, Batch, Fault, Group, LoadBalancer, LocalAws, MessageCounts, Poller, Queue, Service, State, Task, World,
};

const QUEUE: &str = "notices";

/// A service `web` with so many tasks that are interrupted and one that goes on, and the notices of the first in the queue.
fn world(notices: u32) -> World {
    world_and_group(notices).0
}

fn world_and_group(notices: u32) -> (World, String) {
    let mut world = World::new();
    let group = world.add_group(Group::new("web", 80));
    world.add_service(Service::new(CLUSTER, "web").load_balancer(LoadBalancer::new(&group, "web", 80)));
    world.add_queue(Queue::new("dead"));
    world.add_queue(Queue::new(QUEUE).visibility_timeout(Duration::from_secs(30)).dead_letter_queue("dead", 12));
    for number in 0..=notices {
        let task = Task::new(CLUSTER, &id(number)).service("web").address(&address(number));
        world.add_task_in(task, &group, State::Healthy, Duration::ZERO).unwrap();
        if number > 0 {
            world.send(QUEUE, &notice(number, "web", &address(number)).to_string(), Duration::ZERO).unwrap();
        }
    }
    (world, group)
}

fn address(number: u32) -> String {
    format!("10.0.{}.{}", number / 200, number % 200)
}

/// The next batch as Lambda delivers it, and what the function answers to it.
async fn deliver(local: &LocalAws, drainer: &Function, time: Duration) -> (Batch, Handled) {
    let now = local.now();
    let batch = Poller::new(QUEUE).poll(&mut local.world(), now).unwrap().unwrap();
    let event = batch.event().unwrap();
    let handled = drainer.handle(event.as_bytes(), Deadline::after(jiff::Timestamp::now(), time)).await.unwrap();
    (batch, handled)
}

/// The ids that the answer names: all must be ones that Lambda delivered.
fn named(batch: &Batch, handled: &Handled) -> Vec<String> {
    let named: Vec<_> = handled.returned().map(str::to_owned).collect();
    assert!(named.iter().all(|id| batch.messages().iter().any(|received| received.message.id == *id)));
    named
}

fn counts(local: &LocalAws, queue: &str) -> (usize, usize) {
    let now = local.now();
    let MessageCounts { visible, in_flight, .. } = local.world().message_counts(queue, now);
    (visible, in_flight)
}

fn deregistered(local: &LocalAws) -> Vec<usize> {
    let calls = local.calls().into_iter().filter(|call| call.action == Action::DeregisterTargets.name());
    calls.map(|call| call.targets.len()).collect()
}

const LONG: Duration = Duration::from_secs(25);

#[tokio::test]
async fn a_full_batch_is_handled_with_what_else_is_in_the_queue() {
    let local = start(world(95)).await;
    let (batch, handled) = deliver(&local, &drainer(&local, &[]), LONG).await;
    assert_eq!((batch.messages().len(), handled.report.notices.len()), (10, 95));
    assert_eq!(deregistered(&local), [95], "one call for all of them");
    assert!(named(&batch, &handled).is_empty());
    assert_eq!(counts(&local, QUEUE), (0, 10), "what it received itself is deleted, the rest is for Lambda to delete");
}

#[tokio::test]
async fn a_batch_that_is_not_full_is_handled_at_once() {
    let local = start(world(9)).await;
    let (_, handled) = deliver(&local, &drainer(&local, &[]), LONG).await;
    assert_eq!(handled.report.notices.len(), 9);
    assert!(!actions(&local).contains(&"ReceiveMessage".to_owned()));
}

#[tokio::test]
async fn a_queue_that_gives_nothing_out_leaves_what_was_delivered_done() {
    for fault in [Fault::AccessDenied, Fault::ServerError, Fault::Reset, Fault::Hang] {
        let mut world = world(12);
        world.add_fault(fault.on(Action::ReceiveMessage));
        let local = start(world).await;
        let (batch, handled) = deliver(&local, &drainer(&local, &[]), LONG).await;
        assert_eq!((deregistered(&local), named(&batch, &handled).len()), (vec![10], 0), "{fault:?}");
        assert_eq!(counts(&local, QUEUE).0, 2, "{fault:?}: the others still wait");
    }
}

#[tokio::test]
async fn what_could_not_be_deleted_comes_again_and_needs_nothing() {
    let mut world = world(11);
    world.add_fault(Fault::ServerError.on(Action::DeleteMessageBatch));
    let local = start(world).await;
    let drainer = drainer(&local, &[]);
    // Each try waits longer, up to the function's deadline.
    let (batch, _) = deliver(&local, &drainer, Duration::from_secs(3)).await;
    batch.messages().iter().for_each(|received| local.world().delete(QUEUE, &received.receipt_handle).unwrap());
    assert_eq!(counts(&local, QUEUE), (0, 1));
    local.advance(Duration::from_secs(30));
    let (_, handled) = deliver(&local, &drainer, LONG).await;
    assert_eq!((handled.report.ignored.len(), deregistered(&local)), (1, vec![11]), "it is Repeated");
}

#[tokio::test]
async fn a_message_that_somebody_else_deleted_is_no_loss() {
    let mut world = world(11);
    world.add_fault(Fault::Slow(Duration::from_millis(300)).on(Action::DeregisterTargets));
    let local = start(world).await;
    let drainer = drainer(&local, &[]);
    let purge = async {
        while deregistered(&local).is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        local.world().purge(QUEUE).unwrap();
    };
    let ((_, handled), ()) = tokio::join!(deliver(&local, &drainer, LONG), purge);
    assert!(handled.report.failed_messages().is_empty());
    assert_eq!(counts(&local, QUEUE), (0, 0));
}

#[tokio::test]
async fn what_there_is_no_time_for_is_back_in_the_queue_at_once() {
    let mut world = world(10);
    for number in 100..120 {
        let (service, address) = (format!("x-{number}"), address(number));
        let group = world.add_group(Group::new(&service, 80).target("10.9.9.9", State::Healthy));
        world.add_service(Service::new(CLUSTER, &service).load_balancer(LoadBalancer::new(&group, "web", 80)));
        let task = Task::new(CLUSTER, &id(number)).service(&service).address(&address);
        world.add_task_in(task, &group, State::Healthy, Duration::ZERO).unwrap();
        world.send(QUEUE, &notice(number, &service, &address).to_string(), Duration::ZERO).unwrap();
    }
    let local = start(world).await;
    let slow = drainer(&local, &[("SPOTDRAIN_CALLS_PER_SECOND", "0.1"), ("SPOTDRAIN_CALL_BURST", "3")]);
    let (batch, handled) = deliver(&local, &slow, Duration::from_secs(6)).await;
    let postponed = handled.report.notices.iter().filter(|notice| notice.postponed).count();
    assert!((15..=20).contains(&postponed), "{postponed}");
    assert_eq!(counts(&local, QUEUE), (postponed, batch.messages().len()), "no second of the timeout is waited for");
    assert!(named(&batch, &handled).is_empty());
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_not_deleted_and_ends_as_a_dead_letter() {
    let mut world = world(10);
    world.send(QUEUE, "{", Duration::ZERO).unwrap();
    let local = start(world).await;
    let drainer = drainer(&local, &[]);
    let (batch, handled) = deliver(&local, &drainer, LONG).await;
    assert_eq!((handled.report.malformed.len(), named(&batch, &handled).len()), (1, 0));
    batch.messages().iter().for_each(|received| local.world().delete(QUEUE, &received.receipt_handle).unwrap());
    assert_eq!(counts(&local, QUEUE), (0, 1));
    for _ in 1..12 {
        local.advance(Duration::from_secs(30));
        let (batch, handled) = deliver(&local, &drainer, LONG).await;
        assert_eq!(named(&batch, &handled).len(), 1, "Lambda delivered it this time");
    }
    local.advance(Duration::from_secs(30));
    let now = local.now();
    assert!(Poller::new(QUEUE).poll(&mut local.world(), now).unwrap().is_none());
    assert_eq!(counts(&local, "dead"), (1, 0));
}

#[tokio::test]
async fn a_notice_that_fails_comes_again_sooner_than_by_the_timeout() {
    let mut world = world(1);
    world.add_fault(Fault::Hang.on(Action::DescribeServices));
    let local = start(world).await;
    let drainer = drainer(&local, &[]);
    let (batch, handled) = deliver(&local, &drainer, Duration::from_secs(3)).await;
    assert_eq!(named(&batch, &handled).len(), 1);
    local.world().clear_faults(None);
    local.advance(Duration::from_secs(2));
    let (_, handled) = deliver(&local, &drainer, LONG).await;
    assert_eq!((handled.report.failed_messages().len(), deregistered(&local)), (0, vec![1]));
}

#[tokio::test]
async fn what_comes_when_the_rest_is_being_handled_is_handled_too() {
    let (mut world, group) = world_and_group(30);
    world.add_fault(Fault::Slow(Duration::from_millis(400)).on(Action::DescribeServices).times(1));
    let local = start(world).await;
    let drainer = drainer(&local, &[]);
    let late = async {
        while !actions(&local).contains(&"DescribeServices".to_owned()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let now = local.now();
        let task = Task::new(CLUSTER, &id(99)).service("web").address("10.0.5.5");
        let mut world = local.world();
        world.add_task_in(task, &group, State::Healthy, now).unwrap();
        world.send(QUEUE, &notice(99, "web", "10.0.5.5").to_string(), now).unwrap();
    };
    let ((_, handled), ()) = tokio::join!(deliver(&local, &drainer, LONG), late);
    assert_eq!((handled.report.notices.len(), deregistered(&local).iter().sum::<usize>()), (31, 31));
    assert_eq!(counts(&local, QUEUE), (0, 10));
}

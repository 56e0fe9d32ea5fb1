//! Messages that the function receives itself, in addition to those that Lambda delivers: one plan for all of them, and no
//! message is deleted before its work is done.
use std::time::Duration;

use crate::common::{CLUSTER, actions, function_on, id, notice, start};
use spotdrain_engine::{Deadline, Handled};
use spotdrain_function::Function;
use spotdrain_localaws::{
    Action, Fault, Group, LoadBalancer, LocalAws, MessageCounts, PolledBatch, Poller, Queue, Service, State, Task,
    World,
};

const QUEUE: &str = "notices";

/// A service `web` with this many interrupted tasks and one other, and their notices in the queue.
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

/// Delivers the next batch as Lambda does, and returns it with the function's answer.
async fn deliver(local: &LocalAws, function: &Function, time: Duration) -> (PolledBatch, Handled) {
    let now = local.now();
    let batch = Poller::new(QUEUE).poll(&mut local.world(), now).unwrap().unwrap();
    let event = batch.event().unwrap();
    let handled = function.handle(event.as_bytes(), Deadline::after(jiff::Timestamp::now(), time)).await.unwrap();
    (batch, handled)
}

/// The ids in the answer, all of which Lambda must have delivered.
fn named(batch: &PolledBatch, handled: &Handled) -> Vec<String> {
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
async fn a_full_batch_is_handled_together_with_the_rest_of_the_queue() {
    let local = start(world(95)).await;
    let (batch, handled) = deliver(&local, &function_on(&local, &[]), LONG).await;
    assert_eq!((batch.messages().len(), handled.report.notices.len()), (10, 95));
    assert_eq!(deregistered(&local), [95], "one call for all of them");
    assert!(named(&batch, &handled).is_empty());
    assert_eq!(counts(&local, QUEUE), (0, 10), "its own messages are deleted; Lambda deletes the others");
}

#[tokio::test]
async fn a_single_notice_is_handled_at_once_and_a_few_after_a_short_wait_for_more() {
    for (notices, receives) in [(1, false), (5, true), (9, true)] {
        let local = start(world(notices)).await;
        let (_, handled) = deliver(&local, &function_on(&local, &[]), LONG).await;
        assert_eq!((handled.report.notices.len(), deregistered(&local)), (notices as usize, vec![notices as usize]));
        assert_eq!(actions(&local).contains(&"ReceiveMessage".to_owned()), receives, "{notices} notices");
    }
}

#[tokio::test]
async fn if_the_queue_cannot_be_read_the_delivered_batch_is_still_handled() {
    for fault in [Fault::AccessDenied, Fault::ServerError, Fault::Reset, Fault::Hang] {
        let mut world = world(12);
        world.add_fault(fault.on(Action::ReceiveMessage));
        let local = start(world).await;
        let (batch, handled) = deliver(&local, &function_on(&local, &[]), LONG).await;
        assert_eq!((deregistered(&local), named(&batch, &handled).len()), (vec![10], 0), "{fault:?}");
        assert_eq!(counts(&local, QUEUE).0, 2, "{fault:?}: the others are still in the queue");
    }
}

#[tokio::test]
async fn a_message_that_could_not_be_deleted_is_received_again_without_work() {
    let mut world = world(11);
    world.add_fault(Fault::ServerError.on(Action::DeleteMessageBatch));
    let local = start(world).await;
    let function = function_on(&local, &[]);
    // Each retry waits longer, up to the function's deadline.
    let (batch, _) = deliver(&local, &function, Duration::from_secs(3)).await;
    batch.messages().iter().for_each(|received| local.world().delete(QUEUE, &received.receipt_handle).unwrap());
    assert_eq!(counts(&local, QUEUE), (0, 1));
    local.advance(Duration::from_secs(30));
    let (_, handled) = deliver(&local, &function, LONG).await;
    assert_eq!((handled.report.ignored.len(), deregistered(&local)), (1, vec![11]), "it is Repeated");
}

#[tokio::test]
async fn a_message_that_was_already_deleted_is_not_a_failure() {
    let mut world = world(11);
    world.add_fault(Fault::Slow(Duration::from_millis(300)).on(Action::DeregisterTargets));
    let local = start(world).await;
    let function = function_on(&local, &[]);
    let purge = async {
        while deregistered(&local).is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        local.world().purge(QUEUE).unwrap();
    };
    let ((_, handled), ()) = tokio::join!(deliver(&local, &function, LONG), purge);
    assert!(handled.report.failed_messages().is_empty());
    assert_eq!(counts(&local, QUEUE), (0, 0));
}

#[tokio::test]
async fn messages_without_time_left_are_returned_to_the_queue_at_once() {
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
    let slow = function_on(&local, &[("SPOTDRAIN_CALLS_PER_SECOND", "0.1"), ("SPOTDRAIN_CALL_BURST", "3")]);
    let (batch, handled) = deliver(&local, &slow, Duration::from_secs(6)).await;
    let postponed = handled.report.notices.iter().filter(|notice| notice.postponed).count();
    assert!((15..=20).contains(&postponed), "{postponed}");
    assert_eq!(counts(&local, QUEUE), (postponed, batch.messages().len()), "they are visible again before the timeout");
    assert!(named(&batch, &handled).is_empty());
}

#[tokio::test]
async fn an_unreadable_message_is_not_deleted_and_becomes_a_dead_letter() {
    let mut world = world(10);
    world.send(QUEUE, "{", Duration::ZERO).unwrap();
    let local = start(world).await;
    let function = function_on(&local, &[]);
    let (batch, handled) = deliver(&local, &function, LONG).await;
    assert_eq!((handled.report.malformed.len(), named(&batch, &handled).len()), (1, 0));
    batch.messages().iter().for_each(|received| local.world().delete(QUEUE, &received.receipt_handle).unwrap());
    assert_eq!(counts(&local, QUEUE), (0, 1));
    for _ in 1..12 {
        local.advance(Duration::from_secs(30));
        let (batch, handled) = deliver(&local, &function, LONG).await;
        assert_eq!(named(&batch, &handled).len(), 1, "this time Lambda delivered it");
    }
    local.advance(Duration::from_secs(30));
    let now = local.now();
    assert!(Poller::new(QUEUE).poll(&mut local.world(), now).unwrap().is_none());
    assert_eq!(counts(&local, "dead"), (1, 0));
}

#[tokio::test]
async fn a_failed_notice_is_received_again_before_the_visibility_timeout() {
    let mut world = world(1);
    world.add_fault(Fault::Hang.on(Action::DescribeServices));
    let local = start(world).await;
    let function = function_on(&local, &[]);
    let (batch, handled) = deliver(&local, &function, Duration::from_secs(3)).await;
    assert_eq!(named(&batch, &handled).len(), 1);
    local.world().clear_faults(None);
    local.advance(Duration::from_secs(2));
    let (_, handled) = deliver(&local, &function, LONG).await;
    assert_eq!((handled.report.failed_messages().len(), deregistered(&local)), (0, vec![1]));
}

#[tokio::test]
async fn messages_that_arrive_during_the_work_are_handled_too() {
    let (mut world, group) = world_and_group(30);
    world.add_fault(Fault::Slow(Duration::from_millis(400)).on(Action::DescribeServices).times(1));
    let local = start(world).await;
    let function = function_on(&local, &[]);
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
    let ((_, handled), ()) = tokio::join!(deliver(&local, &function, LONG), late);
    assert_eq!((handled.report.notices.len(), deregistered(&local).iter().sum::<usize>()), (31, 31));
    assert_eq!(counts(&local, QUEUE), (0, 10));
}

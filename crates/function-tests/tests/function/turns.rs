//! Turns in the real function: the last healthy target with two execution environments, later reads of a kept target, searched
//! groups, and failures of SQS and ECS.
use std::time::Duration;

use crate::common::{CLUSTER, actions, function_on, handle_within, id, notice, outcome_lines, start};
use spotdrain_engine::{Deadline, Handled};
use spotdrain_function::Function;
use spotdrain_localaws::{Action, Fault, Group, LoadBalancer, LocalAws, Poller, Queue, Service, State, Task, World};

const QUEUE: &str = "notices";

fn address(number: u32) -> String {
    format!("10.0.0.{number}")
}

/// A service `web` with this many tasks, of which the first `interrupted` are interrupted, and their notices in the queue.
fn world(tasks: u32, interrupted: u32) -> (World, String) {
    let mut world = World::new();
    world.add_cluster(CLUSTER);
    let group = world.add_group(Group::new("web", 80));
    world.add_service(Service::new(CLUSTER, "web").load_balancer(LoadBalancer::new(&group, "web", 80)));
    world.add_queue(Queue::new("dead"));
    world.add_queue(Queue::new(QUEUE).visibility_timeout(Duration::from_secs(30)).dead_letter_queue("dead", 12));
    for number in 1..=tasks {
        let task = Task::new(CLUSTER, &id(number)).service("web").address(&address(number));
        world.add_task_in(task, &group, State::Healthy, Duration::ZERO).unwrap();
    }
    for number in 1..=interrupted {
        interrupt(&mut world, number, Duration::ZERO);
    }
    (world, group)
}

fn interrupt(world: &mut World, number: u32, now: Duration) {
    world.interrupt(&format!("{}:task/{CLUSTER}/{}", crate::common::PREFIX, id(number)), now).unwrap();
    world.send(QUEUE, &notice(number, "web", &address(number)).to_string(), now).unwrap();
}

/// Delivers up to `messages` messages to an environment, and deletes those that are not in its answer, as Lambda does.
async fn deliver(local: &LocalAws, function: &Function, messages: usize, time: Duration) -> Handled {
    let now = local.now();
    let batch = Poller::new(QUEUE).batch_size(messages).poll(&mut local.world(), now).unwrap().unwrap();
    let event = batch.event().unwrap();
    let handled = function.handle(event.as_bytes(), Deadline::after(jiff::Timestamp::now(), time)).await.unwrap();
    let returned: Vec<_> = handled.returned().map(str::to_owned).collect();
    for received in batch.messages().iter().filter(|received| !returned.contains(&received.message.id)) {
        local.world().delete(QUEUE, &received.receipt_handle).unwrap();
    }
    handled
}

fn healthy(local: &LocalAws, group: &str) -> usize {
    crate::common::targets(local, group).iter().filter(|target| target.ends_with(" healthy")).count()
}

const LONG: Duration = Duration::from_secs(25);

#[tokio::test]
async fn two_environments_do_not_remove_the_last_two_healthy_targets() {
    for _ in 0..10 {
        let (world, group) = world(2, 2);
        let local = start(world).await;
        let (one, other) = (function_on(&local, &[]), function_on(&local, &[]));
        let both = tokio::join!(deliver(&local, &one, 1, LONG), deliver(&local, &other, 1, LONG));
        assert_eq!(healthy(&local, &group), 2, "each environment keeps its target: {both:?}");
        assert!(both.0.report.notices[0].look_again_seconds == Some(15), "the group is read again later");
    }
}

#[tokio::test]
async fn one_environment_with_both_notices_keeps_the_one_that_was_interrupted_last() {
    let (mut world, group) = world(2, 0);
    interrupt(&mut world, 2, Duration::ZERO);
    interrupt(&mut world, 1, Duration::from_millis(10));
    let local = start(world).await;
    let handled = deliver(&local, &function_on(&local, &[]), 10, LONG).await;
    let mut lines = outcome_lines(&handled.report);
    lines.sort();
    assert_eq!(lines, ["web 10.0.0.1:80 KeptLastHealthy", "web 10.0.0.2:80 Deregistered"]);
    assert_eq!(healthy(&local, &group), 1);
}

#[tokio::test]
async fn without_list_tasks_one_target_is_kept() {
    for fault in [Fault::AccessDenied, Fault::Hang] {
        let (mut world, group) = world(3, 2);
        world.add_fault(fault.on(Action::ListTasks));
        let local = start(world).await;
        let handled = deliver(&local, &function_on(&local, &[]), 10, LONG).await;
        let mut lines = outcome_lines(&handled.report);
        lines.sort();
        assert_eq!(lines, ["web 10.0.0.1:80 Deregistered", "web 10.0.0.2:80 KeptLastHealthy"], "{fault:?}");
        assert_eq!(healthy(&local, &group), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn a_kept_target_is_deregistered_later_if_another_becomes_healthy() {
    let (world, group) = world(1, 1);
    let local = start(world).await;
    let function = function_on(&local, &[]);
    let handled = deliver(&local, &function, 10, LONG).await;
    assert_eq!(
        (outcome_lines(&handled.report), handled.returned().count()),
        (vec!["web 10.0.0.1:80 KeptLastHealthy".to_owned()], 1)
    );
    let now = local.now();
    assert!(Poller::new(QUEUE).poll(&mut local.world(), now).unwrap().is_none(), "hidden for 15 s");
    let replacement = Task::new(CLUSTER, &id(9)).service("web").address(&address(9));
    local.world().add_task_in(replacement, &group, State::Healthy, now).unwrap();
    local.advance(Duration::from_secs(15));
    let handled = deliver(&local, &function, 10, LONG).await;
    assert_eq!(
        (outcome_lines(&handled.report), handled.returned().count()),
        (vec!["web 10.0.0.1:80 Deregistered".to_owned()], 0)
    );
}

/// Deregisters one of two targets. Meanwhile the other one becomes unhealthy, and reads of the group fail as often as given.
async fn emptied(failed_reads: u32) -> (LocalAws, Function, Handled) {
    let (mut world, group) = world(2, 1);
    world.add_fault(Fault::Slow(Duration::from_millis(500)).on(Action::DeregisterTargets));
    let local = start(world).await;
    let function = function_on(&local, &[]);
    let leave = async {
        while !actions(&local).contains(&"DeregisterTargets".to_owned()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let now = local.now();
        let mut world = local.world();
        world.set_state(&group, ("10.0.0.2", 80), State::Unhealthy, now).unwrap();
        world.add_fault(Fault::AccessDenied.on(Action::DescribeTargetHealth).times(failed_reads));
    };
    let (handled, ()) = tokio::join!(deliver(&local, &function, 10, LONG), leave);
    assert_eq!(outcome_lines(&handled.report), ["web 10.0.0.1:80 Deregistered"]);
    (local, function, handled)
}

#[tokio::test]
async fn a_group_that_loses_its_last_target_otherwise_is_reported_as_emptied() {
    let (_, _, handled) = emptied(0).await;
    assert_eq!(handled.report.emptied.len(), 1);
}

#[tokio::test]
async fn a_group_that_could_not_be_read_back_is_reported_when_its_next_turn_reads_it() {
    let (local, function, handled) = emptied(1).await;
    assert_eq!(handled.report.emptied.len(), 0);
    let now = local.now();
    interrupt(&mut local.world(), 2, now);
    let handled = deliver(&local, &function, 10, LONG).await;
    assert_eq!(handled.report.emptied.len(), 1);
}

/// With AWS's published limits, of which one environment has half.
#[tokio::test]
async fn a_task_is_found_among_120_configured_groups_with_a_single_write() {
    let mut world = World::new();
    world.add_cluster(CLUSTER);
    let others: Vec<_> =
        (0..119).map(|number| Group::new(&format!("g{number:03}"), 80).target("10.1.9.9", State::Healthy)).collect();
    let mut groups: Vec<_> = others.into_iter().map(|group| world.add_group(group)).collect();
    let own = Group::new("x", 80).target("10.0.0.1", State::Healthy).target("10.0.0.2", State::Healthy);
    groups.push(world.add_group(own));
    world.add_task(Task::new(CLUSTER, &id(1)).service("web").address("10.0.0.1"));
    world.interrupt(&format!("{}:task/{CLUSTER}/{}", crate::common::PREFIX, id(1)), Duration::ZERO).unwrap();
    let local = start(world).await;
    let settings = [("SPOTDRAIN_TARGET_GROUPS", groups.join(",")), ("SPOTDRAIN_DISCOVER", "false".to_owned())];
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let report =
        handle_within(&function_on(&local, &settings), &notice(1, "web", "10.0.0.1"), Duration::from_secs(29)).await;
    let done: Vec<_> = outcome_lines(&report).into_iter().filter(|line| !line.ends_with("NotRegistered")).collect();
    assert_eq!(done, ["x 10.0.0.1:80 Deregistered"]);
    let calls = actions(&local);
    assert_eq!(calls.iter().filter(|action| *action == "DeregisterTargets").count(), 1);
}

#[tokio::test]
async fn a_failing_or_hanging_queue_loses_no_notice() {
    for fault in [Fault::ServerError, Fault::Hang, Fault::Reset] {
        let (mut world, _) = world(31, 15);
        for action in [Action::ReceiveMessage, Action::DeleteMessageBatch, Action::ChangeMessageVisibilityBatch] {
            world.add_fault(fault.on(action));
        }
        let local = start(world).await;
        let handled = deliver(&local, &function_on(&local, &[]), 10, Duration::from_secs(8)).await;
        let done = outcome_lines(&handled.report).iter().filter(|line| line.ends_with(" Deregistered")).count();
        let left = local.world().message_counts(QUEUE, local.now());
        assert_eq!((done, left.visible), (10, 5), "{fault:?}: the others are still in the queue");
    }
}

#[tokio::test]
async fn an_invocation_with_two_seconds_left_acknowledges_only_what_is_done() {
    let (mut world, _) = world(81, 40);
    world.add_fault(Fault::Slow(Duration::from_millis(400)).on(Action::DescribeTargetHealth));
    let local = start(world).await;
    let handled = deliver(&local, &function_on(&local, &[]), 10, Duration::from_secs(2)).await;
    let done = handled.report.handled().count();
    let counts = local.world().message_counts(QUEUE, local.now());
    assert_eq!(counts.visible + counts.in_flight, 40 - done, "{counts:?}");
    let targets: usize =
        local.calls().iter().filter(|call| call.action == "DeregisterTargets").map(|call| call.targets.len()).sum();
    assert!(targets >= done, "{targets} of {done}");
}

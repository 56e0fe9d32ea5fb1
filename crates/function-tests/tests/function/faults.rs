//! Faults around the function, one for each test: the function as a process, and a queue that redelivers returned messages.
//!
//! [`Queue::deliver`] checks each delivery: the function answers before Lambda's timeout, messages that are not returned are
//! done, and only targets of interrupted tasks were sent to AWS.
use std::time::Duration;

use crate::common::process::Function;
use crate::common::queue::{Queue, stage};
use futures_util::future::join_all;
use serde_json::Value;
use spotdrain_localaws::{Action, Fault, State, Task, TaskStatus};

/// A function timeout for work that finishes, and one for work that never does.
const ENOUGH: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_secs(3);

/// Makes every delivery ask ECS for the tasks' addresses, so that all four actions are called.
const ASK: [(&str, &str); 1] = [("SPOTDRAIN_FRESH_SECONDS", "0")];

const ACTIONS: [Action; 4] =
    [Action::DescribeServices, Action::DescribeTasks, Action::DescribeTargetHealth, Action::DeregisterTargets];

fn ids(queue: &Queue) -> Vec<String> {
    queue.waiting.iter().map(|message| message.id.clone()).collect()
}

/// The outcomes of all registrations in the log of the function's last process.
fn outcomes(function: Function) -> Vec<String> {
    let records = function.log().into_iter().map(|line| line["record"]["registrations"].clone());
    let rows = records.filter_map(|rows| rows.as_array().cloned()).flatten();
    rows.map(|row: Value| row["outcome"].as_str().unwrap().to_owned()).collect()
}

/// Each action fails twice with this fault: the function retries, and no message is returned.
async fn is_retried(fault: Fault) {
    let (mut world, mut queue) = stage(2, 2);
    for action in ACTIONS {
        world.add_fault(fault.on(action).times(2));
    }
    let function = Function::start(world, &ASK).await;
    assert_eq!(queue.deliver(&function, ENOUGH).await, [""; 0], "{fault:?}");
    let calls = function.local.calls();
    for action in ACTIONS {
        let times = calls.iter().filter(|call| call.action == action.name()).count();
        assert!(times >= 3, "{action} failed with {fault:?} and was retried: {times}");
    }
}

/// Every call of this action fails: all messages are returned before Lambda's timeout, and done once the fault is over.
/// Returns the outcomes.
async fn returns_all_messages(fault: Fault, action: Action) -> Vec<String> {
    let (mut world, mut queue) = stage(2, 2);
    world.add_fault(fault.on(action));
    let function = Function::start(world, &ASK).await;
    assert_eq!(queue.deliver(&function, SHORT).await, ids(&queue), "{fault:?} of {action}");
    function.local.world().clear_faults(None);
    assert_eq!(queue.deliver(&function, ENOUGH).await, [""; 0], "{fault:?} of {action}");
    let mut lines = outcomes(function);
    lines.retain(|outcome| outcome != "Failed");
    lines
}

#[tokio::test]
async fn a_throttled_storm_loses_no_notice() {
    let (world, mut queue) = stage(60, 1);
    // The configured rates exceed AWS's limits, as if others used up the account's share: calls are throttled.
    let pace = [("SPOTDRAIN_CALLS_PER_SECOND", "1000"), ("SPOTDRAIN_CALL_BURST", "1000")];
    let function = Function::start(world, &pace).await;
    queue.deliver_until_done(&function, SHORT, 20).await;
    let refused = |answer| matches!(answer, spotdrain_localaws::CallResult::Error(code) if code == "Throttling");
    let calls = function.local.calls();
    assert!(calls.into_iter().any(|call| call.action == "DeregisterTargets" && refused(call.answer)));
}

#[tokio::test]
async fn a_few_throttled_calls_are_retried() {
    is_retried(Fault::Refuse).await;
}

#[tokio::test]
async fn a_few_server_errors_are_retried() {
    is_retried(Fault::ServerError).await;
    is_retried(Fault::Unavailable).await;
}

#[tokio::test]
async fn connections_reset_before_the_work_are_retried() {
    is_retried(Fault::Reset).await;
}

#[tokio::test]
async fn connections_reset_after_the_work_are_retried() {
    is_retried(Fault::ResetAfterWork).await;
}

#[tokio::test]
async fn lasting_throttling_errors_and_resets_return_all_messages() {
    let faults = [Fault::Refuse, Fault::ServerError, Fault::Unavailable, Fault::Reset];
    for lines in join_all(faults.map(|fault| returns_all_messages(fault, Action::DeregisterTargets))).await {
        assert_eq!(lines, ["Deregistered"; 4]);
    }
}

#[tokio::test]
async fn work_whose_answers_are_lost_is_found_done_by_the_next_read() {
    assert_eq!(returns_all_messages(Fault::ResetAfterWork, Action::DeregisterTargets).await, ["Deregistered"; 4]);
}

#[tokio::test]
async fn hanging_describe_services_returns_all_messages_in_time() {
    assert_eq!(returns_all_messages(Fault::Hang, Action::DescribeServices).await, ["Deregistered"; 4]);
}

#[tokio::test]
async fn hanging_describe_tasks_returns_all_messages_in_time() {
    assert_eq!(returns_all_messages(Fault::Hang, Action::DescribeTasks).await, ["Deregistered"; 4]);
}

#[tokio::test]
async fn hanging_describe_target_health_leads_to_unconfirmed_deregistrations() {
    assert_eq!(returns_all_messages(Fault::Hang, Action::DescribeTargetHealth).await, ["AlreadyDraining"; 4]);
}

#[tokio::test]
async fn hanging_deregister_targets_returns_all_messages_in_time() {
    assert_eq!(returns_all_messages(Fault::Hang, Action::DeregisterTargets).await, ["Deregistered"; 4]);
}

#[tokio::test]
async fn deregister_targets_without_an_answer_is_found_done_at_the_next_delivery() {
    assert_eq!(returns_all_messages(Fault::HangAfterWork, Action::DeregisterTargets).await, ["AlreadyDraining"; 4]);
}

#[tokio::test]
async fn a_hanging_group_does_not_block_the_others() {
    let (mut world, mut queue) = stage(3, 1);
    world.add_fault(Fault::Hang.on(Action::DeregisterTargets).times(1));
    let function = Function::start(world, &[]).await;
    // An attempt may take two seconds. Another would succeed, but no time is left for it.
    assert_eq!(queue.deliver(&function, Duration::from_millis(2300)).await.len(), 1);
    assert_eq!(queue.deliver(&function, ENOUGH).await, [""; 0]);
}

#[tokio::test]
async fn slow_answers_are_awaited_without_a_second_call() {
    let (mut world, mut queue) = stage(2, 2);
    for action in ACTIONS {
        world.add_fault(Fault::Slow(Duration::from_millis(700)).on(action));
    }
    let function = Function::start(world, &ASK).await;
    assert_eq!(queue.deliver(&function, ENOUGH).await, [""; 0]);
    let calls = function.local.calls();
    assert_eq!(calls.len(), 1 + 2 + 2 + 2, "each turn makes one call of each kind, and no call is repeated: {calls:?}");
}

#[tokio::test]
async fn calls_that_time_out_are_retried() {
    let (mut world, mut queue) = stage(2, 2);
    for action in ACTIONS {
        world.add_fault(Fault::HangAfterWork.on(action).times(1));
    }
    let function = Function::start(world, &ASK).await;
    assert_eq!(queue.deliver(&function, ENOUGH).await, [""; 0]);
    assert_eq!(outcomes(function), ["Deregistered"; 4]);
}

#[tokio::test]
async fn a_failed_direct_event_is_an_error_and_lambdas_retry_completes_it() {
    let (mut world, mut queue) = stage(1, 1);
    world.add_fault(Fault::Refuse.on(Action::DeregisterTargets));
    let function = Function::start(world, &[]).await;
    let event: Value = serde_json::from_str(&queue.all[0].body).unwrap();
    let (kind, text) = function.invoke_within(&event, SHORT).await.unwrap_err();
    assert!(kind == "Spotdrain.Retry" && text.starts_with("DeregisterTargets: Throttling: "), "{kind}: {text}");
    function.local.world().clear_faults(None);
    assert_eq!(function.invoke_within(&event, ENOUGH).await, Ok(serde_json::json!({"verdict": "done"})));
    queue.waiting.clear();
    queue.check(&function.local);
}

#[tokio::test]
async fn a_missing_permission_returns_all_messages_until_it_is_granted() {
    for action in ACTIONS {
        let lines = returns_all_messages(Fault::AccessDenied, action).await;
        let expected = if action == Action::DescribeTargetHealth { "AlreadyDraining" } else { "Deregistered" };
        assert_eq!(lines, [expected; 4], "{action}");
    }
}

#[tokio::test]
async fn a_missing_group_needs_no_work_and_the_others_are_done() {
    let (mut world, mut queue) = stage(3, 2);
    let gone = queue.all[0].group.clone();
    queue.remove_group(&mut world, &gone);
    let unknown = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/none/0123456789abcdef";
    let function = Function::start(world, &[("SPOTDRAIN_TARGET_GROUPS", unknown)]).await;
    assert_eq!(queue.deliver(&function, ENOUGH).await, [""; 0]);
    let lines = outcomes(function);
    let count = |outcome: &str| lines.iter().filter(|one| *one == outcome).count();
    assert_eq!((count("Deregistered"), count("AlreadyGone")), (4, 6 + 2));
}

#[tokio::test]
async fn only_the_invalid_target_of_a_call_is_returned() {
    let (mut world, mut queue) = stage(2, 8);
    let bad = queue.all[5].clone();
    let alone = [bad.id.clone()];
    world.reject_target(&bad.group, &bad.address).unwrap();
    let function = Function::start(world, &[]).await;
    assert_eq!(queue.deliver(&function, ENOUGH).await, alone);
    assert_eq!(queue.deliver(&function, ENOUGH).await, alone, "as long as it is registered");
    let now = function.local.now();
    function.local.world().set_state(&bad.group, bad.address.as_str(), State::Draining, now).unwrap();
    assert_eq!(queue.deliver(&function, ENOUGH).await, [""; 0]);
}

#[tokio::test]
async fn only_the_unreadable_message_is_returned_each_time() {
    let (world, queue) = stage(1, 9);
    let function = Function::start(world, &[]).await;
    let mut poison = queue.all[4].clone();
    poison.body.truncate(200);
    // Messages that are not delivered yet must not count as done, so each delivery has a queue of its own.
    for good in [0..3, 3..6, 6..9] {
        let mut queue = queue.clone();
        queue.waiting = queue.all[good.clone()].to_vec();
        queue.waiting.insert(1, crate::common::queue::Message { id: "poison".to_owned(), ..poison.clone() });
        let answer = function.invoke_within(&queue.batch(), ENOUGH).await.unwrap();
        assert_eq!(answer, serde_json::json!({"batchItemFailures": [{"itemIdentifier": "poison"}]}));
        queue.waiting = queue.all[good.end..].to_vec();
        queue.check(&function.local);
        assert!(queue.waiting.iter().all(|message| !message.is_done(&function.local)));
    }
}

/// Kills the function after `made` calls of an action, and delivers the messages to a new one.
async fn is_killed(fault: Fault, action: Action, hung: u32, made: usize) -> Vec<String> {
    let (mut world, mut queue) = stage(3, 2);
    world.add_fault(fault.on(action).times(hung));
    let mut function = Function::start(world, &ASK).await;
    function.begin(&queue.batch(), ENOUGH).await;
    function.has_called(action, made).await;
    function.kill_and_replace().await;
    queue.check(&function.local);
    function.local.world().clear_faults(None);
    assert_eq!(queue.deliver(&function, ENOUGH).await, [""; 0]);
    let mut lines = outcomes(function);
    lines.sort();
    lines
}

#[tokio::test]
async fn killed_while_locating_everything_is_delivered_again() {
    assert_eq!(is_killed(Fault::Hang, Action::DescribeServices, 1, 1).await, ["Deregistered"; 6]);
    assert_eq!(is_killed(Fault::Hang, Action::DescribeTasks, 3, 3).await, ["Deregistered"; 6]);
}

#[tokio::test]
async fn killed_while_reading_target_health_everything_is_delivered_again() {
    assert_eq!(is_killed(Fault::Hang, Action::DescribeTargetHealth, 3, 3).await, ["Deregistered"; 6]);
}

#[tokio::test]
async fn killed_after_one_of_three_groups_the_others_are_delivered_again() {
    let lines = is_killed(Fault::Hang, Action::DeregisterTargets, 2, 3).await;
    let (before, after) = lines.split_at(2);
    assert!(before == ["AlreadyDraining"; 2] && after == ["Deregistered"; 4], "{lines:?}");
}

#[tokio::test]
async fn killed_before_the_answer_the_work_is_found_done() {
    let lines = is_killed(Fault::HangAfterWork, Action::DeregisterTargets, 3, 3).await;
    assert_eq!(lines, ["AlreadyDraining"; 6]);
}

#[tokio::test]
async fn an_address_that_was_reused_before_the_retry_is_not_touched() {
    let (mut world, mut queue) = stage(1, 2);
    world.add_fault(Fault::Hang.on(Action::DeregisterTargets));
    let mut function = Function::start(world, &ASK).await;
    function.begin(&queue.batch(), ENOUGH).await;
    function.has_called(Action::DeregisterTargets, 1).await;
    function.kill_and_replace().await;
    let (gone, stays) = (queue.all[0].clone(), queue.all[1].clone());
    {
        let now = function.local.now();
        let mut world = function.local.world();
        world.clear_faults(None);
        world.clear_calls();
        let old = format!("{}:task/{}/{}", crate::common::PREFIX, crate::common::CLUSTER, crate::common::id(0));
        world.set_last_status(&old, TaskStatus::Stopped, now).unwrap();
        let new = Task::new(crate::common::CLUSTER, &crate::common::id(99)).service("s0").address(&gone.address);
        world.add_task_in(new, &gone.group, State::Healthy, now).unwrap();
    }
    let answer = function.invoke_within(&queue.batch(), ENOUGH).await.unwrap();
    assert_eq!(answer, serde_json::json!({"batchItemFailures": []}));
    // Only the other task is interrupted: the address now belongs to a running task.
    queue.all = vec![stays];
    queue.waiting.clear();
    queue.check(&function.local);
    assert!(!gone.is_done(&function.local));
    let mut lines = outcomes(function);
    lines.sort();
    assert_eq!(lines, ["Deregistered", "Stale"]);
}

//! What goes wrong around the function, one fault a test: the real function as a process, and a queue that delivers again
//! what goes back.
//!
//! Each delivery is checked by [`Queue::deliver`]: the function answers before Lambda's timeout, each message that does not
//! go back is done, and no target was named to AWS but those of interrupted tasks.
use std::time::Duration;

use crate::common::function::Function;
use crate::common::queue::{Queue, stage};
use futures_util::future::join_all;
use serde_json::Value;
use spotdrain_localaws::{Action, Fault, State, Task, TaskStatus};

/// A function's timeout for what ends by itself, and one for what ends only with the time.
const ENOUGH: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_secs(3);

/// So that every delivery asks ECS whose the addresses are, too: all four actions are called.
const ASK: [(&str, &str); 1] = [("SPOTDRAIN_FRESH_SECONDS", "0")];

const ACTIONS: [Action; 4] =
    [Action::DescribeServices, Action::DescribeTasks, Action::DescribeTargetHealth, Action::DeregisterTargets];

fn ids(queue: &Queue) -> Vec<String> {
    queue.waiting.iter().map(|message| message.id.clone()).collect()
}

/// The outcomes of all registrations in the log of the function's last process, in order.
fn outcomes(function: Function) -> Vec<String> {
    let records = function.log().into_iter().map(|line| line["record"]["registrations"].clone());
    let rows = records.filter_map(|rows| rows.as_array().cloned()).flatten();
    rows.map(|row: Value| row["outcome"].as_str().unwrap().to_owned()).collect()
}

/// Every call of these actions fails so twice: the function tries again, and nothing goes back.
async fn is_overcome(fault: Fault) {
    let (mut world, mut queue) = stage(2, 2);
    for action in ACTIONS {
        world.add_fault(fault.on(action).times(2));
    }
    let function = Function::start(world, &ASK).await;
    assert_eq!(queue.deliver(&function, ENOUGH).await, [""; 0], "{fault:?}");
    let calls = function.local.calls();
    for action in ACTIONS {
        let times = calls.iter().filter(|call| call.action == action.name()).count();
        assert!(times >= 3, "{fault:?} of {action} was met, and overcome: {times}");
    }
}

/// No call of this action succeeds: everything returns to the queue before Lambda's timeout, and is done once the fault is over.
/// Returns the outcomes of that.
async fn is_outlasted(fault: Fault, action: Action) -> Vec<String> {
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
async fn a_storm_that_is_throttled_loses_nothing() {
    let (world, mut queue) = stage(60, 1);
    // A pace over AWS's limits, as when others use up the account's budget: refusals are what comes.
    let pace = [("SPOTDRAIN_CALLS_PER_SECOND", "1000"), ("SPOTDRAIN_CALL_BURST", "1000")];
    let function = Function::start(world, &pace).await;
    queue.deliver_until_done(&function, SHORT, 20).await;
    let refused = |answer| matches!(answer, spotdrain_localaws::CallAnswer::Error(code) if code == "Throttling");
    let calls = function.local.calls();
    assert!(calls.into_iter().any(|call| call.action == "DeregisterTargets" && refused(call.answer)));
}

#[tokio::test]
async fn a_few_refusals_are_overcome() {
    is_overcome(Fault::Refuse).await;
}

#[tokio::test]
async fn a_few_errors_of_aws_are_overcome() {
    is_overcome(Fault::ServerError).await;
    is_overcome(Fault::Unavailable).await;
}

#[tokio::test]
async fn connections_that_are_reset_before_the_work_are_overcome() {
    is_overcome(Fault::Reset).await;
}

#[tokio::test]
async fn connections_that_are_reset_after_the_work_are_overcome() {
    is_overcome(Fault::ResetAfterWork).await;
}

#[tokio::test]
async fn refusals_errors_and_resets_that_last_send_everything_back() {
    let faults = [Fault::Refuse, Fault::ServerError, Fault::Unavailable, Fault::Reset];
    for lines in join_all(faults.map(|fault| is_outlasted(fault, Action::DeregisterTargets))).await {
        assert_eq!(lines, ["Deregistered"; 4]);
    }
}

#[tokio::test]
async fn work_whose_answers_are_all_reset_is_found_done_at_the_next_look() {
    assert_eq!(is_outlasted(Fault::ResetAfterWork, Action::DeregisterTargets).await, ["Deregistered"; 4]);
}

#[tokio::test]
async fn describe_services_that_hangs_sends_everything_back_in_time() {
    assert_eq!(is_outlasted(Fault::Hang, Action::DescribeServices).await, ["Deregistered"; 4]);
}

#[tokio::test]
async fn describe_tasks_that_hangs_sends_everything_back_in_time() {
    assert_eq!(is_outlasted(Fault::Hang, Action::DescribeTasks).await, ["Deregistered"; 4]);
}

#[tokio::test]
async fn describe_target_health_that_hangs_is_acted_without_and_sent_back_as_not_confirmed() {
    assert_eq!(is_outlasted(Fault::Hang, Action::DescribeTargetHealth).await, ["AlreadyDraining"; 4]);
}

#[tokio::test]
async fn deregister_targets_that_hangs_sends_everything_back_in_time() {
    assert_eq!(is_outlasted(Fault::Hang, Action::DeregisterTargets).await, ["Deregistered"; 4]);
}

#[tokio::test]
async fn deregister_targets_that_works_and_never_answers_is_found_done_at_the_next_delivery() {
    assert_eq!(is_outlasted(Fault::HangAfterWork, Action::DeregisterTargets).await, ["AlreadyDraining"; 4]);
}

#[tokio::test]
async fn a_hang_of_one_group_leaves_the_others_done() {
    let (mut world, mut queue) = stage(3, 1);
    world.add_fault(Fault::Hang.on(Action::DeregisterTargets).times(1));
    let function = Function::start(world, &[]).await;
    // An attempt has two seconds, and another would succeed: here no time is left for it.
    assert_eq!(queue.deliver(&function, Duration::from_millis(2300)).await.len(), 1);
    assert_eq!(queue.deliver(&function, ENOUGH).await, [""; 0]);
}

#[tokio::test]
async fn slow_answers_are_waited_for() {
    let (mut world, mut queue) = stage(2, 2);
    for action in ACTIONS {
        world.add_fault(Fault::Slow(Duration::from_millis(700)).on(action));
    }
    let function = Function::start(world, &ASK).await;
    assert_eq!(queue.deliver(&function, ENOUGH).await, [""; 0]);
    let calls = function.local.calls();
    assert_eq!(calls.len(), 1 + 2 + 2 + 2, "a turn has one call of each, and none is made twice: {calls:?}");
}

#[tokio::test]
async fn answers_that_come_too_late_are_asked_for_again() {
    let (mut world, mut queue) = stage(2, 2);
    for action in ACTIONS {
        world.add_fault(Fault::HangAfterWork.on(action).times(1));
    }
    let function = Function::start(world, &ASK).await;
    assert_eq!(queue.deliver(&function, ENOUGH).await, [""; 0]);
    assert_eq!(outcomes(function), ["Deregistered"; 4]);
}

#[tokio::test]
async fn a_direct_event_that_is_not_done_is_an_error_and_done_when_lambda_tries_again() {
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
async fn a_right_that_is_missing_sends_everything_back_until_it_is_given() {
    for action in ACTIONS {
        let lines = is_outlasted(Fault::AccessDenied, action).await;
        let expected = if action == Action::DescribeTargetHealth { "AlreadyDraining" } else { "Deregistered" };
        assert_eq!(lines, [expected; 4], "{action}");
    }
}

#[tokio::test]
async fn a_group_that_does_not_exist_needs_nothing_and_the_others_are_done() {
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
async fn one_invalid_target_of_a_call_goes_back_alone() {
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
async fn a_message_that_cannot_be_read_goes_back_alone_however_often_it_comes() {
    let (world, queue) = stage(1, 9);
    let function = Function::start(world, &[]).await;
    let mut poison = queue.all[4].clone();
    poison.body.truncate(200);
    // What is not delivered yet must not be done either: so each delivery has a queue of its own.
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

/// Kills the function when it has made so many calls of an action that are in the way, and delivers to a new one.
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
async fn a_function_that_is_killed_while_it_asks_leaves_all_to_the_next() {
    assert_eq!(is_killed(Fault::Hang, Action::DescribeServices, 1, 1).await, ["Deregistered"; 6]);
    assert_eq!(is_killed(Fault::Hang, Action::DescribeTasks, 3, 3).await, ["Deregistered"; 6]);
}

#[tokio::test]
async fn a_function_that_is_killed_while_it_reads_leaves_all_to_the_next() {
    assert_eq!(is_killed(Fault::Hang, Action::DescribeTargetHealth, 3, 3).await, ["Deregistered"; 6]);
}

#[tokio::test]
async fn a_function_that_is_killed_with_one_group_of_three_done_leaves_the_others_to_the_next() {
    let lines = is_killed(Fault::Hang, Action::DeregisterTargets, 2, 3).await;
    let (before, after) = lines.split_at(2);
    assert!(before == ["AlreadyDraining"; 2] && after == ["Deregistered"; 4], "{lines:?}");
}

#[tokio::test]
async fn a_function_that_is_killed_after_the_work_and_before_the_answer_has_it_found_done() {
    let lines = is_killed(Fault::HangAfterWork, Action::DeregisterTargets, 3, 3).await;
    assert_eq!(lines, ["AlreadyDraining"; 6]);
}

#[tokio::test]
async fn an_address_that_another_task_has_when_the_message_comes_again_is_left_to_it() {
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
    // What was interrupted is the other one alone: the address is now a task's that goes on.
    queue.all = vec![stays];
    queue.waiting.clear();
    queue.check(&function.local);
    assert!(!gone.is_done(&function.local));
    let mut lines = outcomes(function);
    lines.sort();
    assert_eq!(lines, ["Deregistered", "Stale"]);
}

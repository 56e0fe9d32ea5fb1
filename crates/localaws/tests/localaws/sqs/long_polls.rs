//! Receives that wait for a message.

use super::*;

#[tokio::test]
async fn a_long_poll_is_answered_by_a_new_message() {
    let local = local().await;
    let poll = local.begin_long_poll().await;
    local.send("news");
    assert_eq!(poll.await.unwrap().messages()[0].body(), Some("news"));
}

#[tokio::test]
async fn one_of_two_long_polls_gets_the_message() {
    let local = local().await;
    let (first, second) = (local.begin_long_poll().await, local.begin_long_poll().await);
    local.send("news");
    local.aws.advance(Duration::from_secs(20));
    let counts = [first.await.unwrap().messages().len(), second.await.unwrap().messages().len()];
    assert_eq!(counts.iter().sum::<usize>(), 1);
}

#[tokio::test]
async fn a_long_poll_is_answered_by_a_message_that_becomes_visible() {
    let local = local().await;
    local.send("news");
    local.receive_one().await;
    // No call wakes the poll: the rest of the visibility timeout passes in real time.
    local.aws.advance(Duration::from_millis(29_900));
    let poll = local.begin_long_poll().await;
    assert_eq!(poll.await.unwrap().messages()[0].body(), Some("news"));

    let poll = local.begin_long_poll().await;
    local.aws.advance(Duration::from_secs(30));
    assert_eq!(poll.await.unwrap().messages()[0].body(), Some("news"));
}

#[tokio::test]
async fn a_long_poll_is_answered_by_a_message_that_is_returned() {
    let local = local().await;
    local.send("news");
    let message = local.receive_one().await;
    let poll = local.begin_long_poll().await;
    local.change_visibility(&message, 0).await.unwrap();
    assert_eq!(poll.await.unwrap().messages()[0].body(), Some("news"));
}

#[tokio::test]
async fn an_empty_long_poll_ends_after_its_wait() {
    let local = local().await;
    let poll = local.begin_long_poll().await;
    local.aws.advance(Duration::from_secs(20));
    assert!(poll.await.unwrap().messages.is_none());
}

#[tokio::test]
async fn a_long_poll_does_not_block_other_calls() {
    let local = local().await;
    let polls = [local.begin_long_poll().await, local.begin_long_poll().await];
    local.sqs.get_queue_url().queue_name("notices").send().await.unwrap();
    local.aws.world().add_task(spotdrain_localaws::Task::new("demo", "c13b4cb40f1f4fe4a2971f76ae5a47ad"));
    assert!(local.receive().await.is_empty());
    assert!(polls.iter().all(|poll| !poll.is_finished()));
}

#[tokio::test]
async fn a_queue_can_have_a_default_wait() {
    let mut world = World::new();
    world.add_queue(Queue { receive_wait: Duration::from_secs(20), ..Queue::new("notices") });
    let local = with(world).await;
    let call = local.sqs.receive_message().queue_url(&local.url);
    let poll = tokio::spawn(async { call.send().await.unwrap() });
    while local.aws.calls().is_empty() {
        task::yield_now().await;
    }
    assert!(!poll.is_finished());
    local.send("news");
    assert_eq!(poll.await.unwrap().messages().len(), 1);
}

//! Sending, receiving, hiding and deleting messages, alone and in batches.

use super::*;

#[tokio::test]
async fn a_message_is_received_and_deleted() {
    let local = local().await;
    let id = local.send("hello");
    let message = local.receive_one().await;
    assert_eq!((message.message_id(), message.body()), (Some(id.as_str()), Some("hello")));
    assert_eq!(message.md5_of_body(), Some("5d41402abc4b2a76b9719d911017c592"));
    let now = EPOCH_MILLIS + i64::try_from(local.aws.now().as_millis()).unwrap();
    for name in
        [MessageSystemAttributeName::SentTimestamp, MessageSystemAttributeName::ApproximateFirstReceiveTimestamp]
    {
        let at: i64 = attribute(&message, &name).unwrap().parse().unwrap();
        assert!((EPOCH_MILLIS..=now).contains(&at), "{name}: {at}");
    }
    assert_eq!(attribute(&message, &MessageSystemAttributeName::ApproximateReceiveCount), Some("1"));
    assert!(attribute(&message, &MessageSystemAttributeName::SenderId).is_some());
    assert!(local.receive().await.is_empty(), "it is in flight");
    assert_eq!(local.counts(), MessageCounts { in_flight: 1, ..MessageCounts::default() });
    local.delete(&message).await;
    assert_eq!(local.counts(), MessageCounts::default());
    local.delete(&message).await;
}

#[tokio::test]
async fn attributes_are_returned_only_if_requested() {
    let local = local().await;
    local.send("a");
    let bare = local.sqs.receive_message().queue_url(&local.url).send().await.unwrap();
    assert_eq!(bare.messages()[0].attributes(), None);
    let unknown = local.sqs.receive_message().queue_url(&local.url);
    let unknown = unknown.message_system_attribute_names(MessageSystemAttributeName::from("Colour")).send().await;
    assert_eq!(code_of(&unknown.unwrap_err()), "InvalidAttributeName");
}

#[tokio::test]
async fn a_message_that_is_not_deleted_reappears_and_goes_to_the_dead_letter_queue() {
    let local = local().await;
    let id = local.send("a");
    let mut handles = Vec::new();
    for count in ["1", "2", "3"] {
        let message = local.receive_one().await;
        assert_eq!(attribute(&message, &MessageSystemAttributeName::ApproximateReceiveCount), Some(count));
        handles.push(message.receipt_handle().unwrap().to_owned());
        local.aws.advance(Duration::from_secs(30));
    }
    handles.dedup();
    assert_eq!(handles.len(), 3, "every receive has its own handle");
    assert!(local.receive().await.is_empty());
    let dead = local.aws.queue_url("dead");
    let call = local.sqs.receive_message().queue_url(dead);
    let found = call.message_system_attribute_names(MessageSystemAttributeName::All).send().await.unwrap();
    let [message] = found.messages() else { panic!("{found:?}") };
    assert_eq!(message.message_id(), Some(id.as_str()));
    let source = attribute(message, &MessageSystemAttributeName::DeadLetterQueueSourceArn);
    assert_eq!(source, Some("arn:aws:sqs:eu-central-1:123456789012:notices"));
}

#[tokio::test]
async fn an_old_handle_is_accepted_and_deletes_nothing() {
    let local = local().await;
    local.send("a");
    let old = local.receive_one().await;
    local.aws.advance(Duration::from_secs(30));
    let new = local.receive_one().await;
    local.delete(&old).await;
    assert_eq!(local.counts().in_flight, 1);
    local.delete(&new).await;
    assert_eq!(local.counts(), MessageCounts::default());
}

#[tokio::test]
async fn the_visibility_of_a_message_in_flight_can_be_changed() {
    let local = local().await;
    local.send("a");
    let code = async |message, seconds| local.change_visibility(message, seconds).await.unwrap_err().0;
    let first = local.receive_one().await;
    local.change_visibility(&first, 0).await.unwrap();
    assert_eq!(code(&first, 60).await, "MessageNotInflight");
    let second = local.receive_one().await;
    assert_eq!(code(&first, 60).await, "MessageNotInflight");
    local.change_visibility(&second, 600).await.unwrap();
    local.aws.advance(Duration::from_secs(599));
    assert_eq!(local.counts().in_flight, 1);
    let (code, text) = local.change_visibility(&second, 43_200).await.unwrap_err();
    assert!(code == "InvalidParameterValue" && text.contains("beyond the limit"), "{code}: {text}");
    local.delete(&second).await;
    let (code, text) = local.change_visibility(&second, 60).await.unwrap_err();
    assert!(code == "InvalidParameterValue" && text.contains("Message does not exist"), "{code}: {text}");
}

#[tokio::test]
async fn a_receive_can_have_its_own_timeout() {
    let local = local().await;
    local.send("a");
    local.sqs.receive_message().queue_url(&local.url).visibility_timeout(5).send().await.unwrap();
    local.aws.advance(Duration::from_secs(5));
    assert_eq!(local.receive().await.len(), 1);
}

#[tokio::test]
async fn a_delayed_message_is_hidden_until_its_delay_has_passed() {
    let mut world = World::new();
    world.add_queue(Queue::new("notices").delay(Duration::from_mins(1)));
    let local = with(world).await;
    local.send("later");
    assert_eq!(local.counts(), MessageCounts { delayed: 1, ..MessageCounts::default() });
    assert!(local.receive().await.is_empty());
    local.aws.advance(Duration::from_mins(1));
    assert_eq!(local.receive().await.len(), 1);
}

#[tokio::test]
async fn up_to_ten_messages_are_received_oldest_first() {
    let local = local().await;
    for number in 1..=11 {
        local.send(&number.to_string());
    }
    let bodies: Vec<_> = local.receive().await.iter().map(|message| message.body().unwrap().to_owned()).collect();
    assert_eq!(bodies, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
    assert_eq!(local.receive().await.len(), 1);
}

#[tokio::test]
async fn a_short_poll_may_see_fewer_messages_than_a_long_one() {
    let mut world = World::new();
    world.add_queue(Queue::new("notices").short_poll_sees(2));
    let local = with(world).await;
    for body in ["a", "b", "c", "d", "e"] {
        local.send(body);
    }
    assert_eq!(local.receive().await.len(), 2);
    let long = local.sqs.receive_message().queue_url(&local.url).max_number_of_messages(10).wait_time_seconds(1);
    assert_eq!(long.send().await.unwrap().messages().len(), 3);
}

#[tokio::test]
async fn entries_of_a_batch_succeed_and_fail_alone() {
    let local = local().await;
    local.send("one");
    local.send("two");
    let messages = local.receive().await;
    let handle = |number: usize| messages[number].receipt_handle().unwrap();
    let changed = local.sqs.change_message_visibility_batch().queue_url(&local.url);
    let changed = changed.entries(change("a", handle(0), 0)).entries(change("b", handle(1), -1));
    let changed = changed.send().await.unwrap();
    assert_eq!((changed.successful()[0].id(), changed.failed()[0].id()), ("a", "b"));
    assert_eq!(local.counts(), MessageCounts { visible: 1, in_flight: 1, delayed: 0 });

    let deleted = local.sqs.delete_message_batch().queue_url(&local.url);
    let deleted = deleted.entries(deletion("a", "x")).entries(deletion("b", handle(1))).send().await.unwrap();
    assert_eq!(deleted.successful()[0].id(), "b");
    let failed = &deleted.failed()[0];
    assert_eq!((failed.id(), failed.code(), failed.sender_fault()), ("a", "ReceiptHandleIsInvalid", true));
    assert_eq!(local.counts(), MessageCounts { visible: 1, ..MessageCounts::default() });
}

#[tokio::test]
async fn a_malformed_batch_is_refused_as_a_whole() {
    let local = local().await;
    local.send("a");
    let message = local.receive_one().await;
    let delete = async |ids: &[&str]| {
        let entries = ids.iter().map(|id| deletion(id, message.receipt_handle().unwrap())).collect();
        let call = local.sqs.delete_message_batch().queue_url(&local.url);
        let error = call.set_entries(Some(entries)).send().await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), 400);
        error.into_service_error()
    };
    assert!(delete(&[]).await.is_empty_batch_request());
    assert!(delete(&["a"; 11]).await.is_too_many_entries_in_batch_request());
    assert!(delete(&["a", "a"]).await.is_batch_entry_ids_not_distinct());
    assert!(delete(&["a b"]).await.is_invalid_batch_entry_id());
    assert_eq!(local.counts(), MessageCounts { in_flight: 1, ..MessageCounts::default() });
}

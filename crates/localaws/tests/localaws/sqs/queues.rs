//! Queues, their errors, faults, latency and call log, and the poller.

use super::*;

#[tokio::test]
async fn a_queue_is_found_and_described() {
    let local = local().await;
    let found = local.sqs.get_queue_url().queue_name("notices").send().await.unwrap();
    assert_eq!(found.queue_url(), Some(local.url.as_str()));
    let ask = |name| local.sqs.get_queue_attributes().queue_url(&local.url).attribute_names(name).send();
    let all = ask(QueueAttributeName::All).await.unwrap();
    let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:123456789012:dead","maxReceiveCount":3}"#;
    let expected = [
        (QueueAttributeName::QueueArn, "arn:aws:sqs:eu-central-1:123456789012:notices"),
        (QueueAttributeName::VisibilityTimeout, "30"),
        (QueueAttributeName::DelaySeconds, "0"),
        (QueueAttributeName::ReceiveMessageWaitTimeSeconds, "0"),
        (QueueAttributeName::RedrivePolicy, policy),
        (QueueAttributeName::ApproximateNumberOfMessages, "0"),
        (QueueAttributeName::ApproximateNumberOfMessagesNotVisible, "0"),
        (QueueAttributeName::ApproximateNumberOfMessagesDelayed, "0"),
        (QueueAttributeName::MaximumMessageSize, "1048576"),
        (QueueAttributeName::MessageRetentionPeriod, "345600"),
    ];
    for (name, value) in expected {
        assert_eq!(all.attributes().unwrap().get(&name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(ask(QueueAttributeName::QueueArn).await.unwrap().attributes().unwrap().len(), 1);
    let unknown = ask(QueueAttributeName::from("Colour")).await.unwrap_err();
    assert!(unknown.into_service_error().is_invalid_attribute_name());
}

#[tokio::test]
async fn missing_queues_and_invalid_parameters_are_modelled_errors() {
    let local = local().await;
    let nobody = local.aws.queue_url("nobody");
    let error = local.sqs.get_queue_url().queue_name("nobody").send().await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 400);
    assert_eq!(text_of(&error), "The specified queue does not exist.");
    assert!(error.into_service_error().is_queue_does_not_exist());
    let error = local.sqs.receive_message().queue_url(&nobody).send().await.unwrap_err();
    assert!(error.into_service_error().is_queue_does_not_exist());
    let error = local.sqs.receive_message().queue_url("notices").send().await.unwrap_err();
    assert!(error.into_service_error().is_invalid_address());
    for (most, wait, timeout) in [(0, 0, 0), (11, 0, 0), (1, 21, 0), (1, 0, 43_201)] {
        let call = local.sqs.receive_message().queue_url(&local.url).max_number_of_messages(most);
        let error = call.wait_time_seconds(wait).visibility_timeout(timeout).send().await.unwrap_err();
        assert_eq!(code_of(&error), "InvalidParameterValue");
    }
    let error = local.sqs.list_queues().send().await.unwrap_err();
    assert_eq!(code_of(&error), "UnknownOperationException");
}

#[tokio::test]
async fn faults_work_on_queues_too() {
    let local = local().await;
    local.send("a");
    let table = [
        (Fault::Refuse, 400, "RequestThrottled"),
        (Fault::AccessDenied, 403, "AccessDenied"),
        (Fault::ServerError, 500, "InternalFailure"),
        (Fault::Unavailable, 503, "ServiceUnavailable"),
    ];
    for (fault, status, code) in table {
        local.aws.world().add_fault(fault.on(Action::ReceiveMessage).times(1));
        let error = local.sqs.receive_message().queue_url(&local.url).send().await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status);
        assert_eq!(code_of(&error), code);
        if fault == Fault::AccessDenied {
            let text = "sqs:receivemessage on resource: arn:aws:sqs:eu-central-1:123456789012:notices because";
            assert!(text_of(&error).contains(text), "{error:?}");
        }
    }
    for (fault, state) in [(Fault::Reset, MessageState::Visible), (Fault::ResetAfterWork, MessageState::InFlight)] {
        local.aws.world().add_fault(fault.on(Action::ReceiveMessage).times(1));
        let error = local.sqs.receive_message().queue_url(&local.url).send().await.unwrap_err();
        assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
        let now = local.aws.now();
        assert_eq!(local.aws.world().messages("notices", now)[0].state(now), state);
    }
}

#[tokio::test]
async fn the_log_names_the_queue_and_the_messages() {
    let local = local().await;
    let id = local.send("a");
    let message = local.receive_one().await;
    local.delete(&message).await;
    local.sqs.get_queue_url().queue_name("nobody").send().await.unwrap_err();
    let logged: Vec<_> = local
        .aws
        .calls()
        .into_iter()
        .map(|call| (call.action, call.resource.unwrap(), call.targets, call.answer))
        .collect();
    let call = |action: &str, queue: &str, ids: &[&String], answer| {
        (action.to_owned(), queue.to_owned(), ids.iter().map(|id| (*id).clone()).collect(), answer)
    };
    let expected: [(String, String, Vec<String>, CallResult); 3] = [
        call("ReceiveMessage", "notices", &[], CallResult::Ok),
        call("DeleteMessageBatch", "notices", &[&id], CallResult::Ok),
        call("GetQueueUrl", "nobody", &[], CallResult::Error("QueueDoesNotExist".to_owned())),
    ];
    assert_eq!(logged, expected);
}

#[tokio::test]
async fn queues_have_the_worlds_latency_but_are_not_throttled() {
    let mut scene = Scene::demo();
    scene.world.add_queue(Queue::new("notices"));
    scene.world.set_latency(Duration::from_millis(1));
    let local = with(scene.world).await;
    for _ in 0..150 {
        assert!(local.receive().await.is_empty());
    }
    let poll = local.begin_long_poll().await;
    local.send("news");
    assert_eq!(poll.await.unwrap().messages().len(), 1);
    let now = local.aws.now();
    assert_eq!(local.aws.world().state(&scene.group, "10.0.2.21", now), Some(State::Healthy));
}

#[tokio::test]
async fn a_poller_waits_for_a_message_and_settles_it() {
    let local = local().await;
    let poller = Poller::new(&local.url);
    let (batch, ()) = tokio::join!(local.aws.next_batch(&poller), async {
        local.send("news");
    });
    let batch = batch.unwrap();
    assert_eq!(batch.messages()[0].message.body, "news");
    let settled = batch.settle(&mut local.aws.world(), PolledInvocation::Answered(b"{}"));
    assert_eq!(settled.deleted.len(), 1);
    assert!(local.receive().await.is_empty());
    assert!(local.aws.next_batch(&Poller::new("nobody")).await.is_err());
}

//! Does the unmodified Rust SDK get what SQS would answer? Every action, every kind of error, long polls and faults.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail as the test does"
)]

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Builder, Region};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::receive_message::ReceiveMessageOutput;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message, MessageAttributeValue,
    MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry, SendMessageBatchResultEntry,
};
use aws_smithy_types::retry::RetryConfig;
use spotdrain_localaws::{
    Action, CallAnswer, Fault, Invocation, LocalAws, MessageCounts, MessageState, Poller, Queue, Scene, State, World,
};
use tokio::task::{self, JoinHandle};

const EPOCH_MILLIS: i64 = 1_700_000_000_000;

/// Queue `notices`, with three receives before `dead`, and a client that does not retry.
struct Local {
    aws: LocalAws,
    sqs: Client,
    url: String,
}

async fn local() -> Local {
    let mut world = World::new();
    world.set_epoch(Duration::from_millis(EPOCH_MILLIS.unsigned_abs()));
    world.add_queue(Queue::new("notices").dead_letter_queue("dead", 3));
    world.add_queue(Queue::new("dead"));
    with(world).await
}

async fn with(world: World) -> Local {
    let aws = LocalAws::start(world).await.unwrap();
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-central-1"))
        .credentials_provider(Credentials::from_keys("local", "local", None))
        .endpoint_url(aws.endpoint())
        .retry_config(RetryConfig::disabled());
    let url = aws.queue_url("notices");
    Local { sqs: Client::from_conf(config.build()), aws, url }
}

fn code_of<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> &str {
    error.as_service_error().and_then(|error| error.code()).expect("a service error has a code")
}

fn text_of<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> &str {
    error.as_service_error().and_then(|error| error.message()).expect("a service error has a text")
}

impl Local {
    fn send(&self, body: &str) -> String {
        self.aws.world().send("notices", body, self.aws.now()).unwrap()
    }

    async fn receive(&self) -> Vec<Message> {
        let call = self.sqs.receive_message().queue_url(&self.url).max_number_of_messages(10);
        call.message_system_attribute_names(MessageSystemAttributeName::All).send().await.unwrap().messages().to_vec()
    }

    async fn receive_one(&self) -> Message {
        self.receive().await.into_iter().next().expect("there is a message")
    }

    async fn delete(&self, message: &Message) {
        let handle = message.receipt_handle().unwrap();
        self.sqs.delete_message().queue_url(&self.url).receipt_handle(handle).send().await.unwrap();
    }

    /// A call that waits, once it has come to the server.
    async fn begin_long_poll(&self) -> JoinHandle<ReceiveMessageOutput> {
        let before = self.aws.calls().len();
        let call = self.sqs.receive_message().queue_url(&self.url).wait_time_seconds(20);
        let poll = tokio::spawn(async { call.send().await.unwrap() });
        while self.aws.calls().len() == before {
            task::yield_now().await;
        }
        poll
    }

    fn counts(&self) -> MessageCounts {
        self.aws.world().message_counts("notices", self.aws.now())
    }
}

fn attribute<'a>(message: &'a Message, name: &MessageSystemAttributeName) -> Option<&'a str> {
    message.attributes().and_then(|all| all.get(name)).map(String::as_str)
}

#[tokio::test]
async fn a_queue_is_made_found_described_and_changed() {
    let local = local().await;
    let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:123456789012:dead","maxReceiveCount":5}"#;
    let create = |timeout: &str| {
        let call = local.sqs.create_queue().queue_name("new").attributes(QueueAttributeName::RedrivePolicy, policy);
        call.attributes(QueueAttributeName::VisibilityTimeout, timeout).send()
    };
    let url = create("12").await.unwrap().queue_url().unwrap().to_owned();
    assert_eq!(url, local.aws.queue_url("new"));
    create("12").await.expect("the same queue again is no error");
    assert!(create("13").await.unwrap_err().into_service_error().is_queue_name_exists());
    let found = local.sqs.get_queue_url().queue_name("new").send().await.unwrap();
    assert_eq!(found.queue_url(), Some(url.as_str()));

    let set = local.sqs.set_queue_attributes().queue_url(&url).attributes(QueueAttributeName::DelaySeconds, "7");
    set.send().await.unwrap();
    let ask = |name| local.sqs.get_queue_attributes().queue_url(&url).attribute_names(name).send();
    let all = ask(QueueAttributeName::All).await.unwrap();
    let expected = [
        (QueueAttributeName::QueueArn, "arn:aws:sqs:eu-central-1:123456789012:new"),
        (QueueAttributeName::VisibilityTimeout, "12"),
        (QueueAttributeName::DelaySeconds, "7"),
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
async fn a_message_is_sent_received_and_deleted() {
    let local = local().await;
    let sent = local.sqs.send_message().queue_url(&local.url).message_body("hello").send().await.unwrap();
    assert_eq!(sent.md5_of_message_body(), Some("5d41402abc4b2a76b9719d911017c592"));
    let message = local.receive_one().await;
    assert_eq!((message.message_id(), message.body()), (sent.message_id(), Some("hello")));
    assert_eq!(message.md5_of_body(), sent.md5_of_message_body());
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
async fn attributes_are_shown_only_if_asked_for() {
    let local = local().await;
    local.send("a");
    let bare = local.sqs.receive_message().queue_url(&local.url).send().await.unwrap();
    assert_eq!(bare.messages()[0].attributes(), None);
    let unknown = local.sqs.receive_message().queue_url(&local.url);
    let unknown = unknown.message_system_attribute_names(MessageSystemAttributeName::from("Colour")).send().await;
    assert_eq!(code_of(&unknown.unwrap_err()), "InvalidAttributeName");
}

#[tokio::test]
async fn a_message_that_is_not_deleted_comes_back_and_at_last_goes_to_the_dead_letter_queue() {
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
async fn an_old_handle_is_taken_and_deletes_nothing() {
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
    let change = async |message: &Message, seconds| {
        let call = local.sqs.change_message_visibility().queue_url(&local.url);
        call.receipt_handle(message.receipt_handle().unwrap()).visibility_timeout(seconds).send().await
    };
    let first = local.receive_one().await;
    change(&first, 0).await.unwrap();
    assert!(change(&first, 60).await.unwrap_err().into_service_error().is_message_not_inflight());
    let second = local.receive_one().await;
    assert!(change(&first, 60).await.unwrap_err().into_service_error().is_message_not_inflight());
    change(&second, 600).await.unwrap();
    local.aws.advance(Duration::from_secs(599));
    assert_eq!(local.counts().in_flight, 1);
    let beyond = change(&second, 43_200).await.unwrap_err();
    assert_eq!(code_of(&beyond), "InvalidParameterValue");
    assert!(text_of(&beyond).contains("beyond the limit"), "{beyond:?}");
    local.delete(&second).await;
    let gone = change(&second, 60).await.unwrap_err();
    assert_eq!(code_of(&gone), "InvalidParameterValue");
    assert!(text_of(&gone).contains("Message does not exist"), "{gone:?}");
}

#[tokio::test]
async fn a_receive_has_its_own_timeout_if_it_says_so() {
    let local = local().await;
    local.send("a");
    local.sqs.receive_message().queue_url(&local.url).visibility_timeout(5).send().await.unwrap();
    local.aws.advance(Duration::from_secs(5));
    assert_eq!(local.receive().await.len(), 1);
}

#[tokio::test]
async fn a_delayed_message_is_not_seen_before_its_time() {
    let local = local().await;
    let call = local.sqs.send_message().queue_url(&local.url).message_body("later").delay_seconds(60);
    call.send().await.unwrap();
    assert_eq!(local.counts(), MessageCounts { delayed: 1, ..MessageCounts::default() });
    assert!(local.receive().await.is_empty());
    local.aws.advance(Duration::from_mins(1));
    assert_eq!(local.receive().await.len(), 1);
}

#[tokio::test]
async fn up_to_ten_messages_come_the_oldest_first() {
    let local = local().await;
    for number in 1..=11 {
        local.send(&number.to_string());
    }
    let bodies: Vec<_> = local.receive().await.iter().map(|message| message.body().unwrap().to_owned()).collect();
    assert_eq!(bodies, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
    assert_eq!(local.receive().await.len(), 1);
}

#[tokio::test]
async fn a_short_poll_may_see_less_than_a_long_one() {
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
    let entry = |id: &str, body: &str| SendMessageBatchRequestEntry::builder().id(id).message_body(body);
    let sent = local.sqs.send_message_batch().queue_url(&local.url).set_entries(Some(vec![
        entry("a", "one").build().unwrap(),
        entry("b", "\u{1}").build().unwrap(),
        entry("c", "three").delay_seconds(901).build().unwrap(),
        entry("d", "four").build().unwrap(),
    ]));
    let sent = sent.send().await.unwrap();
    assert_eq!(sent.successful().iter().map(SendMessageBatchResultEntry::id).collect::<Vec<_>>(), ["a", "d"]);
    let failed: Vec<_> = sent.failed().iter().map(|one| (one.id(), one.code(), one.sender_fault())).collect();
    assert_eq!(failed, [("b", "InvalidMessageContents", true), ("c", "InvalidParameterValue", true)]);

    let messages = local.receive().await;
    let handle = |number: usize| messages[number].receipt_handle().unwrap();
    let change = |id: &str, handle: &str, seconds| {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id).receipt_handle(handle);
        entry.visibility_timeout(seconds).build().unwrap()
    };
    let changed = local.sqs.change_message_visibility_batch().queue_url(&local.url);
    let changed = changed.entries(change("a", handle(0), 0)).entries(change("b", handle(1), -1));
    let changed = changed.send().await.unwrap();
    assert_eq!((changed.successful()[0].id(), changed.failed()[0].id()), ("a", "b"));
    assert_eq!(local.counts(), MessageCounts { visible: 1, in_flight: 1, delayed: 0 });

    let delete = |id: &str, handle: &str| {
        DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(handle).build().unwrap()
    };
    let deleted = local.sqs.delete_message_batch().queue_url(&local.url);
    let deleted = deleted.entries(delete("a", "x")).entries(delete("b", handle(1))).send().await.unwrap();
    assert_eq!(deleted.successful()[0].id(), "b");
    assert_eq!((deleted.failed()[0].id(), deleted.failed()[0].code()), ("a", "ReceiptHandleIsInvalid"));
    assert_eq!(local.counts(), MessageCounts { visible: 1, ..MessageCounts::default() });
}

#[tokio::test]
async fn a_batch_that_is_not_well_formed_is_refused_as_a_whole() {
    let local = local().await;
    let send = async |ids: &[&str], body: &str| {
        let entry = |id: &&str| SendMessageBatchRequestEntry::builder().id(*id).message_body(body).build().unwrap();
        let call = local.sqs.send_message_batch().queue_url(&local.url);
        let error = call.set_entries(Some(ids.iter().map(entry).collect())).send().await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), 400);
        error.into_service_error()
    };
    assert!(send(&[], "a").await.is_empty_batch_request());
    assert!(send(&["a"; 11], "a").await.is_too_many_entries_in_batch_request());
    assert!(send(&["a", "a"], "a").await.is_batch_entry_ids_not_distinct());
    assert!(send(&["a b"], "a").await.is_invalid_batch_entry_id());
    assert!(send(&["a", "b"], &"x".repeat(600_000)).await.is_batch_request_too_long());
    assert_eq!(local.counts(), MessageCounts::default());
}

#[tokio::test]
async fn a_message_has_a_size_and_characters_that_are_allowed() {
    let local = local().await;
    let send =
        async |body: &str| local.sqs.send_message().queue_url(&local.url).message_body(body).send().await.map(drop);
    send(&"x".repeat(1_048_576)).await.unwrap();
    let long = send(&"x".repeat(1_048_577)).await.unwrap_err();
    assert_eq!(code_of(&long), "InvalidParameterValue");
    assert!(text_of(&long).contains("shorter than 1048576 bytes"), "{long:?}");
    assert_eq!(code_of(&send("").await.unwrap_err()), "MissingParameter");
    assert!(send("\u{b}").await.unwrap_err().into_service_error().is_invalid_message_contents());
}

#[tokio::test]
async fn what_is_not_there_or_not_allowed_is_a_modelled_error() {
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
    let error = local.sqs.delete_message().queue_url(&local.url).receipt_handle("x").send().await.unwrap_err();
    assert!(error.into_service_error().is_receipt_handle_is_invalid());
    for (most, wait, timeout) in [(0, 0, 0), (11, 0, 0), (1, 21, 0), (1, 0, 43_201)] {
        let call = local.sqs.receive_message().queue_url(&local.url).max_number_of_messages(most);
        let error = call.wait_time_seconds(wait).visibility_timeout(timeout).send().await.unwrap_err();
        assert_eq!(code_of(&error), "InvalidParameterValue");
    }
    let attribute = MessageAttributeValue::builder().data_type("String").string_value("b").build().unwrap();
    let call = local.sqs.send_message().queue_url(&local.url).message_body("a").message_attributes("a", attribute);
    assert!(call.send().await.unwrap_err().into_service_error().is_unsupported_operation());
    let error = local.sqs.list_queues().send().await.unwrap_err();
    assert_eq!(code_of(&error), "UnknownOperationException");
}

#[tokio::test]
async fn a_purge_empties_the_queue_once_a_minute() {
    let local = local().await;
    local.send("a");
    let purge = || local.sqs.purge_queue().queue_url(&local.url).send();
    purge().await.unwrap();
    assert_eq!(local.counts(), MessageCounts::default());
    assert!(purge().await.unwrap_err().into_service_error().is_purge_queue_in_progress());
    local.aws.advance(Duration::from_mins(1));
    purge().await.unwrap();
}

#[tokio::test]
async fn a_long_poll_is_answered_by_the_message_that_comes() {
    let local = local().await;
    let poll = local.begin_long_poll().await;
    local.sqs.send_message().queue_url(&local.url).message_body("news").send().await.unwrap();
    assert_eq!(poll.await.unwrap().messages()[0].body(), Some("news"));
}

#[tokio::test]
async fn a_long_poll_is_answered_by_a_message_that_the_world_gets() {
    let local = local().await;
    let poll = local.begin_long_poll().await;
    local.send("news");
    assert_eq!(poll.await.unwrap().messages()[0].body(), Some("news"));
}

#[tokio::test]
async fn of_two_long_polls_one_gets_the_message() {
    let local = local().await;
    let (first, second) = (local.begin_long_poll().await, local.begin_long_poll().await);
    local.send("news");
    local.aws.advance(Duration::from_secs(20));
    let counts = [first.await.unwrap().messages().len(), second.await.unwrap().messages().len()];
    assert_eq!(counts.iter().sum::<usize>(), 1);
}

#[tokio::test]
async fn a_long_poll_is_answered_by_a_message_that_comes_back() {
    let local = local().await;
    local.send("news");
    local.receive_one().await;
    // Nobody rings here: the visibility timeout is over by itself, in the moment that is left of it.
    local.aws.advance(Duration::from_millis(29_900));
    let poll = local.begin_long_poll().await;
    assert_eq!(poll.await.unwrap().messages()[0].body(), Some("news"));

    let poll = local.begin_long_poll().await;
    local.aws.advance(Duration::from_secs(30));
    assert_eq!(poll.await.unwrap().messages()[0].body(), Some("news"));
}

#[tokio::test]
async fn a_long_poll_is_answered_by_a_message_that_is_given_back() {
    let local = local().await;
    local.send("news");
    let message = local.receive_one().await;
    let poll = local.begin_long_poll().await;
    let call = local.sqs.change_message_visibility().queue_url(&local.url).visibility_timeout(0);
    call.receipt_handle(message.receipt_handle().unwrap()).send().await.unwrap();
    assert_eq!(poll.await.unwrap().messages()[0].body(), Some("news"));
}

#[tokio::test]
async fn a_long_poll_with_nothing_ends_when_its_time_is_over() {
    let local = local().await;
    let poll = local.begin_long_poll().await;
    local.aws.advance(Duration::from_secs(20));
    assert!(poll.await.unwrap().messages.is_none());
}

#[tokio::test]
async fn a_long_poll_blocks_nobody_else() {
    let local = local().await;
    let polls = [local.begin_long_poll().await, local.begin_long_poll().await];
    local.sqs.get_queue_url().queue_name("notices").send().await.unwrap();
    local.aws.world().add_task(spotdrain_localaws::Task::new("demo", "c13b4cb40f1f4fe4a2971f76ae5a47ad"));
    assert!(local.receive().await.is_empty());
    assert!(polls.iter().all(|poll| !poll.is_finished()));
}

#[tokio::test]
async fn a_queue_can_wait_by_itself() {
    let local = local().await;
    let wait = local.sqs.set_queue_attributes().queue_url(&local.url);
    wait.attributes(QueueAttributeName::ReceiveMessageWaitTimeSeconds, "20").send().await.unwrap();
    let call = local.sqs.receive_message().queue_url(&local.url);
    let poll = tokio::spawn(async { call.send().await.unwrap() });
    while local.aws.calls().len() < 2 {
        task::yield_now().await;
    }
    assert!(!poll.is_finished());
    local.send("news");
    assert_eq!(poll.await.unwrap().messages().len(), 1);
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
    let told: Vec<_> = local
        .aws
        .calls()
        .into_iter()
        .map(|call| (call.action, call.resource.unwrap(), call.targets, call.answer))
        .collect();
    let call = |action: &str, queue: &str, ids: &[&String], answer| {
        (action.to_owned(), queue.to_owned(), ids.iter().map(|id| (*id).clone()).collect(), answer)
    };
    let expected: [(String, String, Vec<String>, CallAnswer); 3] = [
        call("ReceiveMessage", "notices", &[], CallAnswer::Ok),
        call("DeleteMessage", "notices", &[&id], CallAnswer::Ok),
        call("GetQueueUrl", "nobody", &[], CallAnswer::Error("QueueDoesNotExist".to_owned())),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn queues_are_late_with_the_world_but_not_throttled() {
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
        local.sqs.send_message().queue_url(&local.url).message_body("news").send().await.unwrap();
    });
    let batch = batch.unwrap();
    assert_eq!(batch.messages()[0].message.body, "news");
    let told = batch.settle(&mut local.aws.world(), Invocation::Answered(b"{}"));
    assert_eq!(told.deleted.len(), 1);
    assert!(local.receive().await.is_empty());
    assert!(local.aws.next_batch(&Poller::new("nobody")).await.is_err());
}

//! SQS through the unmodified Rust SDK: every action, every kind of error, long polls and faults.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Builder, Region};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::receive_message::ReceiveMessageOutput;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName,
    QueueAttributeName,
};
use aws_smithy_types::retry::RetryConfig;
use spotdrain_localaws::{
    Action, CallResult, Fault, LocalAws, MessageCounts, MessageState, PolledInvocation, Poller, Queue, Scene, State,
    World,
};
use tokio::task::{self, JoinHandle};

const EPOCH_MILLIS: i64 = 1_700_000_000_000;

/// A queue `notices` with `dead` after three receives, and a client that does not retry.
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
        let entry = deletion("1", message.receipt_handle().unwrap());
        let deleted = self.sqs.delete_message_batch().queue_url(&self.url).entries(entry).send().await.unwrap();
        assert_eq!(deleted.successful().len(), 1);
    }

    /// Changes the visibility of a message, or returns the code and message of the error.
    async fn change_visibility(&self, message: &Message, seconds: i32) -> Result<(), (String, String)> {
        let entry = change("1", message.receipt_handle().unwrap(), seconds);
        let call = self.sqs.change_message_visibility_batch().queue_url(&self.url).entries(entry);
        match call.send().await.unwrap().failed() {
            [] => Ok(()),
            [failed, ..] => Err((failed.code().to_owned(), failed.message().unwrap_or_default().to_owned())),
        }
    }

    /// Starts a long poll, and returns when the server has it.
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

fn deletion(id: &str, handle: &str) -> DeleteMessageBatchRequestEntry {
    DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(handle).build().unwrap()
}

fn change(id: &str, handle: &str, seconds: i32) -> ChangeMessageVisibilityBatchRequestEntry {
    let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id).receipt_handle(handle);
    entry.visibility_timeout(seconds).build().unwrap()
}

fn attribute<'a>(message: &'a Message, name: &MessageSystemAttributeName) -> Option<&'a str> {
    message.attributes().and_then(|all| all.get(name)).map(String::as_str)
}

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

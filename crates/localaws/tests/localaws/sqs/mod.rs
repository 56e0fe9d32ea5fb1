//! SQS through the unmodified Rust SDK: every action, every kind of error, long polls and faults.

mod long_polls;
mod messages;
mod queues;

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

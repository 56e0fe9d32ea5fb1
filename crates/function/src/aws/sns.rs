//! Publishes messages to an SNS topic.

use aws_sdk_sns::Client;
use serde_json::json;
use spotdrain_core::report::message::SweepMessage;
use spotdrain_engine::Answer;

use super::error::call_error;

/// Publishes the message: as text to email subscribers, and to all other subscribers in the JSON format of chat integrations.
///
/// A subject has at most 100 characters and no line break, and the title is always shorter.
/// Source: <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
pub(super) async fn publish(client: &Client, topic: &str, message: &SweepMessage) -> Answer<()> {
    let body = json!({ "default": message.for_chat().to_string(), "email": message.text() });
    let request =
        client.publish().topic_arn(topic).subject(&message.title).message_structure("json").message(body.to_string());
    request.send().await.map(drop).map_err(|error| call_error(&error))
}

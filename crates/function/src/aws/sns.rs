//! Publishes messages to an SNS topic.

use aws_sdk_sns::Client;
use serde_json::json;
use spotdrain_core::report::message::SweepMessage;
use spotdrain_engine::Answer;

use super::error::call_error;

/// SNS refuses a longer subject, and one with a line break.
/// Source: <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
const MAX_SUBJECT: usize = 100;

/// Publishes the message: as text to email subscribers, and to all other subscribers in the JSON format of chat integrations.
pub(super) async fn publish(client: &Client, topic: &str, message: &SweepMessage) -> Answer<()> {
    let body = json!({ "default": message.for_chat().to_string(), "email": message.text() });
    let subject: String = message.title.chars().take(MAX_SUBJECT).collect();
    let request =
        client.publish().topic_arn(topic).subject(subject).message_structure("json").message(body.to_string());
    request.send().await.map(drop).map_err(|error| call_error(&error))
}

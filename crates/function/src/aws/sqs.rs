//! ReceiveMessage, DeleteMessageBatch and ChangeMessageVisibilityBatch.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
    MessageSystemAttributeName,
};
use spotdrain_core::read::batch::Receipt;
use spotdrain_engine::{Answer, ReceivedMessage};

use super::error::call_error;

/// How long a receive waits for a message. A long poll queries all of SQS's servers, a short poll only a sample of them.
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html>
const POLL_SECONDS: i32 = 1;

pub(super) async fn receive(client: &Client, url: &str) -> Answer<Vec<ReceivedMessage>> {
    let request = client.receive_message().queue_url(url).max_number_of_messages(10);
    let request = request.message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
    let answer = request.wait_time_seconds(POLL_SECONDS).send().await.map_err(|error| call_error(&error))?;
    Ok(answer.messages.unwrap_or_default().into_iter().filter_map(read).collect())
}

/// Reads a message. Without id, body or receipt handle it could not be handled or deleted; SQS sends no such message.
fn read(message: Message) -> Option<ReceivedMessage> {
    let counted = MessageSystemAttributeName::ApproximateReceiveCount;
    let receives = message.attributes().and_then(|attributes| attributes.get(&counted)?.parse().ok()).unwrap_or(1);
    let receipt = Receipt { handle: message.receipt_handle?, receives, is_own: true };
    Some(ReceivedMessage { id: message.message_id?, receipt, body: message.body? })
}

pub(super) async fn delete(client: &Client, url: &str, receipts: &[Receipt]) -> Answer<Vec<String>> {
    let entry = |(id, receipt): (usize, &Receipt)| {
        DeleteMessageBatchRequestEntry::builder().id(id.to_string()).receipt_handle(&receipt.handle).build().ok()
    };
    let entries = receipts.iter().enumerate().filter_map(entry).collect();
    let request = client.delete_message_batch().queue_url(url).set_entries(Some(entries));
    request.send().await.map(|answer| codes(answer.failed())).map_err(|error| call_error(&error))
}

pub(super) async fn change_visibility(
    client: &Client,
    url: &str,
    receipts: &[(Receipt, Duration)],
) -> Answer<Vec<String>> {
    let entry = |(id, (receipt, hidden)): (usize, &(Receipt, Duration))| {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id.to_string());
        entry.receipt_handle(&receipt.handle).visibility_timeout(whole_seconds(*hidden)).build().ok()
    };
    let entries = receipts.iter().enumerate().filter_map(entry).collect();
    let request = client.change_message_visibility_batch().queue_url(url).set_entries(Some(entries));
    request.send().await.map(|answer| codes(answer.failed())).map_err(|error| call_error(&error))
}

fn whole_seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(0)
}

fn codes(failed: &[BatchResultErrorEntry]) -> Vec<String> {
    failed.iter().map(|entry| entry.code().to_owned()).collect()
}

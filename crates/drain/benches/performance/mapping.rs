//! Lambda's event source mapping: ten messages a batch, no window, and what becomes of them by the answer.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>

use serde_json::{Value, json};
use spotdrain_localaws::{Received, World};

use crate::Result;
use crate::stage::QUEUE;

const BATCH_SIZE: usize = 10;

/// What is delivered at once.
pub struct Batch(Vec<Received>);

impl Batch {
    /// The messages that are visible, if there are any.
    pub fn receive(world: &mut World, now: std::time::Duration) -> Result<Option<Self>> {
        let received = world.receive(QUEUE, BATCH_SIZE, now)?;
        Ok((!received.is_empty()).then_some(Self(received)))
    }

    /// The event of an invocation.
    pub fn payload(&self) -> Value {
        let record = |received: &Received| {
            json!({
                "messageId": received.message.id,
                "receiptHandle": received.receipt_handle,
                "body": received.message.body,
                "attributes": {"ApproximateReceiveCount": received.message.receive_count.to_string()},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": format!("arn:aws:sqs:eu-central-1:123456789012:{QUEUE}"),
                "awsRegion": "eu-central-1",
            })
        };
        json!({"Records": self.0.iter().map(record).collect::<Vec<_>>()})
    }

    /// Deletes what is not named as failed. A function that failed, or that names what it did not get, has done nothing.
    pub fn answered(self, world: &mut World, answer: Option<&Value>) -> Result<()> {
        let Some(answer) = answer else { return Ok(()) };
        let failed: Vec<_> = answer["batchItemFailures"].as_array().into_iter().flatten().collect();
        let failed: Vec<_> = failed.iter().filter_map(|item| item["itemIdentifier"].as_str()).collect();
        let is_known = |id: &&&str| self.0.iter().any(|received| received.message.id == **id);
        if failed.iter().any(|id| !is_known(&id)) {
            return Err("the function named a message that it was not given".into());
        }
        for received in self.0.iter().filter(|received| !failed.contains(&received.message.id.as_str())) {
            // It may have come back meanwhile: then it is another's.
            world.delete(QUEUE, &received.receipt_handle).ok();
        }
        Ok(())
    }
}

//! The queue of the notices, its policy, and how the function reads it.

use crate::iam::Statement;
use crate::model::delivery::Queue;
use crate::model::setting::Setting;
use crate::template::convert::policy;
use crate::template::resources::{Resource, Resources};

const QUEUE_POLICY: &[&str] = &["AWS::SQS::QueuePolicy", "AWS::SQS::QueueInlinePolicy"];

/// Where the function's messages come from.
#[derive(Debug, Default)]
pub(crate) struct Source<'a> {
    pub(crate) queue: Setting<&'a Resource>,
    pub(crate) responses: Setting<Vec<String>>,
    pub(crate) state: Setting<String>,
    pub(crate) filters: Setting<Vec<String>>,
}

/// Reads the queue of a source.
pub(crate) fn queue(resources: &Resources, source: &Source<'_>) -> Setting<Queue> {
    source.queue.clone().map(|queue| Queue {
        place: queue.place.clone(),
        arn: queue.arn.clone(),
        visibility: queue.properties.number("VisibilityTimeout"),
        mapping: source.state.clone(),
        responses: source.responses.clone(),
        filters: source.filters.clone(),
        kms_key: queue.properties.text("KmsMasterKeyId"),
        policy: queue_policy(resources, queue),
    })
}

/// The statements of the queue's policies that concern EventBridge.
fn queue_policy(resources: &Resources, queue: &Resource) -> Setting<Vec<Statement>> {
    let mut statements = Vec::new();
    for resource in resources.of(QUEUE_POLICY) {
        let named = [resource.properties.texts("Queues"), resource.properties.texts("Queue")];
        for queues in named {
            match queues {
                Setting::Set(all) if all.iter().any(|name| [&queue.reference, &queue.arn].contains(&name)) => {
                    statements
                        .extend(policy::of_service(resource.properties.get("PolicyDocument"), policy::EVENTBRIDGE));
                }
                Setting::Unknown(why) => return Setting::Unknown(why),
                _ => {}
            }
        }
    }
    Setting::Set(statements)
}

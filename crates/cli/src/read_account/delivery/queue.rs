//! The function's queue: its event source mapping, its attributes and its policy.
//! Sources: <https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html>,
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html>

use std::collections::HashMap;

use aws_sdk_lambda::types::{EventSourceMappingConfiguration, FilterCriteria};
use aws_sdk_sqs::types::QueueAttributeName;
use spotdrain_doctor::iam::Statement;
use spotdrain_doctor::model::delivery::Queue;
use spotdrain_doctor::model::root::Place;
use spotdrain_doctor::model::setting::Setting;
use spotdrain_doctor::template::queue_policy;

use crate::read_account::paced_client::{CallBudget, PacedClient};
use crate::read_account::unknown;

/// Returns the queue that the function's event source mapping reads.
pub(crate) async fn find(client: &PacedClient<'_>, function: &str) -> Setting<Queue> {
    let request = aws_sdk_lambda::Client::new(client.aws.config()).list_event_source_mappings().function_name(function);
    let answer = match client.call("ListEventSourceMappings", CallBudget::Other, || request.clone().send()).await {
        Ok(answer) => answer,
        Err(failure) => return unknown(&failure.message),
    };
    let of_sqs = |arn: &&str| arn.split(':').nth(2) == Some("sqs");
    let mut mappings = answer.event_source_mappings().iter();
    let found = mappings.find_map(|one| Some((one.event_source_arn().filter(of_sqs)?, one)));
    let Some((arn, mapping)) = found else { return Setting::Default };
    let name = arn.rsplit(':').next().unwrap_or(arn);
    let attributes = queue_attributes(client, name).await;
    Setting::Set(Queue {
        place: Place::live(format!("queue {name}")),
        arn: arn.to_owned(),
        visibility: number(&attributes, &QueueAttributeName::VisibilityTimeout),
        kms_key: attribute(&attributes, &QueueAttributeName::KmsMasterKeyId),
        policy: policy(&attributes),
        filters: filters(mapping),
        mapping: mapping.state().map(str::to_owned).into(),
        responses: Setting::Set(mapping.function_response_types().iter().map(|one| one.as_str().to_owned()).collect()),
    })
}

fn filters(mapping: &EventSourceMappingConfiguration) -> Setting<Vec<String>> {
    let filters = mapping.filter_criteria().map(FilterCriteria::filters);
    filters.map(|all| all.iter().filter_map(|one| one.pattern().map(str::to_owned)).collect()).into()
}

type QueueAttributes = Result<HashMap<QueueAttributeName, String>, String>;

async fn queue_attributes(client: &PacedClient<'_>, name: &str) -> QueueAttributes {
    let sqs = aws_sdk_sqs::Client::new(client.aws.config());
    let request = sqs.get_queue_url().queue_name(name);
    let answer = client.call("GetQueueUrl", CallBudget::Other, || request.clone().send()).await;
    let url = answer.map_err(|failure| failure.message)?.queue_url().unwrap_or_default().to_owned();
    let names = [QueueAttributeName::VisibilityTimeout, QueueAttributeName::KmsMasterKeyId, QueueAttributeName::Policy];
    let request = sqs.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.to_vec()));
    let answer = client.call("GetQueueAttributes", CallBudget::Other, || request.clone().send()).await;
    Ok(answer.map_err(|failure| failure.message)?.attributes().cloned().unwrap_or_default())
}

fn attribute(attributes: &QueueAttributes, name: &QueueAttributeName) -> Setting<String> {
    match attributes {
        Ok(all) => all.get(name).filter(|value| !value.is_empty()).cloned().into(),
        Err(why) => unknown(why),
    }
}

fn number(attributes: &QueueAttributes, name: &QueueAttributeName) -> Setting<u32> {
    attribute(attributes, name).and_then(|text| text.parse().map_or_else(|_| unknown(&text), Setting::Set))
}

fn policy(attributes: &QueueAttributes) -> Setting<Vec<Statement>> {
    match attribute(attributes, &QueueAttributeName::Policy) {
        Setting::Set(text) => Setting::Set(queue_policy(&text)),
        Setting::Default => Setting::Set(Vec::new()),
        Setting::Unknown(why) => Setting::Unknown(why),
    }
}

//! Do the notices get through the queue, to the function, in time?

use serde_json::{Value, json};
use spotdrain_core::model::limits::NOTICE_SECONDS;

use crate::check::{Check, CheckResult, CheckScope, Connections, Fix, Impact, Problem, Severity};
use crate::iam::{AuthorizationRequest, allows};
use crate::model::delivery::Queue;
use crate::model::setting::{Setting, Unknown};
use crate::model::subject::DeliverySubject;
use crate::notices::NOTICES;
use crate::pattern::Pattern;

const SQS: &str = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html";
const BATCH: &str = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html";
const FILTER: &str = "https://docs.aws.amazon.com/lambda/latest/dg/with-sqs-filtering.html";
const KEY: &str = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html#compatibility-with-aws-services";
const POLICY: &str =
    "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sqs-permissions";

pub(super) const VISIBILITY: Check = Check {
    id: "SD024",
    severity: Severity::Error,
    title: "a queue whose visibility timeout does not fit",
    explanation: "A message that failed is received again when the visibility timeout is over. If that is as long as the \
                  notice, the task is gone by then, so there is no second attempt. If it is shorter than the function's \
                  timeout, Lambda refuses the event source mapping.",
    sources: &[SQS],
    run: CheckScope::Delivery(visibility),
};

fn visibility(subject: &DeliverySubject<'_>) -> CheckResult {
    let Some(queue) = subject.delivery.queue.known_or_err()? else { return Ok(None) };
    let visibility = queue.visibility.value_or(30)?;
    let description = if visibility >= NOTICE_SECONDS {
        format!(
            "the visibility timeout is {visibility} s, and the notice {NOTICE_SECONDS} s: a second attempt comes too late"
        )
    } else {
        let timeout = subject.delivery.function.timeout.value_or(3)?;
        if visibility >= timeout {
            return Ok(None);
        }
        format!("the visibility timeout is {visibility} s, and the function's {timeout} s: Lambda refuses the mapping")
    };
    let fix = Fix::new(set_attribute(queue, "VisibilityTimeout=30"), "VisibilityTimeout: 30")
        .in_terraform("visibility_timeout_seconds = 30");
    Ok(Some(Problem::new(queue.place.clone(), description, Impact::of(Connections::All), fix)))
}

fn set_attribute(queue: &Queue, attribute: &str) -> String {
    let name = queue.arn.rsplit(':').next().unwrap_or("QUEUE");
    format!("aws sqs set-queue-attributes --queue-url URL_OF_{name} --attributes {attribute}")
}

pub(super) const WHOLE_BATCH: Check = Check {
    id: "SD025",
    severity: Severity::Error,
    title: "an event source mapping without ReportBatchItemFailures",
    explanation: "The function answers a batch with the messages that failed. Without ReportBatchItemFailures Lambda does not \
                  read the answer and treats the whole batch as done: failed messages are deleted from the queue and never \
                  retried.",
    sources: &[BATCH],
    run: CheckScope::Delivery(whole_batch),
};

fn whole_batch(subject: &DeliverySubject<'_>) -> CheckResult {
    let Some(queue) = subject.delivery.queue.known_or_err()? else { return Ok(None) };
    let responses = queue.responses.value_or(Vec::new())?;
    let reports = responses.iter().any(|response| response == "ReportBatchItemFailures");
    Ok((!reports).then(|| {
        let fix = Fix::new(
            "aws lambda update-event-source-mapping --uuid UUID --function-response-types ReportBatchItemFailures",
            "FunctionResponseTypes: [ReportBatchItemFailures]",
        )
        .in_terraform("function_response_types = [\"ReportBatchItemFailures\"]");
        let description = "its event source mapping lacks ReportBatchItemFailures: failed messages are not retried";
        Problem::new(queue.place.clone(), description, Impact::of(Connections::All), fix)
    }))
}

pub(super) const FILTERED: Check = Check {
    id: "SD052",
    severity: Severity::Error,
    title: "an event source mapping whose filter drops notices",
    explanation: "Lambda deletes the messages that no filter of an event source mapping lets through. The filters are tested \
                  with every form of the notice that AWS has published or users have seen.",
    sources: &[FILTER],
    run: CheckScope::Delivery(filtered),
};

fn filtered(subject: &DeliverySubject<'_>) -> CheckResult {
    let Some(queue) = subject.delivery.queue.known_or_err()? else { return Ok(None) };
    let filters = queue.filters.value_or(Vec::new())?;
    if filters.is_empty() {
        return Ok(None);
    }
    let patterns: Vec<_> =
        filters.iter().filter_map(|text| Pattern::read(&serde_json::from_str(text).ok()?).ok()).collect();
    let is_dropped = |sample: &str| {
        let body: Value = serde_json::from_str(sample).unwrap_or_default();
        let message = json!({"body": body, "eventSource": "aws:sqs", "eventSourceARN": queue.arn});
        !patterns.iter().any(|pattern| pattern.matches(&message))
    };
    let dropped: Vec<_> = NOTICES.iter().filter(|(_, sample)| is_dropped(sample)).map(|(form, _)| *form).collect();
    Ok((!dropped.is_empty()).then(|| {
        let description = format!(
            "the filter of its event source mapping drops notices with {}: Lambda deletes them",
            dropped.join("; with ")
        );
        let fix = Fix::new(
            "aws lambda update-event-source-mapping --uuid UUID --filter-criteria '{}'",
            "remove FilterCriteria: the rule's pattern selects the events",
        )
        .in_terraform("remove filter_criteria: the rule's pattern selects the events");
        Problem::new(queue.place.clone(), description, Impact::of(Connections::All), fix)
    }))
}

pub(super) const QUEUE_KEY: Check = Check {
    id: "SD054",
    severity: Severity::Error,
    title: "a queue encrypted with a key that EventBridge cannot use",
    explanation: "EventBridge cannot use the AWS managed key alias/aws/sqs, whose policy cannot be changed: no notice reaches \
                  the queue. Encryption with keys of SQS (SSE-SQS) works, and so does a key of your own whose policy allows \
                  events.amazonaws.com.",
    sources: &[KEY],
    run: CheckScope::Delivery(queue_key),
};

fn queue_key(subject: &DeliverySubject<'_>) -> CheckResult {
    let Some(queue) = subject.delivery.queue.known_or_err()? else { return Ok(None) };
    let is_managed = queue.kms_key.known_or_err()?.is_some_and(|key| key.ends_with("alias/aws/sqs"));
    Ok(is_managed.then(|| {
        let fix = Fix::new(
            set_attribute(queue, "'{\"KmsMasterKeyId\": \"\", \"SqsManagedSseEnabled\": \"true\"}'"),
            "SqsManagedSseEnabled: true, and no KmsMasterKeyId",
        )
        .in_terraform("sqs_managed_sse_enabled = true, and no kms_master_key_id");
        let description = "it is encrypted with alias/aws/sqs, which EventBridge cannot use: no notice reaches it";
        Problem::new(queue.place.clone(), description, Impact::of(Connections::All), fix)
    }))
}

pub(super) const QUEUE_POLICY: Check = Check {
    id: "SD055",
    severity: Severity::Error,
    title: "a queue whose policy does not let the rule in",
    explanation: "EventBridge sends to a queue only if the queue's policy allows events.amazonaws.com to send for the rule, or \
                  the rule's target has a role. With neither, the rule matches but the event is dropped.",
    sources: &[POLICY],
    run: CheckScope::Delivery(queue_policy),
};

fn queue_policy(subject: &DeliverySubject<'_>) -> CheckResult {
    let Some(queue) = subject.delivery.queue.known_or_err()? else { return Ok(None) };
    let Some(rule) = subject.delivery.rule.known_or_err()? else { return Ok(None) };
    if rule.has_role.value_or(false)? {
        return Err(Unknown("the rule's target has a role, which is not evaluated here".to_owned()));
    }
    let statements = queue.policy.known_or_err()?.map_or(&[][..], Vec::as_slice);
    let account = queue.arn.split(':').nth(4).unwrap_or_default().to_owned();
    let keys = [
        ("aws:SourceArn".to_owned(), Setting::Set(rule.arn.clone())),
        ("aws:SourceAccount".to_owned(), Setting::Set(account)),
        // The rule uses TLS, and is not an IAM principal.
        ("aws:SecureTransport".to_owned(), Setting::Set("true".to_owned())),
        ("aws:PrincipalArn".to_owned(), Setting::Default),
    ];
    let request = AuthorizationRequest { action: "sqs:SendMessage", resource: &queue.arn, keys: &keys };
    if allows(statements, request)? {
        return Ok(None);
    }
    let line = format!(
        "{{ Effect: Allow, Principal: {{ Service: events.amazonaws.com }}, Action: sqs:SendMessage, Resource: \"{}\", \
         Condition: {{ ArnEquals: {{ aws:SourceArn: \"{}\" }} }} }} in an AWS::SQS::QueuePolicy",
        queue.arn, rule.arn
    );
    let description = format!("its policy does not let rule {} send to it: no notice reaches it", rule.name);
    let statement = format!(
        "{{ Effect = \"Allow\", Principal = {{ Service = \"events.amazonaws.com\" }}, Action = \"sqs:SendMessage\", \
         Resource = \"{}\", Condition = {{ ArnEquals = {{ \"aws:SourceArn\" = \"{}\" }} }} }} in an aws_sqs_queue_policy",
        queue.arn, rule.arn
    );
    let fix = Fix::new(set_attribute(queue, "Policy=..."), line).in_terraform(statement);
    Ok(Some(Problem::new(queue.place.clone(), description, Impact::of(Connections::All), fix)))
}

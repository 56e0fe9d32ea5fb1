//! The rule, the queue, the event source mapping and the function.
//! Source: <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/cloudwatch_event_rule>

use crate::plan::kinds::ResourceKind;
use crate::plan::translate::{Names, at, json_of, list_of, map, put, renamed};
use crate::template::evaluate::value::{Data, Value};

pub(super) const KINDS: &[ResourceKind] = &[
    ResourceKind::new("aws_cloudwatch_event_rule", "AWS::Events::Rule", rule),
    ResourceKind::new("aws_sqs_queue", "AWS::SQS::Queue", queue),
    ResourceKind::new("aws_sqs_queue_policy", "AWS::SQS::QueuePolicy", queue_policy),
    ResourceKind::new("aws_lambda_event_source_mapping", "AWS::Lambda::EventSourceMapping", mapping),
    ResourceKind::new("aws_lambda_function", "AWS::Lambda::Function", function),
];

fn rule(from: &Value) -> Vec<(String, Value)> {
    let mut properties = renamed(from, &[("name", "Name"), ("state", "State"), ("event_bus_name", "EventBusName")]);
    let is_off = at(from, "is_enabled").is_some_and(|one| one.data == Data::Bool(false));
    if is_off && at(from, "state").is_none() {
        properties.push(("State".to_owned(), Value::text_of(0, "DISABLED")));
    }
    let pattern = at(from, "event_pattern").map(|text| json_of(&text, "event_pattern"));
    properties.extend(pattern.map(|pattern| ("EventPattern".to_owned(), pattern)));
    properties
}

/// A rule's target, as one of the `Targets` of its rule.
pub(crate) fn target(from: &Value) -> Value {
    let names: Names = &[
        ("arn", "Arn"),
        ("input_path", "InputPath"),
        ("input", "Input"),
        ("input_transformer.input_template", "InputTransformer.InputTemplate"),
        ("role_arn", "RoleArn"),
    ];
    map(renamed(from, names))
}

fn queue(from: &Value) -> Vec<(String, Value)> {
    let names: Names = &[
        ("name", "QueueName"),
        ("visibility_timeout_seconds", "VisibilityTimeout"),
        ("kms_master_key_id", "KmsMasterKeyId"),
    ];
    renamed(from, names)
}

/// A queue's policy, which is an attribute of the queue or a separate resource.
fn queue_policy(from: &Value) -> Vec<(String, Value)> {
    let mut properties = renamed(from, &[("queue_url", "Queues")]);
    let policy = at(from, "policy").map(|text| json_of(&text, "the queue's policy"));
    properties.extend(policy.map(|policy| ("PolicyDocument".to_owned(), policy)));
    properties
}

fn mapping(from: &Value) -> Vec<(String, Value)> {
    let names: Names = &[
        ("event_source_arn", "EventSourceArn"),
        ("function_name", "FunctionName"),
        ("function_response_types", "FunctionResponseTypes"),
        ("enabled", "Enabled"),
    ];
    let mut properties = renamed(from, names);
    let filters = list_of(from, "filter_criteria.filter", |one| map(renamed(one, &[("pattern", "Pattern")])));
    put(&mut properties, "FilterCriteria.Filters", filters);
    properties
}

fn function(from: &Value) -> Vec<(String, Value)> {
    let names: Names = &[
        ("function_name", "FunctionName"),
        ("role", "Role"),
        ("timeout", "Timeout"),
        ("filename", "CodeUri"),
        ("s3_key", "Code.S3Key"),
        ("environment.variables", "Environment.Variables"),
        ("reserved_concurrent_executions", "ReservedConcurrentExecutions"),
    ];
    let mut properties = renamed(from, names);
    // In the provider -1 means that nothing is reserved.
    let is_off = |value: &Value| matches!(&value.data, Data::Number(number) if number.as_i64() == Some(-1));
    properties.retain(|(key, value)| key != "ReservedConcurrentExecutions" || !is_off(value));
    properties
}

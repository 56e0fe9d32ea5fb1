//! Rule, queue and function fit together: timeouts, retries and rate limits.

use serde_json::Value;

use crate::deployed;

/// AWS's rate limit of DeregisterTargets for an account and Region: a burst of 20, then 4 a second.
/// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html>
const LIMIT: (u64, u64) = (4, 20);

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

#[test]
fn a_notice_is_delivered_within_the_tasks_lifetime_or_kept_in_the_dead_letter_queue() {
    let rule = deployed().properties("NoticeRule").unwrap();
    let target = &rule["Targets"][0];
    assert!(number(&target["RetryPolicy"]["MaximumEventAgeInSeconds"]) <= 120);
    assert_eq!(target["DeadLetterConfig"]["Arn"], "<DeadLetterQueue.Arn>");
    assert_eq!(target["Arn"], "<NoticeQueue.Arn>");
    let direct = deployed().with("Delivery", "direct");
    assert_eq!(direct.properties("NoticeRule").unwrap()["Targets"][0]["Arn"], "<Function.Arn>");
    let retries = direct.properties("DirectRetries").unwrap();
    assert!(number(&retries["MaximumEventAgeInSeconds"]) <= 120);
    assert_eq!(retries["DestinationConfig"]["OnFailure"]["Destination"], "<DeadLetterQueue.Arn>");
}

#[test]
fn failed_messages_are_received_again_as_soon_as_lambda_allows() {
    let template = deployed();
    let (queue, function) = (template.properties("NoticeQueue").unwrap(), template.properties("Function").unwrap());
    assert_eq!(queue["VisibilityTimeout"], 30);
    assert_eq!(function["Timeout"], queue["VisibilityTimeout"], "Lambda refuses a shorter visibility timeout");
    assert_eq!(queue["RedrivePolicy"]["maxReceiveCount"], 12);
    let source = template.properties("FromQueue").unwrap();
    assert_eq!((&source["BatchSize"], &source["MaximumBatchingWindowInSeconds"]), (&10.into(), &0.into()));
    assert_eq!(source["FunctionResponseTypes"][0], "ReportBatchItemFailures");
}

#[test]
fn all_execution_environments_together_respect_awss_rate_limit() {
    let queue = deployed();
    let direct = deployed().with("Delivery", "direct");
    let by_queue = queue.properties("FromQueue").unwrap()["ScalingConfig"]["MaximumConcurrency"].clone();
    let reserved = direct.properties("Function").unwrap()["ReservedConcurrentExecutions"].clone();
    for sandboxes in [by_queue, reserved] {
        let variables = queue.properties("Function").unwrap()["Environment"]["Variables"].clone();
        assert_eq!(number(&sandboxes) * number(&variables["SPOTDRAIN_CALLS_PER_SECOND"]), LIMIT.0);
        assert_eq!(number(&sandboxes) * number(&variables["SPOTDRAIN_CALL_BURST"]), LIMIT.1);
    }
    assert!(
        queue.properties("Function").unwrap()["ReservedConcurrentExecutions"].is_null(),
        "the queue's mapping limits it"
    );
}

#[test]
fn direct_delivery_has_no_queue_and_queued_delivery_no_invoke_permission() {
    let direct = deployed().with("Delivery", "direct");
    for resource in ["NoticeQueue", "NoticeQueuePolicy", "FromQueue", "LateAlarm"] {
        assert!(direct.properties(resource).is_none() && deployed().properties(resource).is_some(), "{resource}");
    }
    for resource in ["FromRule", "DirectRetries"] {
        assert!(direct.properties(resource).is_some() && deployed().properties(resource).is_none(), "{resource}");
    }
    assert_eq!(direct.properties("FromRule").unwrap()["SourceArn"], "<NoticeRule.Arn>");
}

#[test]
fn queues_are_encrypted_with_a_key_that_eventbridge_can_use_and_only_the_rule_is_allowed_to_send() {
    let template = deployed();
    for (name, queue) in template.of_type("AWS::SQS::Queue") {
        assert_eq!((&queue["SqsManagedSseEnabled"], &queue["KmsMasterKeyId"]), (&true.into(), &Value::Null), "{name}");
        let policy = template.properties(&format!("{name}Policy")).unwrap();
        assert_eq!(policy["Queues"][0], format!("<{name}>"));
        let statements = policy["PolicyDocument"]["Statement"].as_array().unwrap();
        let allowed: Vec<_> = statements.iter().filter(|statement| statement["Effect"] == "Allow").collect();
        assert_eq!(allowed.len(), 1, "{name}");
        assert_eq!(allowed[0]["Action"], "sqs:SendMessage");
        assert_eq!(allowed[0]["Condition"]["ArnEquals"]["aws:SourceArn"], "<NoticeRule.Arn>");
        let denied = statements.iter().find(|statement| statement["Sid"] == "OnlyTls").unwrap();
        assert_eq!(denied["Condition"]["Bool"]["aws:SecureTransport"], "false", "{name}");
    }
}

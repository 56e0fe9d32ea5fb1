//! The message about the interruptions of an invocation, on an SNS topic.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use spotdrain_function::lambda::invoke;
use spotdrain_localaws::{Action, Fault, LocalAws, State};

use crate::common::{actions, batch, function_on, is, notice, start, world};

const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:interruptions";

/// Handles a batch of one notice as Lambda would deliver it, and returns the answer.
async fn invoked(local: &LocalAws, pairs: &[(&str, &str)]) -> Value {
    let payload = RawValue::from_string(batch(&[notice(1, "web", "10.0.0.1").to_string()]).to_string()).unwrap();
    let mut context = Context::default();
    context.deadline = u64::try_from(Timestamp::now().as_millisecond()).unwrap() + 20_000;
    invoke(&function_on(local, pairs), LambdaEvent::new(payload, context)).await.unwrap()
}

#[tokio::test]
async fn a_topic_gets_one_message_after_the_work() {
    let (world, group) = world();
    let local = start(world).await;
    assert_eq!(invoked(&local, &[("SPOTDRAIN_MESSAGE_TOPIC", TOPIC)]).await, json!({"batchItemFailures": []}));
    assert!(is(&local, &group, ("10.0.0.1", 80), State::Draining));
    let published = local.world().published().to_vec();
    assert_eq!((published.len(), published[0].topic.as_str()), (1, TOPIC));
    assert_eq!(published[0].subject.as_deref(), Some("1 Spot task interrupted"));
    let body: Value = serde_json::from_str(&published[0].message).unwrap();
    let mail = body["email"].as_str().unwrap();
    assert!(mail.starts_with("1 task of web interrupted in ") && mail.contains("; all deregistered within "), "{mail}");
    let chat: Value = serde_json::from_str(body["default"].as_str().unwrap()).unwrap();
    assert_eq!(chat["content"]["description"], mail);
    assert_eq!(actions(&local).last().map(String::as_str), Some("Publish"));
}

#[tokio::test]
async fn without_a_topic_nothing_is_published() {
    let (world, _) = world();
    let local = start(world).await;
    invoked(&local, &[]).await;
    assert!(local.world().published().is_empty() && !actions(&local).contains(&"Publish".to_owned()));
}

#[tokio::test]
async fn a_message_that_fails_or_hangs_delays_the_answer_by_a_second_at_most_and_fails_nothing() {
    for fault in [Fault::AccessDenied, Fault::ServerError, Fault::Reset, Fault::Hang] {
        let (mut world, group) = world();
        world.add_fault(fault.on(Action::Publish));
        let local = start(world).await;
        let began = Instant::now();
        let answer = invoked(&local, &[("SPOTDRAIN_MESSAGE_TOPIC", TOPIC)]).await;
        assert_eq!(answer, json!({"batchItemFailures": []}), "{fault:?}");
        assert!(is(&local, &group, ("10.0.0.1", 80), State::Draining));
        // Far more than the second that a message may take, and far less than the 20 s of the invocation.
        assert!(began.elapsed() < Duration::from_secs(10), "{fault:?}");
    }
}

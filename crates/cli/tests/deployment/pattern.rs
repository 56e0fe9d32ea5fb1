//! Whether an EventBridge pattern matches an event. Supports what the deployment's pattern uses: exact values, `prefix`,
//! `anything-but` and `$or`; anything else fails the test. The end-to-end test compares it with a local cloud's
//! `TestEventPattern`.
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>

use serde_json::{Value, json};

/// Returns whether the pattern matches the event.
pub fn passes(pattern: &Value, event: &Value) -> bool {
    let members = pattern.as_object().expect("a pattern is an object");
    members.iter().all(|(name, wanted)| match (name.as_str(), wanted) {
        ("$or", Value::Array(alternatives)) => alternatives.iter().any(|alternative| passes(alternative, event)),
        (name, Value::Object(_)) => event.get(name).is_some_and(|inner| passes(wanted, inner)),
        (name, Value::Array(wanted)) => event.get(name).is_some_and(|found| is_one_of(wanted, found)),
        (name, other) => panic!("{name}: {other} is no pattern"),
    })
}

/// A field that is a list matches if one of its items does.
fn is_one_of(wanted: &[Value], found: &Value) -> bool {
    match found {
        Value::Array(items) => items.iter().any(|item| is_one_of(wanted, item)),
        found => wanted.iter().any(|wanted| matches(wanted, found)),
    }
}

fn matches(wanted: &Value, found: &Value) -> bool {
    let Value::Object(operator) = wanted else {
        return wanted == found;
    };
    let (name, operand) = operator.iter().next().expect("an operator");
    assert_eq!(operator.len(), 1, "one operator each: {operator:?}");
    match (name.as_str(), operand) {
        ("prefix", Value::String(prefix)) => found.as_str().is_some_and(|text| text.starts_with(prefix.as_str())),
        ("anything-but", Value::Array(excluded)) => !excluded.contains(found),
        (name, operand) => panic!("the operator {name}: {operand} is not known here"),
    }
}

#[test]
fn every_operator_matches_and_rejects() {
    let table = [
        (json!({"a": ["x", "y"]}), json!({"a": "y"}), true),
        (json!({"a": ["x"]}), json!({"a": "X"}), false),
        (json!({"a": ["x"]}), json!({"b": "x"}), false),
        (json!({"a": ["x"]}), json!({"a": null}), false),
        (json!({"a": ["x"]}), json!({"a": ["w", "x"]}), true),
        (json!({"a": {"b": ["x"]}}), json!({"a": {"b": "x", "c": 1}}), true),
        (json!({"a": [{"prefix": "xy"}]}), json!({"a": "xyz"}), true),
        (json!({"a": [{"prefix": "xy"}]}), json!({"a": "zxy"}), false),
        (json!({"a": [{"anything-but": ["x", "y"]}]}), json!({"a": "z"}), true),
        (json!({"a": [{"anything-but": ["x", "y"]}]}), json!({"a": "y"}), false),
        (json!({"a": [{"anything-but": ["x", "y"]}]}), json!({}), false),
        (json!({"$or": [{"a": ["x"]}, {"b": ["y"]}]}), json!({"b": "y"}), true),
        (json!({"$or": [{"a": ["x"]}, {"b": ["y"]}]}), json!({"b": "x"}), false),
    ];
    for (pattern, event, expected) in table {
        assert_eq!(passes(&pattern, &event), expected, "{pattern} {event}");
    }
}

//! Does an EventBridge event pattern let an event through?
//!
//! Written from the documented rules: a pattern names fields, every field that is named must be there and one of its
//! values must fit, and what is not named does not matter. A value that is only a text is a literal: `["*"]` matches
//! nothing but an asterisk. What AWS would refuse is refused here too, with its place.
//! Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>

use std::net::IpAddr;

use serde_json::Value;
use thiserror::Error;

use crate::glob::glob;

mod read;

/// A pattern that EventBridge would refuse.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("at {path}: {problem}")]
pub struct PatternError {
    /// Where, such as `detail.stopCode`.
    pub path: String,
    /// What is wrong, and what is expected.
    pub problem: String,
}

/// A pattern, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern(Fields);

/// All of these must fit, and of each `$or` one alternative.
#[derive(Debug, Clone, PartialEq, Default)]
struct Fields {
    named: Vec<(String, Field)>,
    alternatives: Vec<Vec<Fields>>,
}

#[derive(Debug, Clone, PartialEq)]
enum Field {
    Inner(Fields),
    OneOf(Vec<Test>),
}

/// A test of one value of a field.
#[derive(Debug, Clone, PartialEq)]
enum Test {
    Is(Value),
    Text(TextTest),
    AnythingBut(Vec<Test>),
    Exists(bool),
    Numeric(Vec<(Comparison, f64)>),
    Cidr(IpAddr, u8),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct TextTest {
    kind: TextKind,
    text: String,
    ignore_case: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextKind {
    Prefix,
    Suffix,
    Whole,
    Wildcard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

impl Pattern {
    /// Reads a pattern; a [`PatternError`] says where it is not valid.
    pub fn read(pattern: &Value) -> Result<Self, PatternError> {
        read::read(pattern).map(Self)
    }

    /// Whether an event passes.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        self.0.fit(event)
    }
}

impl Fields {
    fn fit(&self, value: &Value) -> bool {
        // Of objects in an array one must fit as a whole.
        if let Value::Array(items) = value {
            return items.iter().any(|item| self.fit(item));
        }
        let named = |(name, field): &(String, Field)| field.fits(value.get(name));
        let one = |alternatives: &Vec<Self>| alternatives.iter().any(|fields| fields.fit(value));
        self.named.iter().all(named) && self.alternatives.iter().all(one)
    }
}

impl Field {
    fn fits(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            // A field that is asked for under an object that is not there does not exist.
            (Self::Inner(fields), value) => fields.fit(value.unwrap_or(&Value::Null)),
            (Self::OneOf(tests), value) => tests.iter().any(|test| test.passes(value)),
        }
    }
}

impl Test {
    fn passes(&self, value: Option<&Value>) -> bool {
        let leaves: Vec<&Value> = match value {
            Some(Value::Array(items)) => items.iter().filter(|item| !is_inner(item)).collect(),
            Some(value) if !is_inner(value) => vec![value],
            _ => Vec::new(),
        };
        match self {
            Self::Exists(wanted) => *wanted != leaves.is_empty(),
            other => leaves.iter().any(|leaf| other.passes_one(leaf)),
        }
    }

    fn passes_one(&self, value: &Value) -> bool {
        match self {
            // Numbers are compared as they are written: 300 and 300.0 are not equal, says AWS.
            Self::Is(expected) => expected == value,
            Self::Text(test) => value.as_str().is_some_and(|text| test.passes(text)),
            Self::AnythingBut(tests) => !tests.iter().any(|test| test.passes_one(value)),
            Self::Exists(wanted) => *wanted,
            Self::Numeric(comparisons) => value
                .as_f64()
                .is_some_and(|number| comparisons.iter().all(|(comparison, bound)| comparison.holds(number, *bound))),
            Self::Cidr(network, bits) => {
                let address = value.as_str().and_then(|text| text.parse().ok());
                address.is_some_and(|address| is_within(address, *network, *bits))
            }
        }
    }
}

fn is_inner(value: &Value) -> bool {
    matches!(value, Value::Object(_) | Value::Array(_))
}

impl TextTest {
    fn passes(&self, text: &str) -> bool {
        let folded = |text: &str| if self.ignore_case { text.to_lowercase() } else { text.to_owned() };
        let (text, wanted) = (folded(text), folded(&self.text));
        match self.kind {
            TextKind::Prefix => text.starts_with(&wanted),
            TextKind::Suffix => text.ends_with(&wanted),
            TextKind::Whole => text == wanted,
            TextKind::Wildcard => glob(&wanted, &text),
        }
    }
}

impl Comparison {
    fn holds(self, number: f64, bound: f64) -> bool {
        let ordering = number.partial_cmp(&bound);
        ordering.is_some_and(|ordering| match self {
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Equal => ordering.is_eq(),
            Self::GreaterOrEqual => ordering.is_ge(),
            Self::Greater => ordering.is_gt(),
        })
    }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let of = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, true),
        IpAddr::V6(address) => (u128::from(address), false),
    };
    let ((address, is_v4), (network, network_is_v4)) = (of(address), of(network));
    let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
    is_v4 == network_is_v4 && address & mask == network & mask
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn passes(pattern: &Value, event: &Value) -> bool {
        Pattern::read(pattern).unwrap().matches(event)
    }

    #[test]
    fn every_operator_on_one_field() {
        let table = [
            (json!(["a"]), json!("a"), true),
            (json!(["a", "b"]), json!("b"), true),
            (json!(["*"]), json!("a"), false),
            (json!(["*"]), json!("*"), true),
            (json!(["A"]), json!("a"), false),
            (json!([300]), json!(300), true),
            (json!([300]), json!(300.0), false),
            (json!(["300"]), json!(300), false),
            (json!([null]), json!(null), true),
            (json!([true]), json!(true), true),
            (json!(["a"]), json!(["b", "a"]), true),
            (json!(["a"]), json!([]), false),
            (json!([{"prefix": "Your Spot"}]), json!("Your Spot Task was interrupted."), true),
            (json!([{"prefix": "your spot"}]), json!("Your Spot Task was interrupted."), false),
            (json!([{"prefix": {"equals-ignore-case": "your spot"}}]), json!("Your Spot Task"), true),
            (json!([{"suffix": ".png"}]), json!("a.png"), true),
            (json!([{"suffix": {"equals-ignore-case": ".png"}}]), json!("a.PNG"), true),
            (json!([{"equals-ignore-case": "ALICE"}]), json!("alice"), true),
            (json!([{"wildcard": "arn:*:cluster/demo-*"}]), json!("arn:aws:cluster/demo-1"), true),
            (json!([{"wildcard": "a*c"}]), json!("abd"), false),
            (json!([{"wildcard": "a\\*c"}]), json!("a*c"), true),
            (json!([{"wildcard": "a\\*c"}]), json!("abc"), false),
            (json!([{"anything-but": "a"}]), json!("b"), true),
            (json!([{"anything-but": ["a", "b"]}]), json!("b"), false),
            (json!([{"anything-but": [1, 2]}]), json!(3), true),
            (json!([{"anything-but": {"prefix": "a"}}]), json!("ab"), false),
            (json!([{"anything-but": {"prefix": ["a", "b"]}}]), json!("cb"), true),
            (json!([{"anything-but": {"suffix": "a"}}]), json!("ab"), true),
            (json!([{"anything-but": {"equals-ignore-case": ["STOPPED"]}}]), json!("stopped"), false),
            (json!([{"anything-but": {"wildcard": "*/lib/*"}}]), json!("x/lib/y"), false),
            (json!([{"exists": true}]), json!("a"), true),
            (json!([{"exists": true}]), json!({"inner": 1}), false),
            (json!([{"exists": false}]), json!("a"), false),
            (json!([{"numeric": ["=", 100]}]), json!(100.0), true),
            (json!([{"numeric": [">", 0, "<=", 5]}]), json!(5), true),
            (json!([{"numeric": [">", 0, "<=", 5]}]), json!(0), false),
            (json!([{"numeric": ["<", 10]}]), json!("5"), false),
            (json!([{"numeric": [">=", 10]}]), json!(10), true),
            (json!([{"cidr": "10.0.0.0/24"}]), json!("10.0.0.255"), true),
            (json!([{"cidr": "10.0.0.0/24"}]), json!("10.0.1.1"), false),
            (json!([{"cidr": "0.0.0.0/0"}]), json!("192.0.2.1"), true),
            (json!([{"cidr": "0.0.0.0/0"}]), json!("fd00::1"), false),
            (json!([{"cidr": "fd00::/8"}]), json!("fd12::1"), true),
        ];
        for (tests, value, expected) in table {
            let (pattern, event) = (json!({"field": tests}), json!({"field": value}));
            assert_eq!(passes(&pattern, &event), expected, "{pattern} {event}");
        }
    }

    #[test]
    fn what_is_not_there_is_no_value() {
        let event = json!({"detail": {"a": 1}});
        let table = [
            (json!({"detail": {"b": [{"exists": false}]}}), true),
            (json!({"other": {"b": [{"exists": false}]}}), true),
            (json!({"detail": {"b": [{"exists": true}]}}), false),
            (json!({"detail": {"b": [{"anything-but": "x"}]}}), false),
            (json!({"detail": {"b": ["x"]}}), false),
            (json!({"detail": {"a": {"b": ["x"]}}}), false),
        ];
        for (pattern, expected) in table {
            assert_eq!(passes(&pattern, &event), expected, "{pattern}");
        }
    }

    #[test]
    fn one_of_the_alternatives_is_enough_and_the_rest_must_hold() {
        let pattern =
            json!({"detail": {"status": ["STOPPED"], "$or": [{"code": ["A"]}, {"reason": [{"prefix": "B"}]}]}});
        let table = [
            (json!({"detail": {"status": "STOPPED", "code": "A"}}), true),
            (json!({"detail": {"status": "STOPPED", "reason": "Bc"}}), true),
            (json!({"detail": {"status": "RUNNING", "code": "A"}}), false),
            (json!({"detail": {"status": "STOPPED", "code": "B"}}), false),
        ];
        for (event, expected) in table {
            assert_eq!(passes(&pattern, &event), expected, "{event}");
        }
    }

    #[test]
    fn of_objects_in_an_array_one_must_fit_as_a_whole() {
        let pattern = json!({"containers": {"name": ["app"], "exitCode": [0]}});
        let both = json!({"containers": [{"name": "app", "exitCode": 0}, {"name": "b", "exitCode": 1}]});
        let mixed = json!({"containers": [{"name": "app", "exitCode": 1}, {"name": "b", "exitCode": 0}]});
        assert!(passes(&pattern, &both) && !passes(&pattern, &mixed));
    }

    #[test]
    fn what_eventbridge_refuses_is_refused_with_its_place() {
        let table = [
            (json!([]), "at the pattern: expected an object"),
            (json!({}), "at the pattern: an empty object"),
            (json!({"source": "aws.ecs"}), "at source: expected an array or an object, found \"aws.ecs\""),
            (json!({"detail": {"a": []}}), "at detail.a: an empty array"),
            (json!({"detail": {"$or": [{"a": ["b"]}]}}), "at detail.$or: expected two alternatives"),
            (json!({"a": [{"begins": "b"}]}), "at a.begins: is not an operator"),
            (json!({"a": [{"prefix": 7}]}), "at a.prefix: expected a text, found 7"),
            (json!({"a": [{"prefix": "b", "suffix": "c"}]}), "at a: expected one operator"),
            (json!({"a": [{"numeric": [">"]}]}), "at a.numeric: expected comparisons"),
            (json!({"a": [{"cidr": "10.0.0.0/33"}]}), "at a.cidr: expected a range"),
            (json!({"a": [{"anything-but": {"numeric": 7}}]}), "at a.anything-but: expected values"),
            (json!({"a": [{"exists": "no"}]}), "at a.exists: expected true or false"),
            (json!({"a": [["b"]]}), "at a: expected texts"),
        ];
        for (pattern, expected) in table {
            let error = Pattern::read(&pattern).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}

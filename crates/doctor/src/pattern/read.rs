//! Reads the JSON of a pattern. What `EventBridge` would refuse is refused, with its place.

use std::net::IpAddr;

use serde_json::{Map, Value};

use super::{Comparison, Field, Fields, PatternError, Test, TextKind, TextTest};

pub(super) fn read(pattern: &Value) -> Result<Fields, PatternError> {
    match pattern {
        Value::Object(fields) => read_fields(fields, ""),
        _ => Err(refused("the pattern", "expected an object")),
    }
}

fn refused(path: &str, problem: impl Into<String>) -> PatternError {
    PatternError { path: path.to_owned(), problem: problem.into() }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn read_fields(fields: &Map<String, Value>, path: &str) -> Result<Fields, PatternError> {
    if fields.is_empty() {
        return Err(refused(if path.is_empty() { "the pattern" } else { path }, "an empty object is not a pattern"));
    }
    let mut read = Fields::default();
    for (name, value) in fields {
        let path = below(path, name);
        match value {
            Value::Array(items) if name == "$or" => read.alternatives.push(read_alternatives(items, &path)?),
            Value::Array(items) => read.named.push((name.clone(), Field::OneOf(read_tests(items, &path)?))),
            Value::Object(inner) => read.named.push((name.clone(), Field::Inner(read_fields(inner, &path)?))),
            _ => return Err(refused(&path, format!("expected an array or an object, found {value}"))),
        }
    }
    Ok(read)
}

fn read_alternatives(items: &[Value], path: &str) -> Result<Vec<Fields>, PatternError> {
    let alternative = |item: &Value| match item {
        Value::Object(fields) => read_fields(fields, path),
        other => Err(refused(path, format!("expected objects, found {other}"))),
    };
    if items.len() < 2 {
        Err(refused(path, "expected two alternatives or more"))
    } else {
        items.iter().map(alternative).collect()
    }
}

fn read_tests(items: &[Value], path: &str) -> Result<Vec<Test>, PatternError> {
    if items.is_empty() {
        return Err(refused(path, "an empty array matches nothing, and EventBridge refuses it"));
    }
    items.iter().map(|item| read_test(item, path)).collect()
}

fn read_test(item: &Value, path: &str) -> Result<Test, PatternError> {
    match item {
        Value::Object(fields) => match fields.iter().next() {
            Some((operator, operand)) if fields.len() == 1 => read_operator(operator, operand, path),
            _ => Err(refused(path, "expected one operator, such as {\"prefix\": \"a\"}")),
        },
        Value::Array(_) => Err(refused(path, "expected texts, numbers or operators, found an array")),
        leaf => Ok(Test::Is(leaf.clone())),
    }
}

fn read_operator(operator: &str, operand: &Value, path: &str) -> Result<Test, PatternError> {
    let path = below(path, operator);
    match operator {
        "prefix" | "suffix" | "equals-ignore-case" | "wildcard" => read_text(operator, operand, &path).map(Test::Text),
        "anything-but" => read_anything_but(operand, &path).map(Test::AnythingBut),
        "exists" => operand.as_bool().map(Test::Exists).ok_or_else(|| refused(&path, "expected true or false")),
        "numeric" => read_numeric(operand, &path),
        "cidr" => read_cidr(operand, &path),
        _ => Err(refused(&path, "is not an operator of EventBridge")),
    }
}

fn read_text(operator: &str, operand: &Value, path: &str) -> Result<TextTest, PatternError> {
    let kind = match operator {
        "prefix" => TextKind::Prefix,
        "suffix" => TextKind::Suffix,
        "wildcard" => TextKind::Wildcard,
        _ => TextKind::Whole,
    };
    let folds = matches!(kind, TextKind::Prefix | TextKind::Suffix);
    match operand {
        Value::String(text) => Ok(TextTest { kind, text: text.clone(), ignore_case: kind == TextKind::Whole }),
        Value::Object(fields) if folds && fields.len() == 1 => match fields.get("equals-ignore-case") {
            Some(Value::String(text)) => Ok(TextTest { kind, text: text.clone(), ignore_case: true }),
            _ => Err(refused(path, "expected a text or {\"equals-ignore-case\": a text}")),
        },
        other => Err(refused(path, format!("expected a text, found {other}"))),
    }
}

/// A value or a list of them, or one of the operators on texts with a text or a list of them.
fn read_anything_but(operand: &Value, path: &str) -> Result<Vec<Test>, PatternError> {
    if let Value::Object(fields) = operand {
        let texts = ["prefix", "suffix", "equals-ignore-case", "wildcard"];
        let known = fields.iter().find(|(operator, _)| texts.contains(&operator.as_str()) && fields.len() == 1);
        let (operator, operand) =
            known.ok_or_else(|| refused(path, "expected values, prefix, suffix, equals-ignore-case or wildcard"))?;
        let path = below(path, operator);
        return each(operand, &path, |item| read_text(operator, item, &path).map(Test::Text));
    }
    each(operand, path, |item| match item {
        Value::String(_) | Value::Number(_) => Ok(Test::Is(item.clone())),
        other => Err(refused(path, format!("expected texts or numbers, found {other}"))),
    })
}

fn each(
    operand: &Value,
    path: &str,
    one: impl Fn(&Value) -> Result<Test, PatternError>,
) -> Result<Vec<Test>, PatternError> {
    match operand {
        Value::Array(items) if items.is_empty() => Err(refused(path, "an empty array excludes nothing")),
        Value::Array(items) => items.iter().map(one).collect(),
        other => one(other).map(|test| vec![test]),
    }
}

fn read_numeric(operand: &Value, path: &str) -> Result<Test, PatternError> {
    let wrong = || refused(path, "expected comparisons, such as [\">\", 0, \"<=\", 5]");
    let items = operand.as_array().filter(|items| matches!(items.len(), 2 | 4)).ok_or_else(wrong)?;
    let pair = |pair: &[Value]| match pair {
        [Value::String(comparison), bound] => Some((Comparison::read(comparison)?, bound.as_f64()?)),
        _ => None,
    };
    let comparisons: Option<Vec<_>> = items.chunks(2).map(pair).collect();
    comparisons.map(Test::Numeric).ok_or_else(wrong)
}

fn read_cidr(operand: &Value, path: &str) -> Result<Test, PatternError> {
    let wrong = || refused(path, "expected a range of addresses, such as \"10.0.0.0/24\"");
    let (network, bits) = operand.as_str().and_then(|text| text.split_once('/')).ok_or_else(wrong)?;
    let network: IpAddr = network.parse().map_err(|_| wrong())?;
    let most = if network.is_ipv4() { 32 } else { 128 };
    let bits = bits.parse().ok().filter(|bits| *bits <= most).ok_or_else(wrong)?;
    Ok(Test::Cidr(network, bits))
}

impl Comparison {
    fn read(text: &str) -> Option<Self> {
        match text {
            "<" => Some(Self::Less),
            "<=" => Some(Self::LessOrEqual),
            "=" => Some(Self::Equal),
            ">=" => Some(Self::GreaterOrEqual),
            ">" => Some(Self::Greater),
            _ => None,
        }
    }
}

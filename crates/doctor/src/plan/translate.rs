//! Gives the attributes of the AWS provider the names and the form of CloudFormation's properties.

use crate::template::evaluate::value::{Data, Value};

/// Pairs of an attribute and a property. A dot leads into a block, or into a map of properties.
pub(crate) type Names = &'static [(&'static str, &'static str)];

/// Returns the properties of an object under their new names. What is absent or empty is left out.
pub(crate) fn renamed(from: &Value, names: &[(&str, &str)]) -> Vec<(String, Value)> {
    let mut entries = Vec::new();
    for (attribute, property) in names {
        if let Some(value) = at(from, attribute) {
            put(&mut entries, property, value);
        }
    }
    entries
}

/// The value at the end of a path of attributes; of a list of blocks the first one counts.
pub(crate) fn at(from: &Value, path: &str) -> Option<Value> {
    let mut value = from;
    for key in path.split('.') {
        match &value.data {
            Data::Unknown(_) => break,
            Data::List(items) => value = items.first()?,
            _ => {}
        }
        if matches!(value.data, Data::Unknown(_)) {
            break;
        }
        value = value.entries().iter().find(|(name, _)| name == key).map(|(_, value)| value)?;
    }
    let is_empty = matches!(&value.data, Data::Nothing) || matches!(&value.data, Data::Text(text) if text.is_empty());
    (!is_empty).then(|| value.clone())
}

/// Puts a value at the end of a path of properties.
pub(crate) fn put(entries: &mut Vec<(String, Value)>, path: &str, value: Value) {
    let Some((first, rest)) = path.split_once('.') else {
        entries.push((path.to_owned(), value));
        return;
    };
    let position = entries.iter().position(|(name, _)| name == first);
    let index = position.unwrap_or_else(|| {
        entries.push((first.to_owned(), Value { line: 0, data: Data::Map(Vec::new()) }));
        entries.len() - 1
    });
    if let Some((_, Value { data: Data::Map(inner), .. })) = entries.get_mut(index) {
        put(inner, rest, value);
    }
}

/// The list at the end of a path, with each of its items changed.
pub(crate) fn list_of(from: &Value, path: &str, change: impl Fn(&Value) -> Value) -> Value {
    match at(from, path) {
        None => nothing(),
        Some(value) if matches!(value.data, Data::Unknown(_)) => value,
        Some(value) => {
            let items = value.as_items().into_iter().map(|item| match &item.data {
                Data::Unknown(_) => item.clone(),
                _ => change(item),
            });
            Value { line: 0, data: Data::List(items.collect()) }
        }
    }
}

/// Parses a text that contains JSON, such as a policy.
pub(crate) fn json_of(text: &Value, what: &str) -> Value {
    let Data::Text(json) = &text.data else { return text.clone() };
    match serde_json::from_str(json) {
        Ok(json) => Value::of_json(json),
        Err(error) => Value::unknown(0, format!("{what} is not JSON: {error}")),
    }
}

/// Converts the entries of a map to a list of keys and values, the form of tags.
pub(crate) fn pairs(map: &Value) -> Value {
    if matches!(map.data, Data::Unknown(_)) {
        return map.clone();
    }
    let pair = |(key, value): &(String, Value)| {
        let entries = vec![("Key".to_owned(), Value::text_of(0, key.as_str())), ("Value".to_owned(), value.clone())];
        Value { line: 0, data: Data::Map(entries) }
    };
    Value { line: 0, data: Data::List(map.entries().iter().map(pair).collect()) }
}

/// Returns the value with the keys of its maps in upper camel case: `StopTimeout` for `stopTimeout`.
pub(crate) fn capitalized(value: &Value) -> Value {
    let data = match &value.data {
        Data::List(items) => Data::List(items.iter().map(capitalized).collect()),
        Data::Map(entries) => {
            Data::Map(entries.iter().map(|(key, value)| (capital(key), capitalized(value))).collect())
        }
        other => other.clone(),
    };
    Value { line: value.line, data }
}

fn capital(key: &str) -> String {
    let mut characters = key.chars();
    let first = characters.next().map(|one| one.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

/// The tags of a resource, with the provider's default tags if the plan has them.
pub(crate) fn tags(from: &Value) -> Option<Value> {
    at(from, "tags_all").or_else(|| at(from, "tags")).map(|tags| pairs(&tags))
}

pub(crate) fn map(entries: Vec<(String, Value)>) -> Value {
    Value { line: 0, data: Data::Map(entries) }
}

pub(crate) fn nothing() -> Value {
    Value { line: 0, data: Data::Nothing }
}

//! Validates JSON against the keywords of JSON Schema that `docs/schema` uses. Any other keyword is an error here, so that no
//! part of a schema goes unchecked. Stricter than the standard in one point: a property that the schema does not name is a
//! problem, because then the schema is behind the code. A reference to another schema is followed: its file is listed here.

use serde_json::Value;

/// Says something about a schema, and nothing about a value.
const ANNOTATIONS: [&str; 6] = ["$schema", "$id", "$defs", "title", "description", "format"];

/// The schemas that others refer to, by the names of their files.
const SHARED: [(&str, &str); 3] = [
    ("notice-record-2.json", include_str!("../../../../../docs/schema/notice-record-2.json")),
    ("drain-1.json", include_str!("../../../../../docs/schema/drain-1.json")),
    ("diagnosis-1.json", include_str!("../../../../../docs/schema/diagnosis-1.json")),
];

/// Returns the problems of a value, each with its path.
pub(crate) fn problems(root: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(root, root, value, "", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    for (keyword, rule) in schema.as_object().unwrap() {
        let is_met = match keyword.as_str() {
            "type" => types(rule).iter().any(|name| is_of_type(value, name)),
            "const" => value == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "minimum" => value.as_i64().is_none_or(|number| number >= rule.as_i64().unwrap()),
            "anyOf" => rule.as_array().unwrap().iter().any(|one| is_valid(root, one, value)),
            "required" => {
                !value.is_object()
                    || rule.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some())
            }
            "$ref" => of_reference(root, rule.as_str().unwrap(), value, path, found),
            "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= rule.as_u64().unwrap()),
            "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= rule.as_u64().unwrap()),
            "items" => of_items(root, rule, value, path, found),
            "properties" => of_properties(root, rule, value, path, found),
            annotation if ANNOTATIONS.contains(&annotation) => true,
            other => panic!("the validator does not know {other}"),
        };
        if !is_met {
            found.push(format!("{path}: {keyword} {rule}: {value}"));
        }
    }
}

fn types(rule: &Value) -> Vec<&str> {
    rule.as_array()
        .map_or_else(|| vec![rule.as_str().unwrap()], |all| all.iter().map(|one| one.as_str().unwrap()).collect())
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the validator does not know the type {other}"),
    }
}

fn is_valid(root: &Value, schema: &Value, value: &Value) -> bool {
    let mut found = Vec::new();
    check(root, schema, value, "", &mut found);
    found.is_empty()
}

/// Follows `#/POINTER`, `FILE` and `FILE#/POINTER`, and leaves the problems to the deeper paths.
fn of_reference(root: &Value, reference: &str, value: &Value, path: &str, found: &mut Vec<String>) -> bool {
    let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
    let shared = (!file.is_empty()).then(|| shared(file));
    let root = shared.as_ref().unwrap_or(root);
    let schema = root.pointer(pointer).unwrap_or_else(|| panic!("{reference} does not exist"));
    check(root, schema, value, path, found);
    true
}

fn shared(file: &str) -> Value {
    let (_, text) = SHARED.iter().find(|(name, _)| *name == file).unwrap_or_else(|| panic!("{file} is not listed"));
    serde_json::from_str(text).unwrap()
}

fn of_items(root: &Value, rule: &Value, value: &Value, path: &str, found: &mut Vec<String>) -> bool {
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        check(root, rule, item, &format!("{path}[{index}]"), found);
    }
    true
}

fn of_properties(root: &Value, rule: &Value, value: &Value, path: &str, found: &mut Vec<String>) -> bool {
    for (name, member) in value.as_object().into_iter().flatten() {
        match rule.get(name) {
            Some(schema) => check(root, schema, member, &format!("{path}.{name}"), found),
            None => found.push(format!("{path}.{name}: the schema does not name it")),
        }
    }
    true
}

//! A schema, and the fields of it that some output had.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::command::ROOT;
use crate::validator::problems;

/// A schema, and the fields that were seen, as JSON pointers into it.
pub(crate) struct Checked {
    root: Value,
    seen: BTreeSet<String>,
}

/// Reads a schema of `docs/schema`.
pub(crate) fn read(file: &str) -> Value {
    let text = std::fs::read_to_string(format!("{ROOT}/docs/schema/{file}")).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

impl Checked {
    pub(crate) fn new(file: &str) -> Self {
        Self { root: read(file), seen: BTreeSet::new() }
    }

    /// Asserts that a value is valid, and notes its fields.
    pub(crate) fn check(&mut self, value: &Value) {
        assert_eq!(problems(&self.root, value), [""; 0], "{value}");
        self.note(&self.root.clone(), "", value);
    }

    /// Asserts that every field of the schema was seen, except these and the fields in them.
    pub(crate) fn assert_complete_but_for(&self, unseen: &[&str]) {
        let mut named = BTreeSet::new();
        fields(&self.root, "", &mut named);
        let is_excepted = |field: &&String| unseen.iter().any(|prefix| field.starts_with(prefix));
        let (excepted, missing): (Vec<_>, Vec<_>) = named.difference(&self.seen).partition(is_excepted);
        assert_eq!(missing, [""; 0], "no output has these fields");
        for prefix in unseen {
            assert!(excepted.iter().any(|field| field.starts_with(prefix)), "{prefix} was seen: it needs no exception");
        }
    }

    /// Notes the fields of a value for the part of the schema at a pointer. References to other files are not followed.
    fn note(&mut self, schema: &Value, at: &str, value: &Value) {
        if let Some(target) = schema["$ref"].as_str().and_then(|target| target.strip_prefix('#')) {
            let schema = self.root.pointer(target).unwrap().clone();
            self.note(&schema, target, value);
        }
        for (index, one) in schema["anyOf"].as_array().into_iter().flatten().enumerate() {
            self.note(one, &format!("{at}/anyOf/{index}"), value);
        }
        for item in value.as_array().into_iter().flatten() {
            self.note(&schema["items"], &format!("{at}/items"), item);
        }
        for (name, member) in value.as_object().into_iter().flatten() {
            let field = format!("{at}/properties/{name}");
            if let Some(schema) = schema["properties"].get(name) {
                self.note(schema, &field, member);
                self.seen.insert(field);
            }
        }
    }
}

/// Collects the fields that a schema names.
fn fields(schema: &Value, at: &str, found: &mut BTreeSet<String>) {
    for (name, member) in schema.as_object().into_iter().flatten() {
        let here = format!("{at}/{name}");
        if name == "properties" {
            found.extend(member.as_object().unwrap().keys().map(|field| format!("{here}/{field}")));
        }
        fields(member, &here, found);
    }
    for (index, member) in schema.as_array().into_iter().flatten().enumerate() {
        fields(member, &format!("{at}/{index}"), found);
    }
}

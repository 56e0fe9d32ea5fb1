//! Documents of policies that are data sources which Terraform reads during the apply: their statements are in the plan.
//! Source: <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document>

use serde_json::Value as Json;

use crate::plan::choose::{Choice, Links};
use crate::plan::graph::Instance;
use crate::plan::translate::{list_of, nothing, renamed};
use crate::template::evaluate::value::{Data, Value};

const DOCUMENT: &str = "aws_iam_policy_document";

const STATEMENT: &[(&str, &str)] = &[
    ("effect", "Effect"),
    ("actions", "Action"),
    ("not_actions", "NotAction"),
    ("resources", "Resource"),
    ("not_resources", "NotResource"),
];

/// Returns the policy that an expression of an instance refers to, if it is one such document.
pub(crate) fn of_document(links: &Links<'_, '_>, instance: &Instance<'_>, expression: &Json) -> Option<Value> {
    let Choice::One(at) = links.choose(instance, expression, &[DOCUMENT]) else { return None };
    let document = links.graph.instance(at)?;
    // A document that includes others, or that is read already, is not made here.
    let includes = ["source_policy_documents", "override_policy_documents"];
    let has_others = includes.iter().any(|key| {
        let is_unknown = document.unknown.and_then(|all| all.get(*key)).is_some_and(|one| *one == Json::Bool(true));
        is_unknown || document.values.get(*key).and_then(Json::as_array).is_some_and(|all| !all.is_empty())
    });
    if has_others {
        return None;
    }
    let attributes = links.attributes(document);
    let statements = list_of(&attributes, "statement", statement);
    Some(Value { line: 0, data: Data::Map(vec![("Statement".to_owned(), statements)]) })
}

fn statement(statement: &Value) -> Value {
    let mut entries = renamed(statement, STATEMENT);
    entries.retain(|(_, value)| !matches!(&value.data, Data::Nothing) && !value.as_items().is_empty());
    if !entries.iter().any(|(key, _)| key == "Effect") {
        entries.push(("Effect".to_owned(), Value::text_of(0, "Allow")));
    }
    for (key, value) in [("Principal", principals(statement)), ("Condition", conditions(statement))] {
        entries.extend(value.map(|value| (key.to_owned(), value)));
    }
    Value { line: 0, data: Data::Map(entries) }
}

/// `principals` blocks with a type and identifiers, as `Principal: {Type: [identifiers]}`.
fn principals(statement: &Value) -> Option<Value> {
    let blocks = statement.items("principals").known().cloned().unwrap_or_default();
    let entry = |block: &&Value| Some((block.text("type").known()?.clone(), field(block, "identifiers")));
    let entries: Vec<_> = blocks.iter().filter_map(entry).collect();
    (!entries.is_empty()).then_some(Value { line: 0, data: Data::Map(entries) })
}

/// `condition` blocks with a test, a variable and values, as `Condition: {Test: {variable: values}}`.
fn conditions(statement: &Value) -> Option<Value> {
    let blocks = statement.items("condition").known().cloned().unwrap_or_default();
    let mut tests: Vec<(String, Value)> = Vec::new();
    for block in blocks {
        let (Some(test), Some(variable)) =
            (block.text("test").known().cloned(), block.text("variable").known().cloned())
        else {
            tests.push((String::new(), Value::unknown(0, "a condition of a policy is known only after the apply")));
            continue;
        };
        let key = (variable, field(block, "values"));
        match tests.iter_mut().find(|(name, _)| *name == test) {
            Some((_, Value { data: Data::Map(keys), .. })) => keys.push(key),
            _ => tests.push((test, Value { line: 0, data: Data::Map(vec![key]) })),
        }
    }
    (!tests.is_empty()).then_some(Value { line: 0, data: Data::Map(tests) })
}

fn field(block: &Value, key: &str) -> Value {
    block.entries().iter().find(|(name, _)| name == key).map_or_else(nothing, |(_, value)| value.clone())
}

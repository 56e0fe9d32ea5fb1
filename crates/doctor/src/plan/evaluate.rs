//! The attributes of an instance as values: known, a link to another instance, AWS's default, or unknown with the reason.

use serde_json::Value as Json;

use crate::plan::choose::{Choice, Links};
use crate::plan::document::items;
use crate::plan::graph::Instance;
use crate::plan::kinds::{self, LinkTarget};
use crate::plan::policies;
use crate::plan::search::references;
use crate::template::evaluate::value::{Data, Value};

/// How the configuration sets an attribute.
#[derive(Debug, Clone, Copy)]
enum Written<'e> {
    /// It has an expression.
    Expression(&'e Json),
    /// It does not set the attribute. A value that is unknown then is AWS's or the provider's default.
    Absent,
    /// The attribute is in a `dynamic` block, or in one of several blocks that look the same.
    Dynamic,
    /// The document does not contain the configuration.
    Elsewhere,
}

/// An attribute in its instance, with the block around it.
#[derive(Debug, Clone, Copy)]
struct At<'i, 'a> {
    instance: &'i Instance<'a>,
    attribute: &'i str,
    block: &'i Json,
}

/// The maximum number of references that a reason names.
const NAMED: usize = 4;

const ONCE_APPLIED: &str = "the state has it after the apply";

impl Links<'_, '_> {
    /// Returns the attributes of an instance, under the provider's names.
    pub(crate) fn attributes(&self, instance: &Instance<'_>) -> Value {
        let expressions = instance.configuration.map(|own| own.get("expressions").unwrap_or(&Json::Null));
        let written = expressions.map_or(Written::Elsewhere, Written::Expression);
        let at = At { instance, attribute: "", block: instance.values };
        self.object(at, instance.values, instance.unknown, written)
    }

    fn value(&self, at: At<'_, '_>, value: &Json, unknown: Option<&Json>, written: Written<'_>) -> Value {
        match (value, unknown) {
            (_, Some(Json::Bool(true))) => self.unknown(at, written),
            (Json::Object(_), _) => self.object(at, value, unknown, written),
            (Json::Array(list), _) => self.list(at, list, unknown, written),
            _ => Value::of_json(value.clone()),
        }
    }

    fn object(&self, at: At<'_, '_>, value: &Json, unknown: Option<&Json>, written: Written<'_>) -> Value {
        let empty = serde_json::Map::new();
        let (fields, unknown) =
            (value.as_object().unwrap_or(&empty), unknown.and_then(Json::as_object).unwrap_or(&empty));
        let absent = unknown.keys().filter(|key| !fields.contains_key(*key));
        let entry = |key: &String| {
            let at = At { attribute: key, block: value, ..at };
            let field = fields.get(key).unwrap_or(&Json::Null);
            (key.clone(), self.value(at, field, unknown.get(key), inner(written, key)))
        };
        Value { line: 0, data: Data::Map(fields.keys().chain(absent).map(entry).collect()) }
    }

    fn list(&self, at: At<'_, '_>, list: &[Json], unknown: Option<&Json>, written: Written<'_>) -> Value {
        let unknown: Vec<_> = items(unknown).collect();
        let count = list.len().max(unknown.len());
        let is_link = kinds::wanted(at.instance.kind, at.attribute).is_some_and(|wanted| wanted.is_list);
        let is_open = |one: &&Json| **one == Json::Bool(true);
        if is_link && count > 0 && unknown.iter().filter(|one| is_open(one)).count() == count {
            return self.unknown(at, written);
        }
        let item = |index: usize| {
            let item = list.get(index).unwrap_or(&Json::Null);
            self.value(at, item, unknown.get(index).copied(), block(written, item))
        };
        Value { line: 0, data: Data::List((0..count).map(item).collect()) }
    }

    fn unknown(&self, at: At<'_, '_>, written: Written<'_>) -> Value {
        let wanted = kinds::wanted(at.instance.kind, at.attribute);
        match (written, wanted) {
            (Written::Absent, _) => Value { line: 0, data: Data::Nothing },
            (Written::Elsewhere, _) => Value::unknown(
                0,
                format!("{} is known only after the apply, and the plan lacks its configuration", at.attribute),
            ),
            (Written::Dynamic, Some(wanted)) => {
                self.assumed(at, wanted, "the plan does not describe dynamic blocks").unwrap_or_else(|| dynamic(at))
            }
            (Written::Dynamic, None) => dynamic(at),
            (Written::Expression(expression), _) if at.attribute == "policy" => {
                policies::of_document(self, at.instance, expression).unwrap_or_else(|| not_yet_known(at, expression))
            }
            (Written::Expression(expression), Some(wanted)) => self.linked(at, wanted, expression),
            (Written::Expression(expression), None) => not_yet_known(at, expression),
        }
    }

    fn linked(&self, at: At<'_, '_>, wanted: LinkTarget, expression: &Json) -> Value {
        let text = |index: usize| {
            let instance = self.graph.instance(index);
            instance.map_or_else(|| not_yet_known(at, expression), |one| Value::text_of(0, self.link(one, wanted.link)))
        };
        match self.choose(at.instance, expression, wanted.kinds) {
            Choice::One(index) if wanted.is_list => Value { line: 0, data: Data::List(vec![text(index)]) },
            Choice::One(index) => text(index),
            Choice::Several(all) if wanted.is_list => {
                Value { line: 0, data: Data::List(all.into_iter().map(text).collect()) }
            }
            Choice::Several(all) => {
                let addresses = self.addresses(&all).join(" or ");
                Value::unknown(
                    0,
                    format!("{} may be {addresses}, and the plan does not say which: {ONCE_APPLIED}", at.attribute),
                )
            }
            Choice::Nothing(open) if !open.is_empty() => {
                let why = format!("the plan does not describe {}", open.join(", "));
                self.assumed(at, wanted, &why).unwrap_or_else(|| not_yet_known(at, expression))
            }
            Choice::Nothing(_) => not_yet_known(at, expression),
        }
    }

    /// Returns the only possible instance, and reports that as an assumption.
    fn assumed(&self, at: At<'_, '_>, wanted: LinkTarget, why: &str) -> Option<Value> {
        let index = self.only_one_around(at.instance.module, wanted.kinds, at.block)?;
        let instance = self.graph.instance(index)?;
        let attribute = at.attribute;
        let what = format!("{why}: its {attribute} is taken to be {}, the only one that fits", instance.address);
        self.assume(at.instance.address, what);
        Some(Value::text_of(0, self.link(instance, wanted.link)))
    }
}

/// How the configuration sets an attribute of a block.
fn inner<'e>(written: Written<'e>, key: &str) -> Written<'e> {
    match written {
        Written::Expression(expression) if is_leaf(expression) => written,
        Written::Expression(block) => block.get(key).map_or(Written::Absent, Written::Expression),
        other => other,
    }
}

/// Returns the block of the configuration that an item of a list comes from: the only block whose constants are in the item.
fn block<'e>(written: Written<'e>, item: &Json) -> Written<'e> {
    let Written::Expression(expression) = written else {
        return if matches!(written, Written::Absent) { Written::Dynamic } else { written };
    };
    let Some(blocks) = expression.as_array() else { return written };
    let fits: Vec<_> = blocks.iter().filter(|block| has_constants_of(item, block)).collect();
    match fits.as_slice() {
        [one] => Written::Expression(one),
        _ => Written::Dynamic,
    }
}

fn has_constants_of(item: &Json, block: &Json) -> bool {
    let constants = crate::plan::document::entries(Some(block));
    let mut constants = constants.filter_map(|(key, one)| Some((key, one.get("constant_value")?)));
    constants.all(|(key, constant)| item.get(key).is_none_or(|value| is_same(value, constant)))
}

/// Returns whether two values are the same. A number may be written as a text, and the order of a list does not matter.
fn is_same(value: &Json, constant: &Json) -> bool {
    let text = |json: &Json| json.as_str().map_or_else(|| json.to_string(), str::to_owned);
    let sorted = |list: &[Json]| {
        let mut texts: Vec<_> = list.iter().map(text).collect();
        texts.sort();
        texts
    };
    match (value, constant) {
        (Json::Array(own), Json::Array(others)) => sorted(own) == sorted(others),
        _ => text(value) == text(constant),
    }
}

/// Returns whether an expression belongs to an attribute and not to a block.
fn is_leaf(expression: &Json) -> bool {
    let Some(fields) = expression.as_object() else { return false };
    fields.is_empty() || ["references", "constant_value"].iter().any(|key| fields.contains_key(*key))
}

fn dynamic(at: At<'_, '_>) -> Value {
    let attribute = at.attribute;
    Value::unknown(
        0,
        format!("{attribute} is set in a dynamic block, which the plan does not describe: {ONCE_APPLIED}"),
    )
}

fn not_yet_known(at: At<'_, '_>, expression: &Json) -> Value {
    let references = references(expression);
    let others = references.len().saturating_sub(NAMED);
    let named: Vec<_> = references.into_iter().take(NAMED).collect();
    let uses = match others {
        _ if named.is_empty() => String::new(),
        0 => format!(", because it uses {}", named.join(", ")),
        others => format!(", because it uses {} and {others} more", named.join(", ")),
    };
    Value::unknown(0, format!("{} is known only after the apply{uses}: {ONCE_APPLIED}", at.attribute))
}

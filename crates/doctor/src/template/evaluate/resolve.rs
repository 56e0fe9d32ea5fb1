//! Intrinsic functions. What cannot be evaluated before a deployment is unknown, with the reason.
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>

use crate::model::setting::Setting;
use crate::template::evaluate::names;
use crate::template::evaluate::stack::Stack;
use crate::template::evaluate::value::{Data, UnknownReason, Value};
use crate::template::syntax::node::{Node, NodeKind};

/// The maximum length of a chain of references.
const LONGEST_CHAIN: u32 = 40;

/// The longest text that is made, in bytes: a template has at most 1 MB.
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
const MAX_TEXT: usize = 1_000_000;

/// Evaluates the values of one stack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resolver<'a> {
    pub(crate) stack: &'a Stack,
    chain: u32,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(stack: &'a Stack) -> Self {
        Self { stack, chain: 0 }
    }

    /// Follows one reference; `None` if they are circular, or too many.
    pub(crate) fn deeper(self) -> Option<Self> {
        (self.chain < LONGEST_CHAIN && self.stack.count_call()).then_some(Self { chain: self.chain + 1, ..self })
    }

    /// Evaluates a value.
    pub(crate) fn value(&self, node: &Node) -> Value {
        let line = node.line;
        let data = match &node.kind {
            NodeKind::Null => Data::Nothing,
            NodeKind::Bool(value) => Data::Bool(*value),
            NodeKind::Number(number) => Data::Number(number.clone()),
            NodeKind::Text(text) if text.contains("{{resolve:") => {
                Data::unknown("a dynamic reference is resolved at the deployment")
            }
            NodeKind::Text(text) => Data::Text(text.clone()),
            NodeKind::List(items) => Data::List(self.items(items)),
            NodeKind::Map(entries) => {
                let present = entries.iter().map(|(key, node)| (key.clone(), self.value(node)));
                Data::Map(present.filter(|(_, value)| value.data != Data::Nothing).collect())
            }
            NodeKind::Call(name, argument) => match self.deeper() {
                Some(deeper) => return deeper.call(name, argument, line),
                None => Data::unknown(format!("line {line}: circular reference, or too many references")),
            },
        };
        Value { line, data }
    }

    fn items(&self, items: &[Node]) -> Vec<Value> {
        let items = items.iter().map(|item| self.value(item));
        items.filter(|item| item.data != Data::Nothing).collect()
    }

    fn call(&self, name: &str, argument: &Node, line: usize) -> Value {
        let unknown = |why: String| Value::unknown(line, why);
        let done = match (name, &argument.kind) {
            ("Ref", NodeKind::Text(id)) => Ok(self.reference(id, line)),
            ("GetAtt", _) => self.attribute(argument),
            ("Sub", _) => self.substitute(argument),
            ("If", NodeKind::List(parts)) => self.choose(parts),
            ("Join", NodeKind::List(parts)) => self.join(parts),
            ("Select", NodeKind::List(parts)) => self.select(parts),
            ("Split", NodeKind::List(parts)) => self.split(parts),
            ("FindInMap", NodeKind::List(parts)) => self.find_in_map(parts),
            ("GetAZs", _) => Ok(self.zones(line)),
            ("Length", _) => self.length(argument),
            ("ToJsonString", _) => self.json_text(argument),
            ("ImportValue", _) => self.import(argument),
            ("Condition", NodeKind::Text(id)) => {
                self.named_condition(id).map(|truth| Value { line, data: Data::Bool(truth) })
            }
            _ => Err(format!("!{name} is resolved at the deployment")),
        };
        done.map_or_else(unknown, |value| Value { line, ..value })
    }

    /// A parameter, a pseudo parameter, or a resource.
    pub(crate) fn reference(&self, id: &str, line: usize) -> Value {
        if let Some(data) = self.stack.location.pseudo(id) {
            return Value { line, data };
        }
        if let Some(value) = self.stack.parameter(id) {
            return value;
        }
        match self.stack.resource(id) {
            Some(_) => Value::text_of(line, names::reference(*self, id)),
            None => Value::unknown(line, format!("{id} is neither a parameter nor a resource of this template")),
        }
    }

    fn attribute(&self, argument: &Node) -> Result<Value, String> {
        let texts = match &argument.kind {
            NodeKind::Text(text) => text.split_once('.').map(|(id, attribute)| (id.to_owned(), attribute.to_owned())),
            NodeKind::List(parts) => match parts.as_slice() {
                [id, attribute] => id.text().map(str::to_owned).zip(attribute.text().map(str::to_owned)),
                _ => None,
            },
            _ => None,
        };
        let (id, attribute) =
            texts.ok_or_else(|| format!("line {}: !GetAtt takes a resource and an attribute", argument.line))?;
        self.attribute_of(&id, &attribute, argument.line)
    }

    /// An attribute of a resource, or an output of a nested stack.
    fn attribute_of(&self, id: &str, attribute: &str, line: usize) -> Result<Value, String> {
        match (attribute.strip_prefix("Outputs."), self.stack.children.get(id)) {
            (Some(output), Some(child)) => {
                let resolver = Resolver { stack: child, chain: self.chain };
                let resolver = resolver.deeper().ok_or_else(|| format!("line {line}: circular reference"))?;
                let node = child.output(output).and_then(|output| output.get("Value"));
                let node = node.ok_or_else(|| format!("nested stack {id} has no output {output}"))?;
                Ok(resolver.value(node))
            }
            _ => names::attribute(*self, id, attribute).map(|text| Value::text_of(line, text)),
        }
    }

    fn substitute(&self, argument: &Node) -> Result<Value, String> {
        let (text, own) = match &argument.kind {
            NodeKind::Text(text) => (text.as_str(), &[][..]),
            NodeKind::List(parts) => match parts.as_slice() {
                [text, own] => (text.text().unwrap_or_default(), own.entries()),
                _ => return Err("!Sub takes a text and values for it".to_owned()),
            },
            _ => return Err("!Sub takes a text".to_owned()),
        };
        let mut rest = text;
        let mut substituted = String::new();
        let mut unknown = None;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) =
                after.split_once('}').ok_or_else(|| format!("line {}: ${{ without its }}", argument.line))?;
            substituted += before;
            let value = self.substitution(name.trim(), own, argument.line).unwrap_or_else(|why| Value::unknown(0, why));
            unknown = unknown.or(text_of(&value).err());
            substituted += &value.as_pattern();
            rest = after;
        }
        text_or_pattern(argument.line, substituted + rest, unknown)
    }

    fn substitution(&self, name: &str, own: &[(String, Node)], line: usize) -> Result<Value, String> {
        if let Some(literal) = name.strip_prefix('!') {
            return Ok(Value::text_of(line, format!("${{{literal}}}")));
        }
        Ok(match (own.iter().find(|(key, _)| key == name), name.split_once('.')) {
            (Some((_, node)), _) => self.value(node),
            (None, Some((id, attribute))) => self.attribute_of(id, attribute, line)?,
            (None, None) => self.reference(name, line),
        })
    }

    fn choose(&self, parts: &[Node]) -> Result<Value, String> {
        let [condition, then, otherwise] = parts else { return Err("!If takes a condition and two values".to_owned()) };
        let name = condition.text().ok_or("!If takes the name of a condition")?;
        match self.named_condition(name) {
            Ok(truth) => Ok(self.value(if truth { then } else { otherwise })),
            Err(why) => {
                let (then, otherwise) = (self.value(then), self.value(otherwise));
                then.is_same(&otherwise).then_some(then).ok_or(why)
            }
        }
    }

    fn join(&self, parts: &[Node]) -> Result<Value, String> {
        let [separator, items] = parts else { return Err("!Join takes a separator and a list".to_owned()) };
        let items = self.value(items);
        let items = known(&items)?;
        let unknown = items.as_items().into_iter().find_map(|item| text_of(item).err());
        let texts: Vec<_> = items.as_items().into_iter().map(Value::as_pattern).collect();
        text_or_pattern(items.line, texts.join(separator.text().unwrap_or_default()), unknown)
    }

    fn select(&self, parts: &[Node]) -> Result<Value, String> {
        let [index, items] = parts else { return Err("!Select takes an index and a list".to_owned()) };
        let index: usize = text_of(&self.value(index))?.parse().map_err(|_| "!Select takes a number".to_owned())?;
        let items = self.value(items);
        let item = known(&items)?.as_items().get(index).copied().cloned();
        item.ok_or_else(|| format!("!Select: the list has no item {index}"))
    }

    fn split(&self, parts: &[Node]) -> Result<Value, String> {
        let [separator, text] = parts else { return Err("!Split takes a separator and a text".to_owned()) };
        let value = self.value(text);
        let text = text_of(&value)?;
        let items = text.split(separator.text().unwrap_or(",")).map(|item| Value::text_of(value.line, item)).collect();
        Ok(Value { line: value.line, data: Data::List(items) })
    }

    fn length(&self, argument: &Node) -> Result<Value, String> {
        let value = self.value(argument);
        match &known(&value)?.data {
            Data::List(items) => Ok(Value { line: argument.line, data: Data::Number(items.len().into()) }),
            _ => Err(format!("line {}: !Length takes a list", argument.line)),
        }
    }

    fn json_text(&self, argument: &Node) -> Result<Value, String> {
        match self.value(argument).json() {
            Setting::Set(json) => Ok(Value::text_of(argument.line, json.to_string())),
            Setting::Default => Err("!ToJsonString takes a value".to_owned()),
            Setting::Unknown(why) => Err(why),
        }
    }

    fn import(&self, argument: &Node) -> Result<Value, String> {
        let name = text_of(&self.value(argument))?;
        let found = self.stack.imports.get(&name).cloned();
        found.ok_or_else(|| {
            format!("!ImportValue {name} is resolved at the deployment: give the template that exports it")
        })
    }

    /// The Availability Zones of the Region. Every Region has at least two.
    fn zones(&self, line: usize) -> Value {
        let region = self.stack.location.region();
        let zones = ["a", "b", "c"].map(|zone| Value::text_of(line, format!("{region}{zone}")));
        Value { line, data: Data::List(zones.to_vec()) }
    }
}

fn known(value: &Value) -> Result<&Value, String> {
    match &value.data {
        Data::Unknown(reason) => Err(reason.why.clone()),
        _ => Ok(value),
    }
}

/// A text, or a pattern if parts of it are unknown.
fn text_or_pattern(line: usize, text: String, unknown: Option<String>) -> Result<Value, String> {
    if text.len() > MAX_TEXT {
        return Err(format!("line {line}: a text of more than {MAX_TEXT} bytes"));
    }
    let data = match unknown {
        Some(why) => Data::Unknown(UnknownReason { why, parameter: None, pattern: Some(text) }),
        None => Data::Text(text),
    };
    Ok(Value { line, data })
}

pub(super) fn text_of(value: &Value) -> Result<String, String> {
    match value.as_text() {
        Setting::Set(text) => Ok(text),
        Setting::Default => Ok(String::new()),
        Setting::Unknown(why) => Err(why),
    }
}

//! Intrinsic functions, as far as they can be done before a deployment. What cannot is not known, and says why.
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>

use crate::template::names;
use crate::template::node::{Kind, Node};
use crate::template::pseudo::{self, REGION};
use crate::template::stack::Stack;
use crate::template::value::{Data, Value};

/// How many references may follow each other.
const LONGEST_CHAIN: u32 = 40;

/// Resolves the values of one stack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resolver<'a> {
    pub(crate) stack: &'a Stack,
    chain: u32,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(stack: &'a Stack) -> Self {
        Self { stack, chain: 0 }
    }

    /// One reference further, unless they go round.
    pub(crate) fn deeper(self) -> Option<Self> {
        (self.chain < LONGEST_CHAIN).then_some(Self { chain: self.chain + 1, ..self })
    }

    /// What a value comes to.
    pub(crate) fn value(&self, node: &Node) -> Value {
        let line = node.line;
        let data = match &node.kind {
            Kind::Null => Data::Nothing,
            Kind::Bool(value) => Data::Bool(*value),
            Kind::Number(number) => Data::Number(number.clone()),
            Kind::Text(text) if text.contains("{{resolve:") => {
                Data::Unknown("a dynamic reference is resolved at the deployment".to_owned())
            }
            Kind::Text(text) => Data::Text(text.clone()),
            Kind::List(items) => Data::List(self.items(items)),
            Kind::Map(entries) => {
                let present = entries.iter().map(|(key, node)| (key.clone(), self.value(node)));
                Data::Map(present.filter(|(_, value)| value.data != Data::Nothing).collect())
            }
            Kind::Call(name, argument) => match self.deeper() {
                Some(deeper) => return deeper.call(name, argument, line),
                None => Data::Unknown(format!("line {line}: its references go round")),
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
            ("Ref", Kind::Text(id)) => Ok(self.reference(id, line)),
            ("GetAtt", _) => self.attribute(argument),
            ("Sub", _) => self.substitute(argument),
            ("If", Kind::List(parts)) => self.choose(parts),
            ("Join", Kind::List(parts)) => self.join(parts),
            ("Select", Kind::List(parts)) => self.select(parts),
            ("Split", Kind::List(parts)) => self.split(parts),
            ("FindInMap", Kind::List(parts)) => self.find_in_map(parts),
            ("GetAZs", _) => Ok(zones(line)),
            ("Condition", Kind::Text(id)) => {
                self.named_condition(id).map(|truth| Value { line, data: Data::Bool(truth) })
            }
            ("ImportValue", _) => Err("!ImportValue is resolved at the deployment".to_owned()),
            _ => Err(format!("!{name} is resolved at the deployment")),
        };
        done.map_or_else(unknown, |value| Value { line, ..value })
    }

    /// A parameter, a pseudo parameter, or a resource.
    pub(crate) fn reference(&self, id: &str, line: usize) -> Value {
        if let Some(data) = pseudo::pseudo(id) {
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
            Kind::Text(text) => text.split_once('.').map(|(id, attribute)| (id.to_owned(), attribute.to_owned())),
            Kind::List(parts) => match parts.as_slice() {
                [id, attribute] => id.text().map(str::to_owned).zip(attribute.text().map(str::to_owned)),
                _ => None,
            },
            _ => None,
        };
        let (id, attribute) =
            texts.ok_or_else(|| format!("line {}: !GetAtt takes a resource and an attribute", argument.line))?;
        names::attribute(*self, &id, &attribute).map(|text| Value::text_of(argument.line, text))
    }

    fn substitute(&self, argument: &Node) -> Result<Value, String> {
        let (text, own) = match &argument.kind {
            Kind::Text(text) => (text.as_str(), &[][..]),
            Kind::List(parts) => match parts.as_slice() {
                [text, own] => (text.text().unwrap_or_default(), own.entries()),
                _ => return Err("!Sub takes a text and values for it".to_owned()),
            },
            _ => return Err("!Sub takes a text".to_owned()),
        };
        let mut rest = text;
        let mut told = String::new();
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) =
                after.split_once('}').ok_or_else(|| format!("line {}: ${{ without its }}", argument.line))?;
            told += before;
            told += &self.placeholder(name.trim(), own, argument.line)?;
            rest = after;
        }
        Ok(Value::text_of(argument.line, told + rest))
    }

    fn placeholder(&self, name: &str, own: &[(String, Node)], line: usize) -> Result<String, String> {
        if let Some(literal) = name.strip_prefix('!') {
            return Ok(format!("${{{literal}}}"));
        }
        let value = match (own.iter().find(|(key, _)| key == name), name.split_once('.')) {
            (Some((_, node)), _) => self.value(node),
            (None, Some((id, attribute))) => return names::attribute(*self, id, attribute),
            (None, None) => self.reference(name, line),
        };
        text_of(&value)
    }

    fn choose(&self, parts: &[Node]) -> Result<Value, String> {
        let [condition, then, otherwise] = parts else { return Err("!If takes a condition and two values".to_owned()) };
        let name = condition.text().ok_or("!If takes the name of a condition")?;
        Ok(self.value(if self.named_condition(name)? { then } else { otherwise }))
    }

    fn join(&self, parts: &[Node]) -> Result<Value, String> {
        let [separator, items] = parts else { return Err("!Join takes a separator and a list".to_owned()) };
        let items = self.value(items);
        let texts = known(&items)?.as_items().into_iter().map(text_of).collect::<Result<Vec<_>, _>>()?;
        Ok(Value::text_of(items.line, texts.join(separator.text().unwrap_or_default())))
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

    fn find_in_map(&self, parts: &[Node]) -> Result<Value, String> {
        let keys = parts.iter().take(3).map(|part| text_of(&self.value(part))).collect::<Result<Vec<_>, _>>()?;
        let [map, top, second] = keys.as_slice() else { return Err("!FindInMap takes three names".to_owned()) };
        let found = self.stack.mapping(map, top, second);
        found.map(|node| self.value(node)).ok_or_else(|| format!("!FindInMap: {map} has no {top}, {second}"))
    }
}

fn known(value: &Value) -> Result<&Value, String> {
    match &value.data {
        Data::Unknown(why) => Err(why.clone()),
        _ => Ok(value),
    }
}

fn text_of(value: &Value) -> Result<String, String> {
    use crate::model::setting::Fact;
    match value.as_text() {
        Fact::Known(text) => Ok(text),
        Fact::Absent => Ok(String::new()),
        Fact::NotKnown(why) => Err(why),
    }
}

/// Placeholders: every Region has two zones at least.
fn zones(line: usize) -> Value {
    let zones = ["a", "b", "c"].map(|zone| Value::text_of(line, format!("{REGION}{zone}")));
    Value { line, data: Data::List(zones.to_vec()) }
}

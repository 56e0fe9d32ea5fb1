//! Conditions: true, false, or not known, with the reason.
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html>

use crate::template::node::{Kind, Node};
use crate::template::resolve::Resolver;
use crate::template::value::Data;

/// What a condition comes to.
pub(crate) type Truth = Result<bool, String>;

impl Resolver<'_> {
    /// The condition of this name.
    pub(crate) fn named_condition(&self, name: &str) -> Truth {
        let body = self.stack.condition(name).ok_or_else(|| format!("there is no condition {name}"))?;
        self.deeper().ok_or_else(|| format!("condition {name} refers to itself"))?.condition(body)
    }

    fn condition(&self, node: &Node) -> Truth {
        match &node.kind {
            Kind::Bool(value) => Ok(*value),
            Kind::Text(text) if matches!(text.as_str(), "true" | "false") => Ok(text == "true"),
            Kind::Call(name, argument) => self.call_condition(name, argument),
            // The long form of a reference.
            Kind::Map(entries) => match entries.as_slice() {
                [(key, Node { kind: Kind::Text(name), .. })] if key == "Condition" => self.named_condition(name),
                _ => Err(format!("line {}: is no condition", node.line)),
            },
            _ => Err(format!("line {}: is no condition", node.line)),
        }
    }

    fn call_condition(&self, name: &str, argument: &Node) -> Truth {
        match (name, &argument.kind) {
            ("Condition", Kind::Text(name)) => self.named_condition(name),
            ("Equals", Kind::List(sides)) => self.equals(sides),
            ("Not", Kind::List(items)) => match items.as_slice() {
                [only] => Ok(!self.condition(only)?),
                _ => Err(format!("line {}: !Not takes one condition", argument.line)),
            },
            ("And", Kind::List(items)) => self.combine(items, false),
            ("Or", Kind::List(items)) => self.combine(items, true),
            _ => Err(format!("line {}: !{name} is no condition", argument.line)),
        }
    }

    fn equals(&self, sides: &[Node]) -> Truth {
        let [left, right] = sides else { return Err("!Equals takes two values".to_owned()) };
        let (left, right) = (self.value(left), self.value(right));
        match (&left.data, &right.data) {
            (Data::Unknown(why), _) | (_, Data::Unknown(why)) => Err(why.clone()),
            _ => Ok(left.as_text() == right.as_text()),
        }
    }

    /// One that decides is enough, even where another is not known.
    fn combine(&self, items: &[Node], decisive: bool) -> Truth {
        let truths: Vec<_> = items.iter().map(|item| self.condition(item)).collect();
        if truths.contains(&Ok(decisive)) {
            return Ok(decisive);
        }
        truths.into_iter().find(Result::is_err).unwrap_or(Ok(!decisive))
    }
}

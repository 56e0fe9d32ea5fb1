//! Conditions: true, false, or unknown with the reason.
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html>

use crate::glob::glob;
use crate::template::evaluate::resolve::Resolver;
use crate::template::evaluate::value::{Data, Value};
use crate::template::syntax::node::{Node, NodeKind};

/// The truth of a condition, or why it is unknown.
pub(crate) type Truth = Result<bool, String>;

impl Resolver<'_> {
    /// Evaluates the condition of this name.
    pub(crate) fn named_condition(&self, name: &str) -> Truth {
        let body = self.stack.condition(name).ok_or_else(|| format!("there is no condition {name}"))?;
        self.deeper().ok_or_else(|| format!("condition {name} refers to itself"))?.condition(body)
    }

    pub(crate) fn condition(&self, node: &Node) -> Truth {
        match &node.kind {
            NodeKind::Bool(value) => Ok(*value),
            NodeKind::Text(text) if matches!(text.as_str(), "true" | "false") => Ok(text == "true"),
            NodeKind::Call(name, argument) => self.call_condition(name, argument),
            // The long form of a reference.
            NodeKind::Map(entries) => match entries.as_slice() {
                [(key, Node { kind: NodeKind::Text(name), .. })] if key == "Condition" => self.named_condition(name),
                _ => Err(format!("line {}: is not a condition", node.line)),
            },
            _ => Err(format!("line {}: is not a condition", node.line)),
        }
    }

    fn call_condition(&self, name: &str, argument: &Node) -> Truth {
        match (name, &argument.kind) {
            ("Condition", NodeKind::Text(name)) => self.named_condition(name),
            ("Equals", NodeKind::List(sides)) => self.equals(sides),
            ("Not", NodeKind::List(items)) => match items.as_slice() {
                [only] => Ok(!self.condition(only)?),
                _ => Err(format!("line {}: !Not takes one condition", argument.line)),
            },
            ("Contains", NodeKind::List(sides)) => self.contains(sides),
            ("EachMemberEquals" | "EachMemberIn", NodeKind::List(sides)) => self.each_member(sides),
            ("And", NodeKind::List(items)) => self.combine(items, false),
            ("Or", NodeKind::List(items)) => self.combine(items, true),
            _ => Err(format!("line {}: !{name} is not a condition", argument.line)),
        }
    }

    fn equals(&self, sides: &[Node]) -> Truth {
        let [left, right] = sides else { return Err("!Equals takes two values".to_owned()) };
        let placeholder = [left, right].into_iter().find_map(|side| self.placeholder(side));
        let (left, right) = (self.value(left), self.value(right));
        if let Some(why) = placeholder.filter(|_| self.may_be_equal(&left, &right)) {
            return Err(why);
        }
        match (&left.data, &right.data) {
            (Data::Unknown(reason), _) | (_, Data::Unknown(reason)) => Err(reason.why.clone()),
            (Data::List(_) | Data::Map(_), _) | (_, Data::List(_) | Data::Map(_)) => Ok(left.is_same(&right)),
            _ => Ok(left.as_text() == right.as_text()),
        }
    }

    /// Whether two texts are equal for some account, Region and name of the stack: an ARN never equals `all`.
    fn may_be_equal(&self, left: &Value, right: &Value) -> bool {
        let (left, right) = (left.as_pattern(), right.as_pattern());
        let widest = |text: &str| self.stack.location.widest(text);
        glob(&widest(&left), &right) || glob(&widest(&right), &left)
    }

    /// Only in rules. Source:
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-rules.html>
    fn contains(&self, sides: &[Node]) -> Truth {
        let [list, wanted] = sides else { return Err("!Contains takes a list and a value".to_owned()) };
        let (list, wanted) = (self.value(list), self.value(wanted));
        match (&list.data, &wanted.data) {
            (Data::Unknown(reason), _) | (_, Data::Unknown(reason)) => Err(reason.why.clone()),
            _ => Ok(list.as_items().iter().any(|item| item.as_text() == wanted.as_text())),
        }
    }

    /// Only in rules: whether every item of the first list equals the text, or is in the list.
    fn each_member(&self, sides: &[Node]) -> Truth {
        let [list, allowed] = sides else { return Err("!EachMemberIn takes two values".to_owned()) };
        let (list, allowed) = (self.value(list), self.value(allowed));
        match (&list.data, &allowed.data) {
            (Data::Unknown(reason), _) | (_, Data::Unknown(reason)) => Err(reason.why.clone()),
            _ => {
                let is_allowed = |item: &&Value| allowed.as_items().iter().any(|one| one.as_text() == item.as_text());
                Ok(list.as_items().iter().all(is_allowed))
            }
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

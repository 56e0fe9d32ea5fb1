//! The tree of a template's text. Intrinsic functions have one form, whether written short (`!Ref X`) or long (`Ref: X`,
//! `Fn::Sub: …`).
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>

/// A value and the line where it begins; for a value under a key, the line of the key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) kind: NodeKind,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum NodeKind {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
    /// An intrinsic function: its name without `Fn::`, and its argument.
    Call(String, Box<Node>),
}

/// The prefix of a loop's key. Source:
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html>
pub(crate) const LOOP: &str = "Fn::ForEach::";

/// Turns `{Ref: X}` and `{Fn::Name: …}` into calls. `{Condition: X}` is a call only where a condition is expected.
pub(crate) fn long_form(mut entries: Vec<(String, Node)>) -> NodeKind {
    let is_call = |name: &str| name == "Ref" || name.starts_with("Fn::") && !name.starts_with(LOOP);
    if entries.len() == 1 && entries.first().is_some_and(|(name, _)| is_call(name)) {
        let (name, argument) = entries.remove(0);
        let name = name.strip_prefix("Fn::").unwrap_or(&name).to_owned();
        return NodeKind::Call(name, Box::new(argument));
    }
    NodeKind::Map(entries)
}

impl Node {
    /// Returns the value under a key of a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Returns the entries of a map; any other value has no entries.
    pub(crate) fn entries(&self) -> &[(String, Self)] {
        match &self.kind {
            NodeKind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// Returns the items of a list; any other value has no items.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.kind {
            NodeKind::List(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Text(text) => Some(text),
            _ => None,
        }
    }
}

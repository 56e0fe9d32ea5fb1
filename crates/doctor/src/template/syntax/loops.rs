//! `Fn::ForEach` of the transform `AWS::LanguageExtensions`: one copy of its body for each value of its collection.
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html>

use super::node::{LOOP, Node, NodeKind};

/// The maximum number of nodes that the loops of one template may create.
const MAX_NODES: usize = 200_000;

/// Returns the texts of a collection, or why they are unknown.
pub(crate) type Collection<'a> = &'a dyn Fn(&Node) -> Result<Vec<String>, String>;

/// Expands the loops below a node. A loop whose collection is unknown stays, and the reason is added to `problems`.
pub(crate) fn expand(node: Node, collection: Collection<'_>, problems: &mut Vec<(String, String)>) -> Node {
    Expansion { collection, problems, left: MAX_NODES }.node(node)
}

/// Returns whether a node has a loop in it.
pub(crate) fn has_loops(node: &Node) -> bool {
    match &node.kind {
        NodeKind::List(items) => items.iter().any(has_loops),
        NodeKind::Map(entries) => entries.iter().any(|(key, node)| key.starts_with(LOOP) || has_loops(node)),
        NodeKind::Call(_, argument) => has_loops(argument),
        _ => false,
    }
}

struct Expansion<'a> {
    collection: Collection<'a>,
    problems: &'a mut Vec<(String, String)>,
    left: usize,
}

impl Expansion<'_> {
    fn node(&mut self, node: Node) -> Node {
        let kind = match node.kind {
            NodeKind::List(items) => NodeKind::List(items.into_iter().map(|item| self.node(item)).collect()),
            NodeKind::Call(name, argument) => NodeKind::Call(name, Box::new(self.node(*argument))),
            NodeKind::Map(entries) => NodeKind::Map(self.entries(entries)),
            other => other,
        };
        Node { line: node.line, kind }
    }

    fn entries(&mut self, entries: Vec<(String, Node)>) -> Vec<(String, Node)> {
        let mut expanded = Vec::new();
        for (key, value) in entries {
            if !key.starts_with(LOOP) {
                expanded.push((key, self.node(value)));
                continue;
            }
            match self.copies(&value) {
                Ok(copies) => expanded.extend(self.entries(copies)),
                Err(why) => {
                    self.problems.push((key.clone(), why));
                    expanded.push((key, value));
                }
            }
        }
        expanded
    }

    fn copies(&mut self, value: &Node) -> Result<Vec<(String, Node)>, String> {
        let [identifier, collection, body] = value.items() else {
            return Err(format!("line {}: Fn::ForEach takes an identifier, a collection and a map", value.line));
        };
        let identifier = identifier.text().ok_or("Fn::ForEach takes the name of its identifier")?;
        let mut copies = Vec::new();
        for text in (self.collection)(collection)? {
            for (key, node) in body.entries() {
                let size = size(node);
                self.left = self.left.checked_sub(size).ok_or("its loops make too many values")?;
                copies.push((replaced(key, identifier, &text), substituted(node, identifier, &text)));
            }
        }
        Ok(copies)
    }
}

fn size(node: &Node) -> usize {
    1 + match &node.kind {
        NodeKind::List(items) => items.iter().map(size).sum(),
        NodeKind::Map(entries) => entries.iter().map(|(_, node)| size(node)).sum(),
        NodeKind::Call(_, argument) => size(argument),
        _ => 0,
    }
}

/// `${Name}` is the value, and `&{Name}` has only its letters and digits.
fn replaced(text: &str, identifier: &str, value: &str) -> String {
    let plain: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
    text.replace(&format!("${{{identifier}}}"), value).replace(&format!("&{{{identifier}}}"), &plain)
}

fn substituted(node: &Node, identifier: &str, value: &str) -> Node {
    let below = |node: &Node| substituted(node, identifier, value);
    let kind = match &node.kind {
        NodeKind::Text(text) => NodeKind::Text(replaced(text, identifier, value)),
        NodeKind::List(items) => NodeKind::List(items.iter().map(below).collect()),
        NodeKind::Call(name, argument) if name == "Ref" && argument.text() == Some(identifier) => {
            NodeKind::Text(value.to_owned())
        }
        NodeKind::Call(name, argument) => NodeKind::Call(name.clone(), Box::new(below(argument))),
        NodeKind::Map(entries) => {
            NodeKind::Map(entries.iter().map(|(key, node)| (replaced(key, identifier, value), below(node))).collect())
        }
        other => other.clone(),
    };
    Node { line: node.line, kind }
}

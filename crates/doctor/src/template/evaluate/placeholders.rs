//! Values that depend on a placeholder (the account, the Region or the stack's name), and mappings that are looked up by one.

use crate::template::evaluate::resolve::{Resolver, text_of};
use crate::template::evaluate::value::Value;
use crate::template::syntax::node::{Node, NodeKind};

impl Resolver<'_> {
    pub(super) fn find_in_map(&self, parts: &[Node]) -> Result<Value, String> {
        let [map, top, second, options @ ..] = parts else { return Err("!FindInMap takes three names".to_owned()) };
        let default = options.first().and_then(|options| options.get("DefaultValue"));
        let name = |node: &Node| text_of(&self.value(node));
        let map = name(map)?;
        if let Some(why) = self.placeholder(second) {
            return Err(why);
        }
        let second = name(second)?;
        let rows = self.stack.mapping(&map).map_or(&[][..], Node::entries);
        if let Some(why) = self.placeholder(top) {
            return self.find_in_any_row(&map, rows, &second, default, why);
        }
        let top = name(top)?;
        let row = rows.iter().find(|(name, _)| *name == top).map(|(_, row)| row);
        let found = row.and_then(|row| row.get(&second)).or(default);
        found.map(|node| self.value(node)).ok_or_else(|| format!("!FindInMap: {map} has no {top}, {second}"))
    }

    /// Where the row depends on a placeholder: the value that all rows have, or else the default, which holds for every row
    /// that the mapping does not name.
    fn find_in_any_row(
        &self,
        map: &str,
        rows: &[(String, Node)],
        second: &str,
        default: Option<&Node>,
        why: String,
    ) -> Result<Value, String> {
        let named: Vec<_> =
            rows.iter().filter_map(|(row, values)| Some((row, self.value(values.get(second)?)))).collect();
        let (expected, others) = match (default, named.split_first()) {
            (Some(default), _) => (self.value(default), named.as_slice()),
            (None, Some(((_, first), others))) => (first.clone(), others),
            (None, None) => return Err(why),
        };
        let differing: Vec<_> =
            others.iter().filter(|(_, value)| !value.is_same(&expected)).map(|(row, _)| row.as_str()).collect();
        match (default, differing.as_slice()) {
            (_, []) => Ok(expected),
            (Some(_), rows) => {
                let rows = rows.join(", ");
                self.stack
                    .assume(format!("mapping {map} has another {second} for {rows}, the default was taken: {why}"));
                Ok(expected)
            }
            (None, _) => Err(why),
        }
    }

    /// Returns why a value is a placeholder, if it depends on one: the account or the Region where they are not given, and
    /// the stack's name.
    pub(crate) fn placeholder(&self, node: &Node) -> Option<String> {
        match &node.kind {
            NodeKind::Call(name, argument) => match (name.as_str(), &argument.kind) {
                ("Ref", NodeKind::Text(id)) => self.stack.placeholder(id),
                ("GetAtt", _) => {
                    self.stack.placeholder("AWS::Region").or_else(|| self.stack.placeholder("AWS::AccountId"))
                }
                ("Sub", NodeKind::Text(text)) => self.placeholder_in(text),
                ("Sub", NodeKind::List(parts)) => {
                    let text = parts.first().and_then(Node::text).and_then(|text| self.placeholder_in(text));
                    text.or_else(|| parts.iter().find_map(|part| self.placeholder(part)))
                }
                // A lookup is already unknown if its row is unknown.
                ("FindInMap", _) => None,
                _ => self.placeholder(argument),
            },
            NodeKind::List(items) => items.iter().find_map(|item| self.placeholder(item)),
            NodeKind::Map(entries) => entries.iter().find_map(|(_, node)| self.placeholder(node)),
            _ => None,
        }
    }

    fn placeholder_in(&self, text: &str) -> Option<String> {
        let names = text.split("${").skip(1).filter_map(|rest| rest.split_once('}'));
        names.into_iter().find_map(|(name, _)| self.stack.placeholder(name.trim()))
    }
}

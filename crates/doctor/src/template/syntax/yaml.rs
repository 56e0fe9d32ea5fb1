//! Reads YAML, and JSON, which is YAML, into nodes. Anchors, aliases and merge keys (`<<`) are expanded, as
//! `aws cloudformation package` and cfn-lint expand them. Nesting and expansion are bounded.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, Tag};

use super::node::{Node, NodeKind, long_form};

/// The deepest nesting that is read. CloudFormation's own limits stay far below.
const MAX_DEPTH: usize = 100;

/// The most nodes of a template, aliases expanded.
const MAX_NODES: usize = 200_000;

/// Reads one document; the error says where the text is wrong.
pub(crate) fn parse(text: &str) -> Result<Node, String> {
    let mut builder = Builder::default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| invalid(&error))?;
        builder.take(event, span)?;
    }
    builder.document.map(|tree| tree.node).ok_or_else(|| "is empty".to_owned())
}

fn invalid(error: &ScanError) -> String {
    let (line, column) = (error.marker().line(), error.marker().col() + 1);
    if *error.kind() == ErrorKind::RecursionLimitExceeded {
        return too_deep(line);
    }
    format!("is not valid YAML: line {line}, column {column}: {}", error.info())
}

/// A finished node with its size in nodes and its depth.
#[derive(Debug, Clone)]
struct Tree {
    node: Node,
    size: usize,
    depth: usize,
}

/// A list or a map that is not finished.
struct OpenNode<'a> {
    line: usize,
    anchor: usize,
    tag: Option<Cow<'a, Tag>>,
    size: usize,
    depth: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<(String, Node)>, names: BTreeSet<String>, key: Option<(String, usize)>, merged: Vec<Node> },
}

#[derive(Default)]
struct Builder<'a> {
    open: Vec<OpenNode<'a>>,
    anchors: BTreeMap<usize, Tree>,
    document: Option<Tree>,
    expanded: usize,
}

impl<'a> Builder<'a> {
    fn take(&mut self, event: Event<'a>, span: Span) -> Result<(), String> {
        let line = span.start.line();
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let node = scalar(&text, style, tag.as_deref(), line);
                self.finish(Tree { node, size: 1, depth: 1 }, anchor)
            }
            Event::SequenceStart(_, anchor, tag) => self.begin(line, anchor, tag, Content::List(Vec::new())),
            Event::MappingStart(_, anchor, tag) => {
                let (entries, names, merged) = (Vec::new(), BTreeSet::new(), Vec::new());
                self.begin(line, anchor, tag, Content::Map { entries, names, key: None, merged })
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.close(open),
                None => Ok(()),
            },
            Event::Alias(anchor) => self.alias(anchor, line),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, line: usize, anchor: usize, tag: Option<Cow<'a, Tag>>, content: Content) -> Result<(), String> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(line));
        }
        self.open.push(OpenNode { line, anchor, tag, size: 1, depth: 1, content });
        Ok(())
    }

    fn close(&mut self, open: OpenNode<'a>) -> Result<(), String> {
        let kind = match open.content {
            Content::List(items) => NodeKind::List(items),
            Content::Map { entries, names, merged, .. } => long_form(merge(entries, names, merged)),
        };
        let node = tagged(open.tag.as_deref(), Node { line: open.line, kind });
        self.finish(Tree { node, size: open.size, depth: open.depth }, open.anchor)
    }

    fn alias(&mut self, anchor: usize, line: usize) -> Result<(), String> {
        let Some(tree) = self.anchors.get(&anchor) else {
            return Err(format!("line {line}: an alias inside the value that it names"));
        };
        self.expanded += tree.size;
        if self.expanded > MAX_NODES {
            return Err(format!("line {line}: its aliases expand to more than {MAX_NODES} values"));
        }
        let tree = Tree { node: Node { line, ..tree.node.clone() }, ..*tree };
        self.finish(tree, 0)
    }

    fn finish(&mut self, tree: Tree, anchor: usize) -> Result<(), String> {
        if anchor > 0 {
            self.anchors.insert(anchor, tree.clone());
        }
        let Some(open) = self.open.last_mut() else {
            if self.document.is_some() {
                return Err(format!("line {}: expected one document, found a second", tree.node.line));
            }
            self.document = Some(tree);
            return Ok(());
        };
        open.size += tree.size;
        open.depth = open.depth.max(tree.depth + 1);
        if self.open.len() + tree.depth > MAX_DEPTH {
            return Err(too_deep(tree.node.line));
        }
        self.open.last_mut().map_or(Ok(()), |open| open.content.add(tree.node))
    }
}

fn too_deep(line: usize) -> String {
    format!("line {line}: nested deeper than {MAX_DEPTH} levels")
}

impl Content {
    fn add(&mut self, node: Node) -> Result<(), String> {
        let (entries, names, key, merged) = match self {
            Self::List(items) => {
                items.push(node);
                return Ok(());
            }
            Self::Map { entries, names, key, merged } => (entries, names, key, merged),
        };
        match key.take() {
            None => *key = Some((key_text(&node)?, node.line)),
            Some((name, _)) if name == "<<" => merged.push(node),
            Some((name, line)) => {
                if !names.insert(name.clone()) {
                    return Err(format!("line {line}: duplicate key {name}"));
                }
                entries.push((name, Node { line, ..node }));
            }
        }
        Ok(())
    }
}

/// Own entries come before merged ones, and earlier merged maps before later ones.
/// Source: <https://yaml.org/type/merge.html>
fn merge(mut entries: Vec<(String, Node)>, mut names: BTreeSet<String>, merged: Vec<Node>) -> Vec<(String, Node)> {
    for node in merged {
        let maps = if let NodeKind::List(items) = node.kind { items } else { vec![node] };
        for (name, value) in maps.into_iter().flat_map(into_entries) {
            if names.insert(name.clone()) {
                entries.push((name, value));
            }
        }
    }
    entries
}

fn into_entries(node: Node) -> Vec<(String, Node)> {
    match node.kind {
        NodeKind::Map(entries) => entries,
        NodeKind::Call(name, argument) if name == "Ref" => vec![(name, *argument)],
        NodeKind::Call(name, argument) => vec![(format!("Fn::{name}"), *argument)],
        _ => Vec::new(),
    }
}

fn key_text(node: &Node) -> Result<String, String> {
    match &node.kind {
        NodeKind::Text(text) => Ok(text.clone()),
        NodeKind::Number(number) => Ok(number.to_string()),
        NodeKind::Bool(value) => Ok(value.to_string()),
        NodeKind::Null => Ok(String::new()),
        NodeKind::List(_) | NodeKind::Map(_) | NodeKind::Call(..) => {
            Err(format!("line {}: a key that is not a text", node.line))
        }
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, line: usize) -> Node {
    let is_text = style != ScalarStyle::Plain || tag.is_some_and(|tag| !tag.is_yaml_core_schema_tag("null"));
    let kind = if is_text { NodeKind::Text(text.to_owned()) } else { plain(text) };
    tagged(tag, Node { line, kind })
}

/// The core schema of YAML 1.2. A number with a leading zero stays a text, because it may be an account id.
fn plain(text: &str) -> NodeKind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => NodeKind::Null,
        "true" | "True" | "TRUE" => NodeKind::Bool(true),
        "false" | "False" | "FALSE" => NodeKind::Bool(false),
        _ => number(text).map_or_else(|| NodeKind::Text(text.to_owned()), NodeKind::Number),
    }
}

fn number(text: &str) -> Option<serde_json::Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let begins_like_one = digits.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    if !begins_like_one || digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.") {
        return None;
    }
    let whole: Option<i64> = text.parse().ok();
    whole.map(Into::into).or_else(|| serde_json::Number::from_f64(text.parse().ok()?))
}

/// Turns a tag of CloudFormation into an intrinsic function; YAML's own tags are types.
fn tagged(tag: Option<&Tag>, node: Node) -> Node {
    match tag {
        Some(tag) if !tag.is_yaml_core_schema() => {
            Node { line: node.line, kind: NodeKind::Call(tag.suffix().to_owned(), Box::new(node)) }
        }
        _ => node,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: usize, text: &str) -> Node {
        Node { line, kind: NodeKind::Text(text.to_owned()) }
    }

    #[test]
    fn short_and_long_forms_are_the_same_and_lines_are_kept() {
        let short = parse("a:\n  !Sub x\nb: !GetAtt [y, Arn]").unwrap();
        assert_eq!(short.get("a").unwrap().kind, NodeKind::Call("Sub".to_owned(), Box::new(text(2, "x"))));
        let NodeKind::Call(name, argument) = &short.get("b").unwrap().kind else { panic!("{short:?}") };
        assert_eq!((name.as_str(), &argument.kind), ("GetAtt", &NodeKind::List(vec![text(3, "y"), text(3, "Arn")])));
        let long = parse(r#"{"a": {"Fn::Sub": "x"}, "c": {"Ref": "z"}}"#).unwrap();
        assert_eq!(long.get("a").unwrap().kind, NodeKind::Call("Sub".to_owned(), Box::new(text(1, "x"))));
    }

    #[test]
    fn plain_scalars_are_typed_and_account_ids_keep_their_zero() {
        let list = parse("[1, -2, 1.5, true, ~, 012345678901, 0, '1', !!str 1, .5, 1e3, a1, 1.4.0]").unwrap();
        let number = |number: f64| NodeKind::Number(serde_json::Number::from_f64(number).unwrap());
        let text = |text: &str| NodeKind::Text(text.to_owned());
        let kinds: Vec<_> = list.items().iter().map(|item| item.kind.clone()).collect();
        let expected = [
            NodeKind::Number(1.into()),
            NodeKind::Number((-2).into()),
            number(1.5),
            NodeKind::Bool(true),
            NodeKind::Null,
            text("012345678901"),
            NodeKind::Number(0.into()),
            text("1"),
            text("1"),
            number(0.5),
            number(1000.0),
            text("a1"),
            text("1.4.0"),
        ];
        assert_eq!(kinds, expected);
    }

    #[test]
    fn merged_maps_yield_to_own_entries_and_to_earlier_ones() {
        let tree = parse("x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], a: 3}").unwrap();
        let entries: Vec<_> =
            tree.get("z").unwrap().entries().iter().map(|(name, node)| (name.as_str(), &node.kind)).collect();
        let number = |number: i64| NodeKind::Number(number.into());
        assert_eq!(entries, [("a", &number(3)), ("b", &number(1)), ("c", &number(2))]);
    }

    #[test]
    fn surrogate_pairs_of_json_are_one_character() {
        assert_eq!(parse(r#"["\ud83d\ude80"]"#).unwrap().items(), [text(1, "🚀")]);
    }

    #[test]
    fn what_is_not_a_document_is_refused_with_its_line() {
        let deep = "[".repeat(100_000);
        let dashes = "- ".repeat(100_000);
        let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let alias = format!("*a{}", level - 1);
            laughs += &format!("a{level}: &a{level} [{}]\n", [alias.as_str(); 10].join(", "));
        }
        let table = [
            ("a: [", "not valid YAML: line"),
            ("", "is empty"),
            ("a\n---\nb", "line 3: expected one document"),
            ("a: 1\na: 2", "line 2: duplicate key a"),
            ("? [a]\n: b", "line 1: a key that is not a text"),
            ("a: &a [*a]", "line 1: an alias inside"),
            ("a: *b", "not valid YAML: line 1"),
            (&deep, "nest"),
            (&dashes, "nest"),
            (&laughs, "expand to more than"),
        ];
        for (text, expected) in table {
            let error = parse(text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}

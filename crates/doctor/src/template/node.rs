//! The tree of a template's text: values with their lines, and intrinsic functions in one form, whether they were written
//! short (`!Ref X`) or long (`Ref: X`, `Fn::Sub: …`). JSON is YAML, and is read the same way.
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>

use saphyr::{LoadableYamlNode as _, MarkedYaml, Scalar, YamlData};

/// The deepest nesting that is read. CloudFormation's own templates stay far below.
const DEEPEST: usize = 100;

/// A value and the line where it begins; of a value under a key, where the key stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
    /// An intrinsic function, by its name without `Fn::`, and its argument.
    Call(String, Box<Node>),
}

/// Reads the text of one document; the error says where it is none.
pub(crate) fn parse(text: &str) -> Result<Node, String> {
    if nesting(text) > DEEPEST * 2 {
        return Err(format!("it is nested deeper than {DEEPEST} levels"));
    }
    let documents = MarkedYaml::load_from_str(text).map_err(|error| format!("it is no YAML: {error}"))?;
    match documents.as_slice() {
        [document] => convert(document, 0, 1),
        [] => Err("it is empty".to_owned()),
        more => Err(format!("expected one document, found {}", more.len())),
    }
}

/// An upper bound of how deep brackets and indentation nest.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'\n' => {}
            _ => continue,
        }
        deepest = deepest.max(depth);
    }
    let dashes = |line: &str| line.bytes().take_while(|byte| matches!(byte, b' ' | b'-' | b'?' | b':')).count();
    deepest.max(text.lines().map(dashes).max().unwrap_or_default() / 4)
}

/// What is below a tag has no line of its own: it has that of the tag.
fn convert(yaml: &MarkedYaml<'_>, depth: usize, parent: usize) -> Result<Node, String> {
    let line = Some(yaml.span.start.line()).filter(|line| *line > 0).unwrap_or(parent);
    if depth > DEEPEST {
        return Err(format!("line {line}: it is nested deeper than {DEEPEST} levels"));
    }
    let kind = match &yaml.data {
        YamlData::Value(scalar) => scalar_kind(scalar),
        YamlData::Sequence(items) => {
            Kind::List(items.iter().map(|item| convert(item, depth + 1, line)).collect::<Result<_, _>>()?)
        }
        YamlData::Mapping(entries) => {
            let entry = |(key, value): (&MarkedYaml<'_>, &MarkedYaml<'_>)| {
                let line = key.span.start.line();
                let node = convert(value, depth + 1, line)?;
                Ok((key_text(key)?, Node { line, ..node }))
            };
            long_form(entries.iter().map(entry).collect::<Result<_, String>>()?)
        }
        YamlData::Tagged(tag, inner) => Kind::Call(tag.suffix.clone(), Box::new(convert(inner, depth + 1, line)?)),
        YamlData::Representation(..) | YamlData::Alias(_) | YamlData::BadValue => {
            return Err(format!("line {line}: a value that cannot be read"));
        }
    };
    Ok(Node { line, kind })
}

fn scalar_kind(scalar: &Scalar<'_>) -> Kind {
    match scalar {
        Scalar::Null => Kind::Null,
        Scalar::Boolean(value) => Kind::Bool(*value),
        Scalar::Integer(value) => Kind::Number((*value).into()),
        Scalar::FloatingPoint(value) => {
            serde_json::Number::from_f64(value.into_inner()).map_or(Kind::Null, Kind::Number)
        }
        Scalar::String(text) => Kind::Text(text.to_string()),
    }
}

fn key_text(key: &MarkedYaml<'_>) -> Result<String, String> {
    match &key.data {
        YamlData::Value(Scalar::String(text)) => Ok(text.to_string()),
        YamlData::Value(Scalar::Integer(number)) => Ok(number.to_string()),
        YamlData::Value(Scalar::Boolean(value)) => Ok(value.to_string()),
        _ => Err(format!("line {}: a key that is no text", key.span.start.line())),
    }
}

/// `{Ref: X}` and `{Fn::Name: …}` are calls. `Condition` alone is one only where a condition is expected.
fn long_form(mut entries: Vec<(String, Node)>) -> Kind {
    let is_call = |name: &str| name == "Ref" || name.starts_with("Fn::");
    if entries.len() == 1 && entries.first().is_some_and(|(name, _)| is_call(name)) {
        let (name, argument) = entries.remove(0);
        let name = name.strip_prefix("Fn::").unwrap_or(&name).to_owned();
        return Kind::Call(name, Box::new(argument));
    }
    Kind::Map(entries)
}

impl Node {
    /// The value under a key of a map.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The entries of a map; none of anything else.
    pub(crate) fn entries(&self) -> &[(String, Self)] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(line: usize, text: &str) -> Node {
        Node { line, kind: Kind::Text(text.to_owned()) }
    }

    #[test]
    fn short_and_long_forms_are_the_same_and_lines_are_kept() {
        let short = parse("a:\n  !Sub x\nb: !GetAtt [y, Arn]").unwrap();
        assert_eq!(short.get("a").unwrap().kind, Kind::Call("Sub".to_owned(), Box::new(text(2, "x"))));
        let Kind::Call(name, argument) = &short.get("b").unwrap().kind else { panic!("{short:?}") };
        assert_eq!((name.as_str(), &argument.kind), ("GetAtt", &Kind::List(vec![text(3, "y"), text(3, "Arn")])));
        let long = parse(r#"{"a": {"Fn::Sub": "x"}, "c": {"Ref": "z"}}"#).unwrap();
        assert_eq!(long.get("a").unwrap().kind, Kind::Call("Sub".to_owned(), Box::new(text(1, "x"))));
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let deep = "[".repeat(100_000);
        let dashes = "- ".repeat(100_000);
        let table = [("a: [", "no YAML"), ("", "empty"), ("a\n---\nb", "found 2"), ("a: 1\na: 2", "no YAML")];
        for (text, expected) in table.into_iter().chain([(deep.as_str(), "nested deeper"), (&dashes, "nested deeper")])
        {
            let error = parse(text).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}

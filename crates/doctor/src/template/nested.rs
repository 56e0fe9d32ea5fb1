//! Loads the templates of nested stacks, where they are files.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::model::root::Unread;
use crate::model::setting::Setting;
use crate::template::assembly;
use crate::template::evaluate::resolve::Resolver;
use crate::template::evaluate::rules;
use crate::template::evaluate::stack::{Given, Stack};
use crate::template::evaluate::value::{Data, Value};
use crate::template::syntax::node::{Node, NodeKind};
use crate::template::syntax::parse;

/// Returns the text of a file.
pub(crate) type Load<'a> = &'a dyn Fn(&Path) -> io::Result<String>;

/// How deep stacks may be nested.
const MAX_DEPTH: usize = 5;

/// How many stacks are read in all.
const MAX_STACKS: usize = 500;

const KINDS: [&str; 2] = ["AWS::CloudFormation::Stack", "AWS::Serverless::Application"];

/// Loads nested stacks.
pub(crate) struct Loader<'a> {
    pub(crate) load: Load<'a>,
    /// What could not be read.
    pub(crate) unread: Vec<Unread>,
    /// The files of nested stacks.
    pub(crate) files: BTreeSet<PathBuf>,
    stacks: usize,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(load: Load<'a>) -> Self {
        Self { load, unread: Vec::new(), files: BTreeSet::new(), stacks: 0 }
    }

    /// Loads the stacks nested in a stack, and those nested in them. A stack whose parameters use the outputs of another one is
    /// loaded after it.
    pub(crate) fn nest(&mut self, stack: &mut Stack, ancestors: &[PathBuf]) {
        let bodies = stack.resources().iter();
        let mut waiting: Vec<(String, Node)> = bodies
            .filter(|(_, body)| body.get("Type").and_then(Node::text).is_some_and(|kind| KINDS.contains(&kind)))
            .cloned()
            .collect();
        while !waiting.is_empty() {
            let ids: Vec<_> = waiting.iter().map(|(id, _)| id.clone()).collect();
            let is_ready = |body: &Node| !ids.iter().any(|id| uses_output(body, id, &format!("{id}.Outputs.")));
            // If no stack is ready, they use each other's outputs, which are then unknown.
            let next = waiting.iter().position(|(_, body)| is_ready(body)).unwrap_or_default();
            let (id, body) = waiting.remove(next);
            self.nest_one(stack, &id, &body, ancestors);
        }
    }

    fn nest_one(&mut self, stack: &mut Stack, id: &str, body: &Node, ancestors: &[PathBuf]) {
        let condition = body.get("Condition").and_then(Node::text);
        if condition.is_some_and(|name| Resolver::new(stack).named_condition(name) == Ok(false)) {
            return;
        }
        let subject = format!("nested stack {}{id}", stack.prefix);
        let child = self.child(stack, id, body, ancestors).and_then(|mut child| {
            self.unread.extend(rules::check(&child)?);
            let ancestors = [ancestors, &[child.file.clone()]].concat();
            self.nest(&mut child, &ancestors);
            Ok(child)
        });
        match child {
            Ok(child) => _ = stack.children.insert(id.to_owned(), child),
            Err(why) => self.unread.push(Unread { subject, why }),
        }
    }

    fn child(&mut self, parent: &Stack, id: &str, body: &Node, ancestors: &[PathBuf]) -> Result<Stack, String> {
        let file = self.file(parent, body)?;
        self.stacks += 1;
        if ancestors.contains(&file) || ancestors.len() > MAX_DEPTH || self.stacks > MAX_STACKS {
            return Err(format!("{} is nested in itself, or too deep", file.display()));
        }
        let text = (self.load)(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        let template = parse(&text).map_err(|error| format!("{} {error}", file.display()))?;
        self.files.insert(file.clone());
        let given = given(parent, body);
        let mut child = Stack::new(&file, format!("{}{id}/", parent.prefix), template, parent.location.clone(), given);
        child.imports.clone_from(&parent.imports);
        Ok(child)
    }

    /// The file of a nested stack's template: a path, or the asset that the CDK notes beside it.
    /// Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-cdk-testing.html>
    fn file(&self, parent: &Stack, body: &Node) -> Result<PathBuf, String> {
        let folder = parent.file.parent().unwrap_or(Path::new(""));
        let asset = body.get("Metadata").and_then(|metadata| metadata.get("aws:asset:path")).and_then(Node::text);
        if let Some(asset) = asset {
            return Ok(tidy(&folder.join(asset)));
        }
        let resolver = Resolver::new(parent);
        let property = |name| body.get("Properties").and_then(|all| all.get(name)).map(|node| resolver.value(node));
        let location = property("TemplateURL").or_else(|| property("Location")).ok_or("it names no template")?;
        match location.as_text() {
            Setting::Set(url) if url.contains("://") => {
                let asset = assembly::asset(&parent.file, &url, self.load);
                asset.ok_or_else(|| format!("its template is at {url}: give that file to --template"))
            }
            Setting::Set(path) => Ok(tidy(&folder.join(path))),
            Setting::Default => Err("it names no template".to_owned()),
            Setting::Unknown(why) => Err(why),
        }
    }
}

/// The parameters that a nested stack is given.
fn given(parent: &Stack, body: &Node) -> BTreeMap<String, Given> {
    let resolver = Resolver::new(parent);
    let parameters = body.get("Properties").and_then(|properties| properties.get("Parameters"));
    let entries = parameters.map_or(&[][..], Node::entries).iter();
    let given = entries.map(|(name, node)| {
        (name.clone(), Given { value: joined(resolver.value(node)), placeholder: resolver.placeholder(node) })
    });
    given.filter(|(_, given)| given.value.data != Data::Nothing).collect()
}

/// A list parameter of a nested stack is a text with commas.
fn joined(value: Value) -> Value {
    match value.texts_of_list() {
        Some(texts) => Value::text_of(value.line, texts.join(",")),
        None => value,
    }
}

/// Whether a body uses an output of a stack, as `!GetAtt ID.Outputs.X`, as its list, or in a `!Sub`.
fn uses_output(node: &Node, id: &str, prefix: &str) -> bool {
    match &node.kind {
        NodeKind::Text(text) => text.contains(prefix),
        NodeKind::List(items) => {
            let is_pair = |pair: &[Node]| pair.len() == 2 && pair.first().and_then(Node::text) == Some(id);
            is_pair(items) || items.iter().any(|item| uses_output(item, id, prefix))
        }
        NodeKind::Map(entries) => entries.iter().any(|(_, node)| uses_output(node, id, prefix)),
        NodeKind::Call(_, argument) => uses_output(argument, id, prefix),
        _ => false,
    }
}

/// Removes `.` from a path and, if possible, `..`.
pub(crate) fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if tidy.file_name().is_some() => _ = tidy.pop(),
            other => tidy.push(other),
        }
    }
    tidy
}

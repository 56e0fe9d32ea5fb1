//! The resources of a template and of the stacks nested in it, with their values resolved.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::model::root::{Place, Unread};
use crate::model::setting::Fact;

use crate::template::names;
use crate::template::node::{self, Node};
use crate::template::resolve::Resolver;
use crate::template::stack::Stack;
use crate::template::value::{Data, Value};

/// How deep stacks may be nested here.
const DEEPEST: usize = 5;

/// Gives the text of a file.
pub(crate) type Load<'a> = &'a dyn Fn(&Path) -> io::Result<String>;

/// A resource.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub(crate) kind: String,
    pub(crate) place: Place,
    pub(crate) name: String,
    /// What `!Ref` gives.
    pub(crate) reference: String,
    /// Its ARN, where it has one that matters here.
    pub(crate) arn: String,
    pub(crate) properties: Value,
}

/// All resources.
#[derive(Debug, Default)]
pub(crate) struct Resources {
    pub(crate) all: Vec<Resource>,
    pub(crate) unread: Vec<Unread>,
}

impl Resources {
    /// Those of a kind.
    pub(crate) fn of<'a>(&'a self, kinds: &'a [&'a str]) -> impl Iterator<Item = &'a Resource> {
        self.all.iter().filter(|resource| kinds.contains(&resource.kind.as_str()))
    }

    /// The one of these kinds that a text refers to, by what `!Ref` gives, by ARN or by name.
    pub(crate) fn named(&self, kinds: &[&str], text: &str) -> Option<&Resource> {
        let is_it = |resource: &&Resource| {
            kinds.contains(&resource.kind.as_str())
                && (resource.reference == text || resource.arn == text || resource.name == text)
        };
        self.all.iter().find(is_it)
    }

    /// Takes a stack's resources in, with those of its nested stacks.
    pub(crate) fn add(&mut self, stack: &Stack, load: Load<'_>) {
        let resolver = Resolver::new(stack);
        let globals = stack.template.get("Globals").and_then(|globals| globals.get("Function"));
        let globals = globals.map(|node| resolver.value(node));
        for (id, body) in stack.resources() {
            let Some(kind) = body.get("Type").and_then(Node::text) else {
                self.unread(
                    &format!("{}{id}", stack.prefix),
                    "it has no Type: a loop or a macro makes it at the deployment",
                );
                continue;
            };
            if self.is_left_out(resolver, id, body) {
                continue;
            }
            let mut properties = properties(resolver, body);
            if let (Some(globals), "AWS::Serverless::Function") = (&globals, kind) {
                properties = merged(globals, properties);
            }
            if matches!(kind, "AWS::CloudFormation::Stack" | "AWS::Serverless::Application") {
                self.nest(stack, id, &properties, load);
            }
            self.all.push(resource(resolver, id, kind, body.line, properties));
        }
    }

    fn unread(&mut self, subject: &str, why: &str) {
        self.unread.push(Unread { subject: subject.to_owned(), why: why.to_owned() });
    }

    /// By its condition. One that is not known leaves it in, and is told.
    fn is_left_out(&mut self, resolver: Resolver<'_>, id: &str, body: &Node) -> bool {
        let Some(condition) = body.get("Condition").and_then(Node::text) else { return false };
        match resolver.named_condition(condition) {
            Ok(truth) => !truth,
            Err(why) => {
                let why = format!("its condition {condition} is not known, so it is taken to be there: {why}");
                self.unread(&format!("{}{id}", resolver.stack.prefix), &why);
                false
            }
        }
    }

    fn nest(&mut self, parent: &Stack, id: &str, properties: &Value, load: Load<'_>) {
        let prefix = format!("{}{id}/", parent.prefix);
        if prefix.matches('/').count() > DEEPEST {
            return self.unread(&prefix, "its stacks are nested too deep");
        }
        match nested(parent, properties, prefix.clone(), load) {
            Ok(stack) => self.add(&stack, load),
            Err(why) => self.unread(&format!("nested stack {}{id}", parent.prefix), &why),
        }
    }
}

fn properties(resolver: Resolver<'_>, body: &Node) -> Value {
    let none = || Value { line: body.line, data: Data::Map(Vec::new()) };
    body.get("Properties").map_or_else(none, |node| resolver.value(node))
}

fn resource(resolver: Resolver<'_>, id: &str, kind: &str, line: usize, properties: Value) -> Resource {
    let stack = resolver.stack;
    let path = format!("{}{id}", stack.prefix);
    let file = Some(stack.file.display().to_string());
    Resource {
        kind: kind.to_owned(),
        place: Place { name: format!("{} {path}", word(kind)), file, line: Some(line) },
        name: names::name(resolver, id),
        reference: names::reference(resolver, id),
        arn: names::arn_of(resolver, id).unwrap_or_default(),
        properties,
    }
}

fn word(kind: &str) -> &'static str {
    match kind {
        "AWS::ECS::Service" => "service",
        "AWS::ECS::TaskDefinition" => "task definition",
        "AWS::ElasticLoadBalancingV2::TargetGroup" => "target group",
        "AWS::Events::Rule" => "rule",
        "AWS::SQS::Queue" => "queue",
        "AWS::Lambda::Function" | "AWS::Serverless::Function" => "function",
        _ => "resource",
    }
}

/// The template of a nested stack, where it is a file, with the parameters that it is given.
fn nested(parent: &Stack, properties: &Value, prefix: String, load: Load<'_>) -> Result<Stack, String> {
    let text = |key| match properties.text(key) {
        Fact::Known(text) => Ok(Some(text)),
        Fact::Absent => Ok(None),
        Fact::NotKnown(why) => Err(why),
    };
    let location = text("TemplateURL")?.map_or_else(|| text("Location"), |url| Ok(Some(url)))?;
    let location = location.ok_or("it names no template")?;
    if location.contains("://") {
        return Err(format!("its template is at {location}: give that file to --template"));
    }
    let folder = parent.file.parent().unwrap_or(Path::new(""));
    let file = tidy(&folder.join(&location));
    let text = load(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let template = node::parse(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    let given: BTreeMap<_, _> = match properties.get("Parameters") {
        Fact::Known(parameters) => {
            parameters.entries().iter().map(|(name, value)| (name.clone(), joined(value))).collect()
        }
        Fact::Absent | Fact::NotKnown(_) => BTreeMap::new(),
    };
    Ok(Stack::new(&file, prefix, template, given))
}

/// A list is given to a nested stack as a text with commas.
fn joined(value: &Value) -> Value {
    match value.texts_of_list() {
        Some(texts) => Value::text_of(value.line, texts.join(",")),
        None => value.clone(),
    }
}

/// A path without `.` and, where it can be, without `..`.
fn tidy(path: &Path) -> PathBuf {
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

/// The properties with what they do not set themselves from the globals of SAM; maps are put together.
/// Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html>
fn merged(globals: &Value, own: Value) -> Value {
    let (Data::Map(globals), Data::Map(mut entries)) = (&globals.data, own.data.clone()) else { return own };
    for (key, value) in globals {
        match entries.iter_mut().find(|(name, _)| name == key) {
            Some((_, known)) => *known = merged(value, known.clone()),
            None => entries.push((key.clone(), value.clone())),
        }
    }
    Value { line: own.line, data: Data::Map(entries) }
}

//! The resources of templates and of the stacks nested in them, with their values evaluated.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::model::root::{Lines, Origin, Place, Suppression, Unread};
use crate::template::evaluate::location::Location;
use crate::template::evaluate::names;
use crate::template::evaluate::resolve::Resolver;
use crate::template::evaluate::stack::Stack;
use crate::template::evaluate::value::{Data, Value};
use crate::template::suppression::suppression;
use crate::template::syntax::node::Node;

/// A resource.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    pub(crate) kind: String,
    pub(crate) place: Place,
    pub(crate) name: String,
    /// The value of `!Ref`.
    pub(crate) reference: String,
    /// Its ARN, if the doctor needs it.
    pub(crate) arn: String,
    pub(crate) properties: Value,
}

/// All resources.
#[derive(Debug, Default)]
pub(crate) struct Resources {
    pub(crate) unread: Vec<Unread>,
    pub(crate) suppressions: Vec<Suppression>,
    pub(crate) location: Location,
    pub(crate) origin: Origin,
    all: Vec<Resource>,
    by_kind: BTreeMap<String, Vec<usize>>,
    /// The resources by kind, and by the texts that may refer to them.
    by_name: BTreeMap<String, BTreeMap<String, usize>>,
    /// The listener or rule that forwards to a target group, by the text that refers to the group.
    forwarding: OnceCell<BTreeMap<String, usize>>,
    /// The scalable targets of services, by the services' names.
    scalable: OnceCell<BTreeMap<String, Vec<usize>>>,
}

impl Resources {
    pub(crate) fn new(location: Location, origin: Origin) -> Self {
        Self { location, origin, ..Self::default() }
    }

    /// Returns why a setting that depends on a resource elsewhere is unknown.
    pub(crate) fn not_here(&self, what: &str, name: &str) -> String {
        format!("{what} {name} is not in {}", self.origin.document())
    }

    /// Returns the resources of these kinds.
    pub(crate) fn of<'a>(&'a self, kinds: &'a [&'a str]) -> impl Iterator<Item = &'a Resource> {
        let indices = kinds.iter().filter_map(|kind| self.by_kind.get(*kind)).flatten();
        indices.filter_map(|index| self.all.get(*index))
    }

    /// Returns the resource of these kinds that a text refers to, by the value of `!Ref`, by ARN or by name.
    pub(crate) fn named(&self, kinds: &[&str], text: &str) -> Option<&Resource> {
        let index = kinds.iter().find_map(|kind| self.by_name.get(*kind)?.get(text))?;
        self.all.get(*index)
    }

    /// Returns the listener or rule that forwards to the target group that a text refers to. `forwards` lists the groups to
    /// which a listener or rule forwards.
    pub(crate) fn forwarding_to(
        &self,
        text: &str,
        kinds: &[&str],
        forwards: fn(&Resource) -> Vec<String>,
    ) -> Option<&Resource> {
        let index = self.forwarding.get_or_init(|| {
            let mut index = BTreeMap::new();
            for at in kinds.iter().filter_map(|kind| self.by_kind.get(*kind)).flatten() {
                for text in self.all.get(*at).map(forwards).unwrap_or_default() {
                    index.entry(text).or_insert(*at);
                }
            }
            index
        });
        self.all.get(*index.get(text)?)
    }

    /// Returns the scalable targets of a service's name. `key` is the name in the resource id of each.
    pub(crate) fn scalable_by_name(
        &self,
        name: &str,
        kind: &str,
        key: fn(&Resource) -> String,
    ) -> impl Iterator<Item = &Resource> {
        let index = self.scalable.get_or_init(|| {
            let mut index: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            for at in self.by_kind.get(kind).into_iter().flatten() {
                index.entry(self.all.get(*at).map(key).unwrap_or_default()).or_default().push(*at);
            }
            index
        });
        index.get(name).into_iter().flatten().filter_map(|at| self.all.get(*at))
    }

    /// Adds a stack's resources, and those of its nested stacks.
    pub(crate) fn add(&mut self, stack: &Stack) {
        let resolver = Resolver::new(stack);
        let globals = stack.template.get("Globals").and_then(|globals| globals.get("Function"));
        let globals = globals.map(|node| resolver.value(node));
        self.unread_loops(stack);
        for (id, body) in stack.resources() {
            let Some(kind) = body.get("Type").and_then(Node::text) else {
                if !stack.open_loops.iter().any(|(key, _)| key == id) {
                    self.unread(&format!("{}{id}", stack.prefix), "it has no Type: a macro makes it at the deployment");
                }
                continue;
            };
            if !is_read(kind) || self.is_left_out(resolver, id, body) {
                continue;
            }
            let mut properties = properties(resolver, body);
            if let (Some(globals), "AWS::Serverless::Function") = (&globals, kind) {
                properties = merged(globals, properties);
            }
            let resource = resource(resolver, id, kind, body.line, properties);
            self.suppress(resolver, &resource.place, body);
            self.push(resource);
        }
        stack.children.values().for_each(|child| self.add(child));
        for assumption in stack.take_assumptions() {
            self.unread(&format!("{}the template", stack.prefix), &assumption);
        }
    }

    pub(crate) fn push(&mut self, resource: Resource) {
        let index = self.all.len();
        self.by_kind.entry(resource.kind.clone()).or_default().push(index);
        let names = self.by_name.entry(resource.kind.clone()).or_default();
        for name in [&resource.reference, &resource.arn, &resource.name] {
            if !name.is_empty() {
                names.entry(name.clone()).or_insert(index);
            }
        }
        self.all.push(resource);
    }

    /// Reads the findings that a resource accepts in its metadata.
    fn suppress(&mut self, resolver: Resolver<'_>, place: &Place, body: &Node) {
        let Some(node) = body.get("Metadata").and_then(|all| all.get("spotdrain")) else { return };
        match suppression(place, &resolver.value(node)) {
            Ok(suppression) => self.suppressions.push(suppression),
            Err(why) => self.unread(&place.name, &why),
        }
    }

    fn unread(&mut self, subject: &str, why: &str) {
        self.unread.push(Unread { subject: subject.to_owned(), why: why.to_owned() });
    }

    fn unread_loops(&mut self, stack: &Stack) {
        for (key, why) in &stack.open_loops {
            self.unread(&format!("{}{key}", stack.prefix), &format!("its collection is unknown: {why}"));
        }
    }

    /// Leaves a resource out if its condition is false. If the condition is unknown, the resource stays and this is reported.
    fn is_left_out(&mut self, resolver: Resolver<'_>, id: &str, body: &Node) -> bool {
        let Some(condition) = body.get("Condition").and_then(Node::text) else { return false };
        match resolver.named_condition(condition) {
            Ok(truth) => !truth,
            Err(why) => {
                let why = format!("its condition {condition} is unknown, so it was examined as if it were true: {why}");
                self.unread(&format!("{}{id}", resolver.stack.prefix), &why);
                false
            }
        }
    }
}

/// Returns whether a kind of resource is read. Others are evaluated only if something refers to them.
fn is_read(kind: &str) -> bool {
    let services = [
        "AWS::ECS::",
        "AWS::ElasticLoadBalancingV2::",
        "AWS::ApplicationAutoScaling::",
        "AWS::CodeDeploy::",
        "AWS::Events::",
        "AWS::SQS::",
        "AWS::Lambda::",
        "AWS::Serverless::Function",
        "AWS::IAM::",
        "AWS::EC2::Subnet",
        "AWS::VpcLattice::",
    ];
    services.iter().any(|service| kind.starts_with(service))
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
        place: Place { name: format!("{} {path}", word(kind)), file, line: Some(line), lines: lines(&properties) },
        name: names::name(resolver, id),
        reference: names::reference(resolver, id),
        arn: names::arn_of(resolver, id).unwrap_or_default(),
        properties,
    }
}

pub(crate) fn word(kind: &str) -> &'static str {
    match kind {
        "AWS::ECS::Service" => "service",
        "AWS::ECS::TaskSet" => "task set",
        "AWS::ECS::TaskDefinition" => "task definition",
        "AWS::ElasticLoadBalancingV2::TargetGroup" => "target group",
        "AWS::ApplicationAutoScaling::ScalableTarget" => "scalable target",
        "AWS::Events::Rule" => "rule",
        "AWS::SQS::Queue" => "queue",
        "AWS::Lambda::Function" | "AWS::Serverless::Function" => "function",
        _ => "resource",
    }
}

/// Returns the lines of the properties in a value, and of the keys in its lists of keys and values; the first one counts.
/// Containers have their own.
pub(crate) fn lines(value: &Value) -> Lines {
    let mut lines = BTreeMap::new();
    add_lines(value, &mut lines);
    Lines::new(lines)
}

fn add_lines(value: &Value, lines: &mut BTreeMap<String, usize>) {
    let mut add = |name: &str, line: usize| {
        if line > 0 {
            lines.entry(name.to_owned()).or_insert(line);
        }
    };
    if let Some(key) = value.text("Key").known().or(value.text("Name").known()) {
        add(key, value.line);
    }
    for (name, inner) in value.entries() {
        add(name, inner.line);
    }
    let inner = value.entries().iter().filter(|(name, _)| name != "ContainerDefinitions").map(|(_, inner)| inner);
    inner.for_each(|inner| add_lines(inner, lines));
    if let Data::List(items) = &value.data {
        for item in items {
            add_lines(item, lines);
        }
    }
}

/// Adds those of SAM's globals that the properties do not set themselves. Maps are merged.
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

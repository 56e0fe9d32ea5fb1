//! Reads templates: one, or several that are deployed together.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::model::root::{Deployment, Origin, Unread};
use crate::template::convert::deployment;
use crate::template::evaluate::location::Location;
use crate::template::evaluate::resolve::Resolver;
use crate::template::evaluate::rules;
use crate::template::evaluate::stack::{Given, Stack};
use crate::template::evaluate::value::{Data, Value};
use crate::template::format;
use crate::template::nested::{Load, Loader, tidy};
use crate::template::resources::Resources;
use crate::template::syntax::node::{Node, NodeKind};
use crate::template::syntax::parse;

/// The macros that are evaluated here.
const KNOWN_MACROS: [&str; 2] = ["AWS::Serverless-2016-10-31", "AWS::LanguageExtensions"];

/// How often exports are evaluated, because an export may use an import.
const ROUNDS_OF_EXPORTS: usize = 3;

/// A file that is not a template, or that CloudFormation would refuse.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}: {problem}")]
pub struct TemplateError {
    /// The file.
    pub file: String,
    /// What is wrong with it, and what to do.
    pub problem: String,
}

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct Templates {
    /// The files, as they are named in findings.
    pub files: Vec<PathBuf>,
    /// Files that are read if they are templates: those of a folder.
    pub candidates: Vec<PathBuf>,
    /// The values of parameters.
    pub parameters: BTreeMap<String, String>,
    /// The account and the Region.
    pub location: Location,
    /// The account and the Region of single files that specify them.
    pub locations: BTreeMap<PathBuf, Location>,
}

impl Templates {
    /// The account and the Region of a file. Those from the command line take precedence.
    fn location_of(&self, file: &Path) -> Location {
        let own = self.locations.get(file).cloned().unwrap_or_default();
        let given = self.location.clone();
        Location { account: given.account.or(own.account), region: given.region.or(own.region) }
    }

    /// One template with the values of its parameters.
    #[must_use]
    pub fn of(file: &Path, parameters: BTreeMap<String, String>) -> Self {
        Self { files: vec![file.to_owned()], parameters, ..Self::default() }
    }
}

/// Reads templates. `load` returns the text of a file: that of a template, or of a stack nested in one.
pub fn read(templates: &Templates, load: &dyn Fn(&Path) -> io::Result<String>) -> Result<Deployment, TemplateError> {
    let mut loader = Loader::new(load);
    let mut roots = roots(templates, &mut loader)?;
    check_parameters(templates, &roots)?;
    let mut unread = Vec::new();
    for root in &mut roots {
        unread.extend(unevaluated(&root.stack));
        unread.extend(rules::check(&root.stack).map_err(|problem| error(&root.stack.file, problem))?);
    }
    nest_and_import(&mut roots, &mut loader);
    let is_nested = |root: &Root| root.is_candidate && loader.files.contains(&tidy(&root.stack.file));
    roots.retain(|root| !is_nested(root));
    let mut resources = Resources::new(templates.location.clone(), Origin::Template);
    for root in &roots {
        resources.add(&root.stack);
    }
    unread.append(&mut loader.unread);
    Ok(deployment(resources, unread))
}

fn error(file: &Path, problem: impl Into<String>) -> TemplateError {
    TemplateError { file: file.display().to_string(), problem: problem.into() }
}

struct Root {
    stack: Stack,
    is_candidate: bool,
}

fn roots(templates: &Templates, loader: &mut Loader<'_>) -> Result<Vec<Root>, TemplateError> {
    let all: Vec<_> = templates
        .files
        .iter()
        .map(|file| (file, false))
        .chain(templates.candidates.iter().map(|file| (file, true)))
        .collect();
    let mut roots = Vec::new();
    for &(file, is_candidate) in &all {
        match template(file, loader.load) {
            Ok(template) => {
                let prefix = if all.len() > 1 { prefix(file, &roots) } else { String::new() };
                let given = given(&template, &templates.parameters);
                let stack = Stack::new(file, prefix, template, templates.location_of(file), given);
                roots.push(Root { stack, is_candidate });
            }
            Err(Refused::NotATemplate(_)) if is_candidate => {}
            Err(Refused::Unreadable(why)) if is_candidate => {
                loader.unread.push(Unread { subject: file.display().to_string(), why });
            }
            Err(Refused::NotATemplate(why) | Refused::Unreadable(why)) => return Err(error(file, why)),
        }
    }
    Ok(roots)
}

/// The file's name without its extensions; numbered where another has the same.
fn prefix(file: &Path, roots: &[Root]) -> String {
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let name = name.split('.').next().unwrap_or_default().to_owned();
    let is_taken = |prefix: &String| roots.iter().any(|root| root.stack.prefix == *prefix);
    let numbered = (2..).map(|number| format!("{name}-{number}:"));
    std::iter::once(format!("{name}:")).chain(numbered).find(|prefix| !is_taken(prefix)).unwrap_or_default()
}

enum Refused {
    NotATemplate(String),
    Unreadable(String),
}

fn template(file: &Path, load: Load<'_>) -> Result<Node, Refused> {
    let text = load(file).map_err(|error| Refused::Unreadable(format!("cannot be read: {error}")))?;
    let template = match parse(&text) {
        Ok(template) => template,
        Err(problem) => {
            return Err(match format::of_text(file, &text) {
                Some(advice) => Refused::NotATemplate(advice),
                None if text.contains("Resources") => Refused::Unreadable(problem),
                None => Refused::NotATemplate(problem),
            });
        }
    };
    match template.get("Resources") {
        Some(Node { kind: NodeKind::Map(entries), .. }) if !entries.is_empty() => Ok(template),
        Some(Node { kind: NodeKind::Call(..), .. }) => Ok(template),
        _ => {
            let none = || "has no Resources: expected a template of CloudFormation or SAM".to_owned();
            Err(Refused::NotATemplate(
                format::of_node(file, &template).or_else(|| format::of_text(file, &text)).unwrap_or_else(none),
            ))
        }
    }
}

fn given(template: &Node, parameters: &BTreeMap<String, String>) -> BTreeMap<String, Given> {
    let given = |(name, value): (&String, &String)| {
        let value = Value::text_of(1, value.as_str());
        (name.clone(), Given { value, placeholder: None })
    };
    let is_declared = |name: &str| template.get("Parameters").is_some_and(|all| all.get(name).is_some());
    parameters.iter().filter(|(name, _)| is_declared(name)).map(given).collect()
}

fn check_parameters(templates: &Templates, roots: &[Root]) -> Result<(), TemplateError> {
    let declared: BTreeSet<&str> = roots
        .iter()
        .filter_map(|root| root.stack.template.get("Parameters"))
        .flat_map(|parameters| parameters.entries().iter().map(|(name, _)| name.as_str()))
        .collect();
    let unknown = templates.parameters.keys().find(|name| !declared.contains(name.as_str()));
    let Some(name) = unknown else { return Ok(()) };
    let names: Vec<_> = declared.into_iter().collect();
    let known =
        if names.is_empty() { "it declares none".to_owned() } else { format!("parameters: {}", names.join(", ")) };
    let files: Vec<_> = roots.iter().map(|root| root.stack.file.display().to_string()).collect();
    Err(TemplateError { file: files.join(", "), problem: format!("unknown parameter {name}; {known}") })
}

/// Loads the nested stacks. An import has the value of another template's export, if there is one.
fn nest_and_import(roots: &mut [Root], loader: &mut Loader<'_>) {
    let rounds = if roots.len() > 1 { ROUNDS_OF_EXPORTS } else { 1 };
    for round in 0..rounds {
        let exports: BTreeMap<_, _> = roots.iter().flat_map(|root| exports(&root.stack)).collect();
        let is_last = round + 1 == rounds;
        for root in roots.iter_mut() {
            root.stack.imports.clone_from(&exports);
            if is_last {
                let file = tidy(&root.stack.file);
                loader.nest(&mut root.stack, &[file]);
            }
        }
    }
}

fn exports(stack: &Stack) -> Vec<(String, Value)> {
    let resolver = Resolver::new(stack);
    let outputs = stack.template.get("Outputs").map_or(&[][..], Node::entries).iter();
    let export = |output: &Node| {
        let name = resolver.value(output.get("Export")?.get("Name")?).as_text();
        let value = resolver.value(output.get("Value")?);
        Some((name.known()?.clone(), value)).filter(|(_, value)| !matches!(value.data, Data::Unknown(_)))
    };
    outputs.filter_map(|(_, output)| export(output)).collect()
}

/// A macro can change everything before the deployment.
fn unevaluated(stack: &Stack) -> Vec<Unread> {
    let subject = || format!("{}the whole template", stack.prefix);
    let mut unread = Vec::new();
    if let Some(Node { kind: NodeKind::Call(name, _), .. }) = stack.template.get("Resources") {
        unread.push(Unread { subject: subject(), why: format!("Fn::{name} makes its resources at the deployment") });
    }
    let Some(transform) = stack.template.get("Transform") else { return unread };
    let listed = if transform.items().is_empty() { std::slice::from_ref(transform) } else { transform.items() };
    let name = |item: &Node| item.text().or_else(|| item.get("Name")?.text()).unwrap_or("without a name").to_owned();
    let unknown = listed.iter().map(name).filter(|name| !KNOWN_MACROS.contains(&name.as_str()));
    unread.extend(
        unknown.map(|name| Unread { subject: subject(), why: format!("macro {name} may change it at the deployment") }),
    );
    unread
}

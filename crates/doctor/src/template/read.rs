//! Reads a template.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::model::root::{Estate, Unread};
use thiserror::Error;

use crate::template::delivery::delivery;
use crate::template::node::{self, Node};
use crate::template::resources::Resources;
use crate::template::services::services;
use crate::template::stack::Stack;
use crate::template::value::Value;

/// The macros whose work is known here.
const KNOWN_MACROS: [&str; 2] = ["AWS::Serverless-2016-10-31", "AWS::LanguageExtensions"];

/// A file that is no template, or that has nothing to examine.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}: {problem}")]
pub struct TemplateError {
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub problem: String,
}

/// Reads a template, with the values that its parameters are given. `load` gives the text of a file: the template's own,
/// and those of the stacks that are nested in it.
pub fn read(
    file: &Path,
    parameters: &BTreeMap<String, String>,
    load: &dyn Fn(&Path) -> io::Result<String>,
) -> Result<Estate, TemplateError> {
    let wrong = |problem: String| TemplateError { file: file.display().to_string(), problem };
    let text = load(file).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let template = node::parse(&text).map_err(wrong)?;
    check(&template, parameters).map_err(wrong)?;
    let given = parameters.iter().map(|(name, value)| (name.clone(), Value::text_of(1, value.as_str()))).collect();
    let stack = Stack::new(file, String::new(), template, given);
    let mut resources = Resources::default();
    resources.unread.extend(unknown_macros(&stack.template));
    resources.add(&stack, load);
    let estate = Estate { services: services(&resources), delivery: delivery(&resources), unread: resources.unread };
    if estate.services.is_empty() && estate.unread.is_empty() && estate.delivery.known().is_none() {
        let problem = "has neither an AWS::ECS::Service nor spotdrain's function: there is nothing to examine";
        return Err(wrong(problem.to_owned()));
    }
    Ok(estate)
}

fn check(template: &Node, parameters: &BTreeMap<String, String>) -> Result<(), String> {
    if template.get("Resources").is_none_or(|resources| resources.entries().is_empty()) {
        return Err("has no Resources: expected a template of CloudFormation or SAM".to_owned());
    }
    let declared = template.get("Parameters").map_or(&[][..], Node::entries);
    match parameters.keys().find(|name| !declared.iter().any(|(known, _)| known == *name)) {
        Some(name) => Err(format!("has no parameter {name}")),
        None => Ok(()),
    }
}

/// A macro can change everything before the deployment.
fn unknown_macros(template: &Node) -> Vec<Unread> {
    let Some(transform) = template.get("Transform") else { return Vec::new() };
    let listed = match &transform.kind {
        node::Kind::List(items) => items.iter().collect(),
        _ => vec![transform],
    };
    let names = listed.into_iter().map(|item| item.text().unwrap_or("that is no text"));
    let unknown = names.filter(|name| !KNOWN_MACROS.contains(name));
    let told = unknown.map(|name| Unread {
        subject: "the whole template".to_owned(),
        why: format!("macro {name} may change it at the deployment"),
    });
    told.collect()
}

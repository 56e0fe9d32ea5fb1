//! What CloudFormation checks before it deploys: `AllowedValues` of parameters, and `Rules`.
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html>

use crate::model::root::Unread;
use crate::model::setting::Setting;
use crate::template::evaluate::resolve::Resolver;
use crate::template::evaluate::stack::Stack;
use crate::template::syntax::node::{Node, NodeKind};

/// Returns the rules that could not be evaluated; an error where CloudFormation refuses the parameters.
pub(crate) fn check(stack: &Stack) -> Result<Vec<Unread>, String> {
    let declared = stack.template.get("Parameters").map_or(&[][..], Node::entries);
    declared.iter().try_for_each(|(name, body)| allowed(stack, name, body))?;
    let mut unread = Vec::new();
    for (name, rule) in stack.template.get("Rules").map_or(&[][..], Node::entries) {
        if let Err(why) = assert_rule(stack, name, rule)? {
            unread.push(Unread { subject: format!("rule {}{name} of the template", stack.prefix), why });
        }
    }
    Ok(unread)
}

fn allowed(stack: &Stack, name: &str, body: &Node) -> Result<(), String> {
    let allowed: Vec<_> = body.get("AllowedValues").map_or(&[][..], Node::items).iter().filter_map(text).collect();
    let values = stack.parameter(name).map(|value| match value.texts_of_list() {
        Some(texts) => texts,
        None => value.as_text().known().cloned().into_iter().collect(),
    });
    let wrong = values.into_iter().flatten().find(|value| !allowed.contains(value));
    match wrong.filter(|_| !allowed.is_empty()) {
        Some(value) => {
            Err(format!("parameter {name}: {value:?} is not allowed; allowed values: {}", allowed.join(", ")))
        }
        None => Ok(()),
    }
}

fn text(node: &Node) -> Option<String> {
    match &node.kind {
        NodeKind::Text(text) => Some(text.clone()),
        NodeKind::Number(number) => Some(number.to_string()),
        NodeKind::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

/// The inner error says why the rule could not be evaluated. The outer error says that the parameters break the rule.
fn assert_rule(stack: &Stack, name: &str, rule: &Node) -> Result<Result<(), String>, String> {
    let resolver = Resolver::new(stack);
    match rule.get("RuleCondition").map(|condition| resolver.condition(condition)) {
        Some(Ok(false)) => return Ok(Ok(())),
        Some(Err(why)) => return Ok(Err(why)),
        Some(Ok(true)) | None => {}
    }
    for assertion in rule.get("Assertions").map_or(&[][..], Node::items) {
        let Some(assert) = assertion.get("Assert") else { continue };
        match resolver.condition(assert) {
            Ok(true) => {}
            Ok(false) => {
                let description = assertion.get("AssertDescription").map(|node| resolver.value(node).as_text());
                let description = match description {
                    Some(Setting::Set(text)) => format!(": {text}"),
                    _ => String::new(),
                };
                return Err(format!("CloudFormation refuses these parameters by rule {name}{description}"));
            }
            Err(why) => return Ok(Err(why)),
        }
    }
    Ok(Ok(()))
}

//! Some resources of the provider are properties of other resources in CloudFormation: targets of rules, policies that are
//! attached to roles, and the policy of a queue.

use crate::model::root::Place;
use crate::model::setting::Setting;
use crate::plan::choose::Links;
use crate::plan::graph::Instance;
use crate::plan::kinds::{self, target};
use crate::plan::translate::{at, nothing};
use crate::template::evaluate::value::{Data, Value};
use crate::template::resources::Resource;

/// Returns the resources that an instance adds beside itself.
pub(crate) fn beside(links: &Links<'_, '_>, instance: &Instance<'_>) -> Option<Resource> {
    if kinds::canonical(instance.kind) != "aws_sqs_queue" {
        return None;
    }
    let attributes = links.attributes(instance);
    let policy = at(&attributes, "policy")?;
    let url = Value::text_of(0, links.id(instance));
    let from = Value { line: 0, data: Data::Map(vec![("queue_url".to_owned(), url), ("policy".to_owned(), policy)]) };
    let kind = kinds::of("aws_sqs_queue_policy")?;
    Some(nameless(kind.cloudformation, (kind.properties)(&from)))
}

/// Adds an instance to the resource that it belongs to; returns why it cannot.
pub(crate) fn attach(links: &Links<'_, '_>, instance: &Instance<'_>, resources: &mut Vec<Resource>) -> Option<String> {
    match instance.kind {
        "aws_cloudwatch_event_target" => attach_target(&links.attributes(instance), resources),
        "aws_iam_role_policy_attachment" => attach_policy(&links.attributes(instance), resources),
        _ => None,
    }
}

fn attach_target(from: &Value, resources: &mut [Resource]) -> Option<String> {
    let rule = match from.text("rule") {
        Setting::Set(rule) => rule,
        Setting::Default => return None,
        Setting::Unknown(why) => return Some(why),
    };
    // A target of a rule that is elsewhere belongs to another deployment.
    let rule = resources.iter_mut().find(|one| one.kind == "AWS::Events::Rule" && is_named(one, &rule))?;
    append(&mut rule.properties, "Targets", target(from));
    None
}

/// Attaches a policy to a role. If the policy is in the plan, it gets the role; otherwise the role gets the policy's ARN.
fn attach_policy(from: &Value, resources: &mut Vec<Resource>) -> Option<String> {
    let role = match from.text("role") {
        Setting::Set(role) => role,
        Setting::Default => return None,
        Setting::Unknown(why) => return Some(why),
    };
    let arn = from.text("policy_arn");
    let policy = arn.known().and_then(|arn| {
        resources.iter().find(|one| one.kind == "AWS::IAM::ManagedPolicy" && is_named(one, arn)).cloned()
    });
    if let Some(mut policy) = policy {
        append(&mut policy.properties, "Roles", Value::text_of(0, role));
        resources.push(nameless("AWS::IAM::Policy", policy.properties.entries().to_vec()));
        return None;
    }
    let role = resources.iter_mut().find(|one| one.kind == "AWS::IAM::Role" && is_named(one, &role))?;
    let arn = match arn {
        Setting::Set(arn) => Value::text_of(0, arn),
        Setting::Default => return None,
        Setting::Unknown(why) => Value::unknown(0, why),
    };
    append(&mut role.properties, "ManagedPolicyArns", arn);
    None
}

fn is_named(resource: &Resource, text: &str) -> bool {
    [&resource.name, &resource.arn, &resource.reference].iter().any(|own| *own == text)
}

/// Adds an item to the list under a key.
fn append(properties: &mut Value, key: &str, item: Value) {
    let Data::Map(entries) = &mut properties.data else { return };
    match entries.iter_mut().find(|(name, _)| name == key) {
        Some((_, Value { data: Data::List(items), .. })) => items.push(item),
        // An unknown list stays unknown.
        Some((_, Value { data: Data::Unknown(_), .. })) => {}
        Some((_, other)) => *other = Value { line: 0, data: Data::List(vec![item]) },
        None => entries.push((key.to_owned(), Value { line: 0, data: Data::List(vec![item]) })),
    }
}

fn nameless(kind: &str, properties: Vec<(String, Value)>) -> Resource {
    Resource {
        kind: kind.to_owned(),
        place: Place::default(),
        name: String::new(),
        reference: String::new(),
        arn: String::new(),
        properties: Value { data: Data::Map(properties), ..nothing() },
    }
}

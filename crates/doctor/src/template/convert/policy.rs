//! What the function's role allows: the policies of the role, those attached to it, and what SAM makes; and the documents
//! of policies that are deployed, which are of the same form.
//! Source: <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-template-list.html>

use crate::iam::{Condition, Statement, anything, boundary};
use crate::model::setting::Setting;

use crate::template::evaluate::value::{Data, Value};
use crate::template::resources::{Resource, Resources};
use spotdrain_core::model::arn::last_segment;

const ROLE: &[&str] = &["AWS::IAM::Role"];
const POLICIES: &[&str] = &["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"];

/// Of the policy `AWSLambdaSQSQueueExecutionRole`, which is also what SAM attaches for an event of SQS.
const EXECUTION_ROLE: [&str; 3] = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

/// Of SAM's policy template `SQSPollerPolicy`.
const POLLER_POLICY: [&str; 4] =
    ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];

/// The statements of a policy's document, as IAM gives it. A text that is not a policy could allow and deny anything.
#[must_use]
pub fn policy(text: &str) -> Vec<Statement> {
    match serde_json::from_str(text) {
        Ok(json) => document(Setting::Set(&Value::of_json(json))),
        Err(error) => anything(&format!("a policy of the role is not JSON: {error}")).to_vec(),
    }
}

/// The service principal of EventBridge.
pub(crate) const EVENTBRIDGE: &str = "events.amazonaws.com";

/// The statements of a resource's policy that concern EventBridge, from the policy's JSON.
#[must_use]
pub fn queue_policy(text: &str) -> Vec<Statement> {
    match serde_json::from_str(text) {
        Ok(json) => of_service(Setting::Set(&Value::of_json(json)), EVENTBRIDGE),
        Err(error) => anything(&format!("the queue's policy is not JSON: {error}")).to_vec(),
    }
}

/// Returns the statements of a resource's policy that concern a service principal.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
pub(crate) fn of_service(policy: Setting<&Value>, service: &str) -> Vec<Statement> {
    let concerns = |statement: &Value| match statement.get("Principal") {
        Setting::Set(principal) => match &principal.data {
            Data::Map(_) => ["Service", "AWS"].iter().any(|kind| {
                let named = principal.texts(kind);
                named.known().map_or(named != Setting::Default, |all| {
                    all.iter().any(|one| one == "*" || *kind == "Service" && one == service)
                })
            }),
            _ => principal.as_text() == Setting::Set("*".to_owned()),
        },
        Setting::Default => statement.get("NotPrincipal") != Setting::Default,
        Setting::Unknown(_) => true,
    };
    match policy.and_then(|policy| policy.items("Statement")) {
        Setting::Set(statements) => statements.into_iter().filter(|one| concerns(one)).flat_map(statement).collect(),
        Setting::Default => Vec::new(),
        Setting::Unknown(why) => anything(&why).to_vec(),
    }
}

/// The statements that hold for a function.
pub(crate) fn statements(resources: &Resources, function: &Resource) -> Setting<Vec<Statement>> {
    match function.properties.text("Role") {
        Setting::Set(arn) => {
            let elsewhere = || Setting::Unknown(resources.not_here("role", &arn));
            resources.named(ROLE, &arn).map_or_else(elsewhere, |role| Setting::Set(of_role(resources, role)))
        }
        Setting::Default => Setting::Set(of_sam(function)),
        Setting::Unknown(why) => Setting::Unknown(why),
    }
}

fn of_role(resources: &Resources, role: &Resource) -> Vec<Statement> {
    let mut statements = limit(role);
    statements.extend(listed(&role.properties, "Policies", |policy| document(policy.get("PolicyDocument"))));
    statements.extend(listed(&role.properties, "ManagedPolicyArns", managed));
    statements.extend(resources.of(POLICIES).flat_map(|policy| of_attached(policy, &role.name)));
    statements
}

/// A policy of its own that may be attached to the role.
fn of_attached(policy: &Resource, role: &str) -> Vec<Statement> {
    let (roles, named) = (policy.properties.texts("Roles"), policy.properties.text("RoleName"));
    let is_named = named.known().is_some_and(|name| name == role);
    if is_named || roles.known().is_some_and(|roles| roles.iter().any(|name| name == role)) {
        return document(policy.properties.get("PolicyDocument"));
    }
    let unknown = [roles.known_or_err().err(), named.known_or_err().err()].into_iter().flatten().next();
    unknown.map_or_else(Vec::new, |why| anything(&why.0).to_vec())
}

/// The permissions boundary of a role, or of the role that SAM makes for a function.
fn limit(resource: &Resource) -> Vec<Statement> {
    match resource.properties.text("PermissionsBoundary") {
        Setting::Set(arn) => vec![boundary(&arn)],
        Setting::Default => Vec::new(),
        Setting::Unknown(why) => vec![boundary(&format!("that is not known ({why})"))],
    }
}

/// SAM's role of its own: the policies that the function lists, and the queue's rights where an event is one of SQS.
fn of_sam(function: &Resource) -> Vec<Statement> {
    let mut statements = limit(function);
    statements.extend(listed(&function.properties, "Policies", sam_policy));
    let events = function.properties.get("Events");
    let reads_queue = |event: &Value| event.text("Type") == Setting::Set("SQS".to_owned());
    if events.known().is_some_and(|events| events.entries().iter().any(|(_, event)| reads_queue(event))) {
        statements.push(queue_rights(&EXECUTION_ROLE));
    }
    statements
}

fn sam_policy(policy: &Value) -> Vec<Statement> {
    match &policy.data {
        Data::Map(entries) if entries.iter().any(|(key, _)| key == "Statement") => document(Setting::Set(policy)),
        Data::Map(entries) if entries.iter().any(|(key, _)| key == "SQSPollerPolicy") => {
            vec![queue_rights(&POLLER_POLICY)]
        }
        Data::Map(_) => Vec::new(),
        _ => managed(policy),
    }
}

fn queue_rights(actions: &[&str]) -> Statement {
    Statement {
        allows: true,
        actions: Setting::Set(actions.iter().map(|&action| action.to_owned()).collect()),
        resources: vec![Setting::Set("*".to_owned())],
        conditions: Vec::new(),
    }
}

/// Of AWS's own policies only those of Lambda are known here.
fn managed(arn: &Value) -> Vec<Statement> {
    let text = arn.as_text();
    let name = text.known().map_or("", |arn| last_segment(arn));
    match name {
        "AWSLambdaBasicExecutionRole" | "AWSLambdaVPCAccessExecutionRole" | "AWSXRayDaemonWriteAccess" => Vec::new(),
        "AWSLambdaSQSQueueExecutionRole" => vec![queue_rights(&EXECUTION_ROLE)],
        _ => anything(&format!("what policy {name} allows is not known here")).to_vec(),
    }
}

fn document(policy: Setting<&Value>) -> Vec<Statement> {
    let statements = policy.and_then(|policy| policy.items("Statement"));
    match statements {
        Setting::Set(statements) => statements.into_iter().flat_map(statement).collect(),
        Setting::Default => Vec::new(),
        Setting::Unknown(why) => anything(&why).to_vec(),
    }
}

fn statement(value: &Value) -> Vec<Statement> {
    if let Data::Unknown(reason) = &value.data {
        return anything(&reason.why).to_vec();
    }
    let resources = match value.items("Resource") {
        Setting::Set(items) => items.into_iter().map(Value::as_text).collect(),
        Setting::Default => vec![Setting::Unknown("a policy with NotResource is not evaluated".to_owned())],
        Setting::Unknown(why) => vec![Setting::Unknown(why)],
    };
    let actions = match value.texts("Action") {
        Setting::Default => Setting::Unknown("a policy with NotAction is not evaluated".to_owned()),
        actions => actions,
    };
    let allows = match value.text("Effect") {
        Setting::Set(effect) => effect != "Deny",
        Setting::Default => return anything("a statement has no Effect").to_vec(),
        Setting::Unknown(why) => return anything(&why).to_vec(),
    };
    vec![Statement { allows, actions, resources, conditions: conditions(value) }]
}

fn conditions(statement: &Value) -> Vec<Condition> {
    let condition = |operator: &str, key: &str, values: Setting<Vec<String>>| Condition {
        operator: operator.to_owned(),
        key: key.to_owned(),
        values,
    };
    match statement.get("Condition") {
        Setting::Set(all) => {
            let keys = |(operator, block): &(String, Value)| {
                let of = |(key, _): &(String, Value)| condition(operator, key, block.texts(key));
                if let Data::Unknown(reason) = &block.data {
                    return vec![condition(operator, "", Setting::Unknown(reason.why.clone()))];
                }
                block.entries().iter().map(of).collect::<Vec<_>>()
            };
            all.entries().iter().flat_map(keys).collect()
        }
        Setting::Default => Vec::new(),
        Setting::Unknown(why) => vec![condition("", "", Setting::Unknown(why))],
    }
}

/// The statements of a list's items; of a list that is not known, any that could be.
fn listed(properties: &Value, key: &str, read: fn(&Value) -> Vec<Statement>) -> Vec<Statement> {
    match properties.items(key) {
        Setting::Set(items) => items.into_iter().flat_map(read).collect(),
        Setting::Default => Vec::new(),
        Setting::Unknown(why) => anything(&why).to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use crate::iam::{AuthorizationRequest, allows};

    use super::*;

    #[test]
    fn a_deployed_document_is_read_and_what_cannot_be_judged_is_not_known() {
        let allow = r#""Effect": "Allow", "Action": ["ecs:Describe*"], "Resource": "*""#;
        let table = [
            (format!("{{\"Statement\": {{{allow}}}}}"), Some(true)),
            (format!("{{\"Statement\":\n\t[{{{allow}}}]}}"), Some(true)),
            (r#"{"Version": "2012-10-17"}"#.to_owned(), Some(false)),
            (r#"{"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}"#.to_owned(), None),
            (r#"{"Statement": [{"Effect": "Allow", "Action": "ecs:*", "NotResource": "x"}]}"#.to_owned(), None),
            (
                format!(r#"{{"Statement": [{{{allow}, "Condition": {{"Bool": {{"aws:SecureTransport": true}}}}}}]}}"#),
                None,
            ),
            (
                format!(
                    r#"{{"Statement": [{{{allow}}}, {{"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}}]}}"#
                ),
                None,
            ),
            (
                format!(r#"{{"Statement": [{{{allow}}}, {{"Effect": "Deny", "Action": "ecs:*", "Resource": "*"}}]}}"#),
                Some(false),
            ),
            (r#"{"Statement": [{"Action": "ecs:*", "Resource": "*"}]}"#.to_owned(), None),
            ("no policy".to_owned(), None),
        ];
        let request = AuthorizationRequest {
            action: "ecs:DescribeTasks",
            resource: "arn:aws:ecs:eu-central-1:1:task/a/b",
            keys: &[],
        };
        for (text, expected) in table {
            assert_eq!(allows(&policy(&text), request).ok(), expected, "{text}");
        }
    }
}

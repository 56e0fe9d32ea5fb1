//! Who may send to the notice queue. The policy in the template and in the Terraform module is evaluated for the rule, the
//! redrive role and others. The evaluator supports the policy's three condition operators; any other fails the test.

use std::fs;
use std::path::Path;

use regex::Regex;
use serde_json::{Value, json};

use crate::deployed;

const RULE: &str = "arn:aws:events:eu-central-1:123456789012:rule/notices";
const OTHER_RULE: &str = "arn:aws:events:eu-central-1:123456789012:rule/other";
const QUEUE: &str = "arn:aws:sqs:eu-central-1:123456789012:notices";
const REDRIVE_ROLE: &str = "arn:aws:iam::123456789012:role/ops/redrive";
const OTHER_ROLE: &str = "arn:aws:iam::123456789012:role/other";

/// A `SendMessage` to the queue, with its IAM context.
#[derive(Clone, Copy)]
struct Request {
    /// The AWS service that sends; `None` for a role of this account.
    service: Option<&'static str>,
    /// `aws:SourceArn`, which only a service's request has.
    source: Option<&'static str>,
    /// `aws:PrincipalArn`, which a service's request does not have.
    principal: Option<&'static str>,
    /// Whether an identity policy of the sender allows `sqs:SendMessage` on the queue.
    identity_allows: bool,
    tls: bool,
}

impl Request {
    const fn from_rule(rule: &'static str) -> Self {
        let service = Some("events.amazonaws.com");
        Self { service, source: Some(rule), principal: None, identity_allows: false, tls: true }
    }

    const fn from_role(role: &'static str) -> Self {
        Self { service: None, source: None, principal: Some(role), identity_allows: true, tls: true }
    }

    fn key(&self, name: &str) -> Option<String> {
        match name {
            "aws:SourceArn" => self.source.map(str::to_owned),
            "aws:PrincipalArn" => self.principal.map(str::to_owned),
            "aws:SecureTransport" => Some(self.tls.to_string()),
            other => panic!("the condition key {other} is not known here"),
        }
    }
}

/// Within an account, an Allow in the queue's policy or in the sender's identity policy is enough. A Deny overrides both.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>
fn may_send(statements: &[Value], request: Request) -> bool {
    let has = |effect: &str| statements.iter().any(|one| one["Effect"] == effect && applies(one, request));
    !has("Deny") && (request.identity_allows || has("Allow"))
}

fn applies(statement: &Value, request: Request) -> bool {
    let action = statement["Action"].as_str().unwrap();
    assert!(action == "sqs:SendMessage" || action == "sqs:*", "{action}");
    assert_eq!(statement["Resource"], QUEUE);
    let principal = &statement["Principal"];
    let is_sender = principal == "*" || request.service.is_some_and(|service| principal["Service"] == service);
    let conditions = statement["Condition"].as_object().into_iter().flatten();
    let mut keys =
        conditions.flat_map(|(operator, keys)| keys.as_object().unwrap().iter().map(move |key| (operator, key)));
    is_sender && keys.all(|(operator, (key, value))| holds(operator, request.key(key), value.as_str().unwrap()))
}

/// If the request does not have the key, a negated operator is true and any other is false.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>
fn holds(operator: &str, found: Option<String>, wanted: &str) -> bool {
    assert!(!wanted.contains(['*', '?']), "wildcards are not known here: {wanted}");
    let is_equal = found.is_some_and(|found| found == wanted);
    match operator {
        "ArnEquals" | "Bool" => is_equal,
        "ArnNotEquals" => !is_equal,
        other => panic!("the operator {other} is not known here"),
    }
}

/// The statements of the template's policy for the notice queue.
fn of_template(redrive_role: &str) -> Vec<Value> {
    let policy = deployed().with("RedriveRole", redrive_role).properties("NoticeQueuePolicy").unwrap();
    let text = policy["PolicyDocument"]["Statement"].to_string();
    serde_json::from_str(&text.replace("<NoticeRule.Arn>", RULE).replace("<NoticeQueue.Arn>", QUEUE)).unwrap()
}

/// The statements of the module's policy for the notice queue.
fn of_terraform(redrive_role: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/terraform/notices.tf");
    let text = fs::read_to_string(path).unwrap();
    let policy =
        text.split("resource \"aws_sqs_queue_policy\" \"notices\"").nth(1).unwrap().split("\n}\n").next().unwrap();
    assert!(policy.contains("concat(local.only_the_rule[aws_sqs_queue.notices[0].name], ["), "{policy}");
    ["OnlyTheRule", "NobodyElse", "OnlyTls"].map(|sid| terraform_statement(&text, sid, redrive_role)).to_vec()
}

/// A statement as Terraform would evaluate it: an object of strings, other objects, references, and one `merge`.
fn terraform_statement(text: &str, sid: &str, redrive_role: &str) -> Value {
    let object = Regex::new(&format!(r#"(?ms)^( +)\{{\n +Sid += "{sid}"\n.*?^ +\}},$"#)).unwrap();
    let object = object.find(text).unwrap_or_else(|| panic!("no statement {sid}")).as_str();
    let merge = r#"(?s)merge\(\s*\{ (.*?) \},\s*var\.redrive_role == "none" \? \{\} : \{ (.*?) \},\s*\)"#;
    let merged = if redrive_role == "none" { "{ $1 }" } else { "{ $1, $2 }" };
    let steps = [
        (merge, merged),
        (r"#.*", ""),
        (r"aws_cloudwatch_event_rule\.notices\.arn", &format!("\"{RULE}\"")),
        (r"(aws_sqs_queue\.notices\[0\]|queue)\.arn", &format!("\"{QUEUE}\"")),
        (r"var\.redrive_role", &format!("\"{redrive_role}\"")),
        (r#""?([A-Za-z:]+)"? += "#, "\"$1\": "),
        (r#"(["}])\n"#, "$1,\n"),
        (r",(\s*\})", "$1"),
    ];
    let json = steps.iter().fold(object.trim_end_matches(',').to_owned(), |text, (pattern, with)| {
        Regex::new(pattern).unwrap().replace_all(&text, *with).into_owned()
    });
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// The policy in both spellings, without and with a redrive role.
fn policies() -> [(&'static str, Vec<Value>); 4] {
    [
        ("template", of_template("none")),
        ("template", of_template(REDRIVE_ROLE)),
        ("Terraform", of_terraform("none")),
        ("Terraform", of_terraform(REDRIVE_ROLE)),
    ]
}

#[test]
fn the_template_and_the_module_have_the_same_policy() {
    for role in ["none", REDRIVE_ROLE] {
        let sorted = |mut statements: Vec<Value>| {
            statements.sort_by_key(|one| one["Sid"].to_string());
            statements
        };
        assert_eq!(sorted(of_template(role)), sorted(of_terraform(role)), "{role}");
    }
}

#[test]
fn only_the_notice_rule_may_send() {
    for (name, policy) in policies() {
        assert!(may_send(&policy, Request::from_rule(RULE)), "{name}");
        assert!(!may_send(&policy, Request::from_rule(OTHER_RULE)), "{name}");
        assert!(!may_send(&policy, Request { tls: false, ..Request::from_rule(RULE) }), "{name}");
    }
}

#[test]
fn the_redrive_role_may_send_if_it_is_configured_and_permitted() {
    for of in [of_template, of_terraform] {
        let (with, without) = (of(REDRIVE_ROLE), of("none"));
        let redrive = Request::from_role(REDRIVE_ROLE);
        assert!(may_send(&with, redrive));
        assert!(!may_send(&without, redrive));
        assert!(!may_send(&with, Request { identity_allows: false, ..redrive }));
        assert!(!may_send(&with, Request { tls: false, ..redrive }));
    }
}

#[test]
fn another_role_may_not_send_even_with_an_identity_policy() {
    for (name, policy) in policies() {
        let stranger = Request::from_role(OTHER_ROLE);
        assert!(!may_send(&policy, stranger), "{name}");
        let without_deny: Vec<_> = policy.into_iter().filter(|one| one["Sid"] != "NobodyElse").collect();
        assert!(may_send(&without_deny, stranger), "{name}: the Allow for the rule does not keep others out");
    }
}

/// Why the policy has one Deny with two conditions.
#[test]
fn splitting_the_deny_into_two_statements_would_block_the_rule_and_the_role() {
    let mut policy = of_template(REDRIVE_ROLE);
    let deny = policy.iter().position(|one| one["Sid"] == "NobodyElse").map(|index| policy.remove(index)).unwrap();
    for (key, value) in deny["Condition"]["ArnNotEquals"].as_object().unwrap() {
        let mut half = deny.clone();
        half["Condition"] = json!({ "ArnNotEquals": { key: value } });
        policy.push(half);
    }
    assert!(!may_send(&policy, Request::from_rule(RULE)));
    assert!(!may_send(&policy, Request::from_role(REDRIVE_ROLE)));
}

/// The function's role sends direct events to it, and an operator may send a message back.
#[test]
fn the_dead_letter_queue_denies_nobody_in_the_account() {
    let policy = deployed().properties("DeadLetterQueuePolicy").unwrap();
    let statements = policy["PolicyDocument"]["Statement"].as_array().unwrap();
    let denies: Vec<_> = statements.iter().filter(|one| one["Effect"] == "Deny").map(|one| &one["Sid"]).collect();
    assert_eq!(denies, ["OnlyTls"]);
}

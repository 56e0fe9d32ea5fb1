//! The function's role and its policies.
//! Source: <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/iam_role>

use crate::plan::kinds::ResourceKind;
use crate::plan::translate::{at, json_of, list_of, map, renamed};
use crate::template::evaluate::value::{Data, Value};

pub(super) const KINDS: &[ResourceKind] = &[
    ResourceKind::new("aws_iam_role", "AWS::IAM::Role", role),
    ResourceKind::new("aws_iam_role_policy", "AWS::IAM::RolePolicy", role_policy),
    ResourceKind::new("aws_iam_policy", "AWS::IAM::ManagedPolicy", policy),
];

fn role(from: &Value) -> Vec<(String, Value)> {
    let names = [
        ("name", "RoleName"),
        ("permissions_boundary", "PermissionsBoundary"),
        ("managed_policy_arns", "ManagedPolicyArns"),
    ];
    let mut properties = renamed(from, &names);
    // An empty block excludes inline policies.
    let inline = list_of(from, "inline_policy", |one| map(document(one)));
    let inline = match inline.data {
        Data::List(items) => {
            Value { line: 0, data: Data::List(items.into_iter().filter(|one| !one.entries().is_empty()).collect()) }
        }
        _ => inline,
    };
    properties.push(("Policies".to_owned(), inline));
    properties
}

fn role_policy(from: &Value) -> Vec<(String, Value)> {
    renamed(from, &[("role", "RoleName")]).into_iter().chain(document(from)).collect()
}

fn policy(from: &Value) -> Vec<(String, Value)> {
    document(from)
}

fn document(from: &Value) -> Vec<(String, Value)> {
    let policy = at(from, "policy").map(|text| json_of(&text, "a policy of the role"));
    policy.into_iter().map(|policy| ("PolicyDocument".to_owned(), policy)).collect()
}

//! Identity and Access Management, read only: a role and its policies; and `GetCallerIdentity` of STS.
//!
//! Lists have pages of 100, and documents are URL-encoded after RFC 3986 (IAM API, `ListRolePolicies` and `GetRolePolicy`).

use serde_json::{Value, json};

use crate::call::action::{Action, Api};
use crate::call::error::ApiError;
use crate::call::log::Subject;
use crate::location;
use crate::model::canned::{Role, with};
use crate::model::world::World;
use crate::protocol::form::Form;
use crate::protocol::query;

const PAGE_SIZE: usize = 100;

/// The creation date of everything.
const CREATED: &str = "2026-01-01T00:00:00Z";

/// The only version of a managed policy. It is not `v1`, so that a caller that assumes the first version fails.
const VERSION: &str = "v2";

/// A well-formed request.
#[derive(Debug, Clone)]
pub(crate) enum IamRequest {
    Role(String),
    Inline { role: String, from: usize },
    InlinePolicy { role: String, policy: String },
    Attached { role: String, from: usize },
    Policy(String),
    Version { policy: String, version: String },
    CallerIdentity,
}

impl IamRequest {
    /// Parses a request; `None` for an action of another API.
    pub(crate) fn parse(action: Action, form: &Form) -> Option<Result<Self, ApiError>> {
        let text = |name: &str| form.required(name).map(str::to_owned);
        Some(match action {
            Action::GetRole => text("RoleName").map(Self::Role),
            Action::ListRolePolicies => text("RoleName").and_then(|role| Ok(Self::Inline { role, from: from(form)? })),
            Action::GetRolePolicy => {
                text("RoleName").and_then(|role| Ok(Self::InlinePolicy { role, policy: text("PolicyName")? }))
            }
            Action::ListAttachedRolePolicies => {
                text("RoleName").and_then(|role| Ok(Self::Attached { role, from: from(form)? }))
            }
            Action::GetPolicy => text("PolicyArn").map(Self::Policy),
            Action::GetPolicyVersion => {
                text("PolicyArn").and_then(|policy| Ok(Self::Version { policy, version: text("VersionId")? }))
            }
            Action::GetCallerIdentity => Ok(Self::CallerIdentity),
            _ => return None,
        })
    }

    /// Runs the request, and returns the `…Result` element. Its fields are the API's, limited to those that this repository
    /// reads (botocore, `iam`, 2010-05-08).
    pub(crate) fn run(self, world: &World) -> Result<String, ApiError> {
        let (action, result) = match self {
            Self::Role(role) => (Action::GetRole, json!({"Role": description(of_name(world, &role)?)})),
            Self::Inline { role, from } => {
                let (names, page) = page(of_name(world, &role)?.inline.keys(), from);
                (Action::ListRolePolicies, with(json!({"PolicyNames": {"member": names}}), Some(&page)))
            }
            Self::InlinePolicy { role, policy } => (Action::GetRolePolicy, inline(of_name(world, &role)?, &policy)?),
            Self::Attached { role, from } => {
                let (arns, page) = page(of_name(world, &role)?.attached.keys(), from);
                let policies: Vec<_> =
                    arns.into_iter().map(|arn| json!({"PolicyName": name(arn), "PolicyArn": arn})).collect();
                let result = json!({"AttachedPolicies": {"member": policies}});
                (Action::ListAttachedRolePolicies, with(result, Some(&page)))
            }
            Self::Policy(arn) => {
                managed(world, &arn)?;
                let policy = json!({"PolicyName": name(&arn), "Arn": arn, "DefaultVersionId": VERSION});
                (Action::GetPolicy, json!({"Policy": policy}))
            }
            Self::Version { policy, version } => {
                (Action::GetPolicyVersion, of_version(managed(world, &policy)?, &version)?)
            }
            Self::CallerIdentity => (Action::GetCallerIdentity, caller_identity(world)),
        };
        query::result(action, &result)
    }
}

/// The resource of a request, as IAM's error messages name it.
pub(crate) fn subject(form: &Form) -> Subject {
    let role = form.get("RoleName").map(|name| format!("role {name}"));
    let resource = role.or_else(|| form.get("PolicyArn").map(|arn| format!("policy {arn}")));
    let targets = form.get("PolicyName").map(str::to_owned).into_iter().collect();
    Subject { resource, targets, with_tags: false }
}

fn from(form: &Form) -> Result<usize, ApiError> {
    let wrong = |marker: &str| ApiError::invalid(Api::Iam, format!("'{marker}' is not a marker"));
    form.get("Marker").map_or(Ok(0), |marker| marker.parse().map_err(|_| wrong(marker)))
}

/// Returns the page that begins at `from`, and its fields for the next page.
fn page<'a>(all: impl ExactSizeIterator<Item = &'a String>, from: usize) -> (Vec<&'a String>, Value) {
    let next = from.saturating_add(PAGE_SIZE);
    let fields = if next < all.len() {
        json!({"IsTruncated": true, "Marker": next.to_string()})
    } else {
        json!({"IsTruncated": false})
    };
    (all.skip(from).take(PAGE_SIZE).collect(), fields)
}

fn no_such(what: String) -> ApiError {
    ApiError { status: 404, ..ApiError::bad("NoSuchEntity", what) }
}

fn of_name<'a>(world: &'a World, name: &str) -> Result<&'a Role, ApiError> {
    let missing = || no_such(format!("The role with name {name} cannot be found."));
    world.canned.roles.get(name).ok_or_else(missing)
}

fn description(role: &Role) -> Value {
    let boundary = role.boundary.as_ref().map(
        |arn| json!({"PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}}),
    );
    let fields = json!({
        "Path": "/", "RoleName": role.name, "RoleId": "AROA0123456789EXAMPLE", "Arn": location::role_arn(&role.name),
        "CreateDate": CREATED,
    });
    with(fields, boundary.as_ref())
}

fn inline(role: &Role, policy_name: &str) -> Result<Value, ApiError> {
    let missing = || no_such(format!("The role policy with name {policy_name} cannot be found."));
    let document = encoded(role.inline.get(policy_name).ok_or_else(missing)?);
    Ok(json!({"RoleName": role.name, "PolicyName": policy_name, "PolicyDocument": document}))
}

fn managed<'a>(world: &'a World, arn: &str) -> Result<&'a Value, ApiError> {
    let missing = || no_such(format!("Policy {arn} was not found."));
    world.canned.roles.values().find_map(|role| role.attached.get(arn)).ok_or_else(missing)
}

fn of_version(document: &Value, version: &str) -> Result<Value, ApiError> {
    if version != VERSION {
        return Err(no_such(format!("Policy version {version} does not exist.")));
    }
    let document = encoded(document);
    let version = json!({"Document": document, "VersionId": VERSION, "IsDefaultVersion": true, "CreateDate": CREATED});
    Ok(json!({"PolicyVersion": version}))
}

/// Every caller is the same user of the world's account, with any credentials.
fn caller_identity(world: &World) -> Value {
    json!({"Arn": world.location.caller_arn(), "UserId": "AIDALOCALAWSCALLER00", "Account": world.location.account})
}

/// The last part of an ARN.
fn name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// RFC 3986 encodes a space as `%20`, not as a plus.
fn encoded(document: &Value) -> String {
    form_urlencoded::byte_serialize(document.to_string().as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(world: &World, action: Action, fields: &str) -> Result<String, ApiError> {
        IamRequest::parse(action, &Form::parse(fields.as_bytes())).unwrap().and_then(|request| request.run(world))
    }

    fn world() -> World {
        let arn = "arn:aws:iam::123456789012:policy/more";
        let role = (0..101).fold(Role::new("spotdrain"), |role, number| {
            role.policy(&format!("p{number:03}"), json!({"Statement": "a +b"}))
        });
        let mut world = World::new();
        world.add_role(role.attached(arn, json!({"Statement": []})).boundary("arn:aws:iam::123456789012:policy/limit"));
        world
    }

    #[test]
    fn lists_come_in_pages() {
        let world = world();
        let first = asked(&world, Action::ListRolePolicies, "RoleName=spotdrain").unwrap();
        assert!(first.contains("<IsTruncated>true</IsTruncated><Marker>100</Marker>"), "{first}");
        assert_eq!(first.matches("<member>").count(), 100);
        let rest = asked(&world, Action::ListRolePolicies, "RoleName=spotdrain&Marker=100").unwrap();
        assert_eq!(rest.matches("<member>").count(), 1, "{rest}");
        assert!(rest.contains("<member>p100</member>") && rest.contains("<IsTruncated>false</IsTruncated>"), "{rest}");
    }

    #[test]
    fn a_document_is_url_encoded_and_a_plus_is_not_a_blank() {
        let text = asked(&world(), Action::GetRolePolicy, "RoleName=spotdrain&PolicyName=p000").unwrap();
        assert!(text.contains("%7B%22Statement%22%3A%22a%20%2Bb%22%7D"), "{text}");
    }

    #[test]
    fn boundary_default_version_and_missing_policies_are_returned() {
        let world = world();
        let role = asked(&world, Action::GetRole, "RoleName=spotdrain").unwrap();
        assert!(role.contains("policy/limit</PermissionsBoundaryArn>"), "{role}");
        let attached = asked(&world, Action::ListAttachedRolePolicies, "RoleName=spotdrain").unwrap();
        assert!(attached.contains("<PolicyName>more</PolicyName>"), "{attached}");
        let arn = "PolicyArn=arn:aws:iam::123456789012:policy/more";
        assert!(asked(&world, Action::GetPolicy, arn).unwrap().contains("<DefaultVersionId>v2</DefaultVersionId>"));
        assert!(asked(&world, Action::GetPolicyVersion, &format!("{arn}&VersionId=v2")).is_ok());
        let table = [
            (Action::GetRole, "RoleName=other".to_owned(), "NoSuchEntity"),
            (Action::GetRolePolicy, "RoleName=spotdrain&PolicyName=x".to_owned(), "NoSuchEntity"),
            (Action::GetPolicy, "PolicyArn=x".to_owned(), "NoSuchEntity"),
            (Action::GetPolicyVersion, format!("{arn}&VersionId=v1"), "NoSuchEntity"),
            (Action::GetRole, String::new(), "ValidationError"),
            (Action::ListRolePolicies, "RoleName=spotdrain&Marker=x".to_owned(), "ValidationError"),
        ];
        for (action, fields, code) in table {
            assert_eq!(asked(&world, action, &fields).unwrap_err().code, code, "{action} {fields}");
        }
    }
}

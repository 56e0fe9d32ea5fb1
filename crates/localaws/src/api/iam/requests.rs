//! Parses and runs the requests of IAM that read a role and its policies, and `GetCallerIdentity` of STS.
//!
//! Lists have pages of 100, and documents are URL-encoded after RFC 3986 (IAM API, `ListRolePolicies` and `GetRolePolicy`).

use serde_json::Value;

use crate::api::iam::shapes::{
    AttachedResult, AttachedShape, BoundaryShape, CREATED, IdentityResult, InlineResult, NamesResult, PolicyPage,
    PolicyResult, PolicyShape, RoleResult, RoleShape, VersionResult, VersionShape,
};
use crate::call::action::{Action, Api};
use crate::call::error::ApiError;
use crate::call::log::Subject;
use crate::location;
use crate::model::canned::Role;
use crate::model::world::World;
use crate::protocol::form::Form;
use crate::protocol::query;

const PAGE_SIZE: usize = 100;

/// The only version of a managed policy. It is not `v1`, as if the policy had been changed once.
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

    /// Runs the request, and returns the `…Result` element.
    pub(crate) fn run(self, world: &World) -> Result<String, ApiError> {
        match self {
            Self::Role(role) => query::result(Action::GetRole, &RoleResult { role: shape(of_name(world, &role)?) }),
            Self::Inline { role, from } => {
                let (names, page) = page(of_name(world, &role)?.inline.keys(), from);
                let policy_names = names.iter().map(|name| name.as_str()).collect();
                query::result(Action::ListRolePolicies, &NamesResult { policy_names, page })
            }
            Self::InlinePolicy { role, policy } => inline(of_name(world, &role)?, &policy),
            Self::Attached { role, from } => {
                let (arns, page) = page(of_name(world, &role)?.attached.keys(), from);
                let attached = arns.into_iter().map(|arn| AttachedShape { policy_name: name(arn), policy_arn: arn });
                let attached_policies = attached.collect();
                query::result(Action::ListAttachedRolePolicies, &AttachedResult { attached_policies, page })
            }
            Self::Policy(arn) => {
                managed(world, &arn)?;
                let policy = PolicyShape { policy_name: name(&arn), arn: &arn, default_version_id: VERSION };
                query::result(Action::GetPolicy, &PolicyResult { policy })
            }
            Self::Version { policy, version } => of_version(managed(world, &policy)?, &version),
            Self::CallerIdentity => caller_identity(world),
        }
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

fn page<'a>(all: impl ExactSizeIterator<Item = &'a String>, from: usize) -> (Vec<&'a String>, PolicyPage) {
    let next = from.saturating_add(PAGE_SIZE);
    let marker = (next < all.len()).then(|| next.to_string());
    (all.skip(from).take(PAGE_SIZE).collect(), PolicyPage { is_truncated: marker.is_some(), marker })
}

fn no_such(what: String) -> ApiError {
    ApiError { status: 404, ..ApiError::bad("NoSuchEntity", what) }
}

fn of_name<'a>(world: &'a World, name: &str) -> Result<&'a Role, ApiError> {
    let missing = || no_such(format!("The role with name {name} cannot be found."));
    world.canned.roles.get(name).ok_or_else(missing)
}

fn shape(role: &Role) -> RoleShape<'_> {
    let boundary = role.boundary.as_deref();
    RoleShape {
        path: "/",
        role_name: &role.name,
        role_id: "AROA0123456789EXAMPLE",
        arn: location::role_arn(&role.name),
        create_date: CREATED,
        permissions_boundary: boundary.map(|permissions_boundary_arn| BoundaryShape {
            permissions_boundary_type: "Policy",
            permissions_boundary_arn,
        }),
    }
}

fn inline(role: &Role, policy_name: &str) -> Result<String, ApiError> {
    let missing = || no_such(format!("The role policy with name {policy_name} cannot be found."));
    let policy_document = encoded(role.inline.get(policy_name).ok_or_else(missing)?);
    query::result(Action::GetRolePolicy, &InlineResult { role_name: &role.name, policy_name, policy_document })
}

fn managed<'a>(world: &'a World, arn: &str) -> Result<&'a Value, ApiError> {
    let missing = || no_such(format!("Policy {arn} was not found."));
    world.canned.roles.values().find_map(|role| role.attached.get(arn)).ok_or_else(missing)
}

fn of_version(document: &Value, version: &str) -> Result<String, ApiError> {
    if version != VERSION {
        return Err(no_such(format!("Policy version {version} does not exist.")));
    }
    let document = encoded(document);
    let policy_version = VersionShape { document, version_id: VERSION, is_default_version: true, create_date: CREATED };
    query::result(Action::GetPolicyVersion, &VersionResult { policy_version })
}

/// Every caller is the same user of the world's account, whatever the credentials are.
fn caller_identity(world: &World) -> Result<String, ApiError> {
    let (arn, account) = (world.location.caller_arn(), world.location.account.as_str());
    query::result(Action::GetCallerIdentity, &IdentityResult { arn, user_id: "AIDALOCALAWSCALLER00", account })
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

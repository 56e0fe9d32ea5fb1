//! The XML of a role, its policies, and the caller's identity.
//!
//! The shapes are the API's `Role`, `AttachedPolicy`, `Policy` and `PolicyVersion` (botocore, `iam`, 2010-05-08), limited to the
//! fields that this repository reads.

use serde::Serialize;

use crate::protocol::query::Members;

/// The creation date of everything.
pub(crate) const CREATED: &str = "2026-01-01T00:00:00Z";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RoleResult<'a> {
    pub(crate) role: RoleShape<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RoleShape<'a> {
    pub(crate) path: &'static str,
    pub(crate) role_name: &'a str,
    pub(crate) role_id: &'static str,
    pub(crate) arn: String,
    pub(crate) create_date: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) permissions_boundary: Option<BoundaryShape<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct BoundaryShape<'a> {
    pub(crate) permissions_boundary_type: &'static str,
    pub(crate) permissions_boundary_arn: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NamesResult<'a> {
    pub(crate) policy_names: Members<&'a str>,
    #[serde(flatten)]
    pub(crate) page: PolicyPage,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AttachedResult<'a> {
    pub(crate) attached_policies: Members<AttachedShape<'a>>,
    #[serde(flatten)]
    pub(crate) page: PolicyPage,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct AttachedShape<'a> {
    pub(crate) policy_name: &'a str,
    pub(crate) policy_arn: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PolicyPage {
    pub(crate) is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct InlineResult<'a> {
    pub(crate) role_name: &'a str,
    pub(crate) policy_name: &'a str,
    pub(crate) policy_document: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PolicyResult<'a> {
    pub(crate) policy: PolicyShape<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PolicyShape<'a> {
    pub(crate) policy_name: &'a str,
    pub(crate) arn: &'a str,
    pub(crate) default_version_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VersionResult {
    pub(crate) policy_version: VersionShape,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct VersionShape {
    pub(crate) document: String,
    pub(crate) version_id: &'static str,
    pub(crate) is_default_version: bool,
    pub(crate) create_date: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct IdentityResult<'a> {
    pub(crate) arn: String,
    pub(crate) user_id: &'static str,
    pub(crate) account: &'a str,
}

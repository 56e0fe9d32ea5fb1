//! The policies of the function's role, its own and the attached ones, for the same checks as a template's.
//!
//! The policies of the organization are not read. IAM returns documents URL-encoded, after RFC 3986.
//! Sources: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html>,
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html>

use aws_sdk_iam::Client;
use percent_encoding::percent_decode_str;
use spotdrain_doctor::iam::{Statement, anything, boundary};
use spotdrain_doctor::model::setting::Setting;
use spotdrain_doctor::template::policy;

use super::asker::{Asker, Budget, Refusal};
use super::unknown;

/// Returns the statements that apply to the role of this ARN.
pub(crate) async fn statements(asker: &Asker<'_>, arn: Option<&str>) -> Setting<Vec<Statement>> {
    let Some(name) = arn.and_then(|arn| arn.rsplit('/').next()) else {
        return unknown("ListFunctions named no role of the function");
    };
    let reader = Reader { asker, client: aws_sdk_iam::Client::new(asker.aws.config()), role: name };
    let limit = reader.boundary().await;
    match limit {
        // IAM has no endpoint in the Region, and a closed network may not reach it: do not wait for it again.
        Err(Refusal { code: None, message }) => return Setting::Unknown(message),
        // A role that was deleted allows nothing.
        Err(Refusal { code: Some(code), .. }) if code == "NoSuchEntity" => return Setting::Set(Vec::new()),
        Ok(_) | Err(_) => {}
    }
    let parts = [limit, reader.own().await, reader.attached().await];
    Setting::Set(parts.into_iter().flat_map(|part| part.unwrap_or_else(|refusal| unread(&refusal))).collect())
}

/// A policy that could not be read.
fn unread(refusal: &Refusal) -> Vec<Statement> {
    anything(&refusal.message).to_vec()
}

type Read = Result<Vec<Statement>, Refusal>;

struct Reader<'a> {
    asker: &'a Asker<'a>,
    client: Client,
    role: &'a str,
}

impl Reader<'_> {
    async fn boundary(&self) -> Read {
        let request = self.client.get_role().role_name(self.role);
        let answer = self.asker.ask("GetRole", Budget::Other, || request.clone().send()).await?;
        let found = answer.role().and_then(|role| role.permissions_boundary());
        Ok(found.and_then(|found| found.permissions_boundary_arn()).map(boundary).into_iter().collect())
    }

    async fn own(&self) -> Read {
        let mut statements = Vec::new();
        for name in self.names().await? {
            statements.extend(self.of_own(&name).await.unwrap_or_else(|refusal| unread(&refusal)));
        }
        Ok(statements)
    }

    async fn names(&self) -> Result<Vec<String>, Refusal> {
        let (mut names, mut marker) = (Vec::new(), None);
        loop {
            let request = self.client.list_role_policies().role_name(self.role).set_marker(marker);
            let answer = self.asker.ask("ListRolePolicies", Budget::Other, || request.clone().send()).await?;
            names.extend(answer.policy_names().iter().cloned());
            marker = answer.marker().map(str::to_owned);
            if !answer.is_truncated() || marker.is_none() {
                return Ok(names);
            }
        }
    }

    async fn of_own(&self, name: &str) -> Read {
        let request = self.client.get_role_policy().role_name(self.role).policy_name(name);
        let answer = self.asker.ask("GetRolePolicy", Budget::Other, || request.clone().send()).await?;
        Ok(document(Some(answer.policy_document())))
    }

    async fn attached(&self) -> Read {
        let mut statements = Vec::new();
        for arn in self.arns().await? {
            statements.extend(self.of_attached(&arn).await.unwrap_or_else(|refusal| unread(&refusal)));
        }
        Ok(statements)
    }

    async fn arns(&self) -> Result<Vec<String>, Refusal> {
        let (mut arns, mut marker) = (Vec::new(), None);
        loop {
            let request = self.client.list_attached_role_policies().role_name(self.role).set_marker(marker);
            let answer = self.asker.ask("ListAttachedRolePolicies", Budget::Other, || request.clone().send()).await?;
            arns.extend(answer.attached_policies().iter().filter_map(|policy| policy.policy_arn().map(str::to_owned)));
            marker = answer.marker().map(str::to_owned);
            if !answer.is_truncated() || marker.is_none() {
                return Ok(arns);
            }
        }
    }

    /// The version that is in force.
    async fn of_attached(&self, arn: &str) -> Read {
        let request = self.client.get_policy().policy_arn(arn);
        let answer = self.asker.ask("GetPolicy", Budget::Other, || request.clone().send()).await?;
        let version = answer.policy().and_then(|policy| policy.default_version_id()).unwrap_or_default();
        let request = self.client.get_policy_version().policy_arn(arn).version_id(version);
        let answer = self.asker.ask("GetPolicyVersion", Budget::Other, || request.clone().send()).await?;
        Ok(document(answer.policy_version().and_then(|version| version.document())))
    }
}

fn document(encoded: Option<&str>) -> Vec<Statement> {
    let decoded = percent_decode_str(encoded.unwrap_or_default()).decode_utf8_lossy();
    policy(&decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_is_no_blank_and_what_is_no_document_is_not_known() {
        let text = "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22a+b%20c%22%7D%7D";
        let actions = |encoded| document(encoded).into_iter().map(|one| one.actions).collect::<Vec<_>>();
        assert_eq!(actions(Some(text)), [Setting::Set(vec!["a+b c".to_owned()])]);
        for wrong in [None, Some(""), Some("%7B")] {
            assert!(actions(wrong).iter().all(|actions| matches!(actions, Setting::Unknown(_))), "{wrong:?}");
            assert_eq!(document(wrong).len(), 2);
        }
    }
}

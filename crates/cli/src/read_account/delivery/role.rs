//! The policies of the function's role: inline, attached, and its permissions boundary. Service control policies are not read.
//!
//! IAM returns policy documents URL-encoded (RFC 3986).
//! Sources: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html>,
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html>

use aws_sdk_iam::Client;
use percent_encoding::percent_decode_str;
use spotdrain_core::model::arn::last_segment;
use spotdrain_doctor::iam::{Statement, anything, boundary};
use spotdrain_doctor::model::setting::Setting;
use spotdrain_doctor::template::policy;

use crate::read_account::paced_client::{CallBudget, CallFailure, PacedClient};
use crate::read_account::unknown;

/// Returns the statements that apply to the role of this ARN.
pub(crate) async fn statements(client: &PacedClient<'_>, arn: Option<&str>) -> Setting<Vec<Statement>> {
    let Some(name) = arn.map(last_segment) else {
        return unknown("ListFunctions returned no role for the function");
    };
    let reader = Reader { client, iam: aws_sdk_iam::Client::new(client.aws.config()), role: name };
    let limit = reader.boundary().await;
    match limit {
        // IAM's endpoint is outside the Region, and a closed network may not reach it: do not wait for more timeouts.
        Err(CallFailure { code: None, message }) => return Setting::Unknown(message),
        // A deleted role allows nothing.
        Err(CallFailure { code: Some(code), .. }) if code == "NoSuchEntity" => return Setting::Set(Vec::new()),
        Ok(_) | Err(_) => {}
    }
    let parts = [limit, reader.inline().await, reader.attached().await];
    Setting::Set(parts.into_iter().flat_map(|part| part.unwrap_or_else(|failure| unread(&failure))).collect())
}

/// The statements for a policy that could not be read: it may allow or deny anything.
fn unread(failure: &CallFailure) -> Vec<Statement> {
    anything(&failure.message).to_vec()
}

type StatementsResult = Result<Vec<Statement>, CallFailure>;

struct Reader<'a> {
    client: &'a PacedClient<'a>,
    iam: Client,
    role: &'a str,
}

impl Reader<'_> {
    async fn boundary(&self) -> StatementsResult {
        let request = self.iam.get_role().role_name(self.role);
        let answer = self.client.call("GetRole", CallBudget::Other, || request.clone().send()).await?;
        let found = answer.role().and_then(|role| role.permissions_boundary());
        Ok(found.and_then(|found| found.permissions_boundary_arn()).map(boundary).into_iter().collect())
    }

    async fn inline(&self) -> StatementsResult {
        let mut statements = Vec::new();
        for name in self.inline_names().await? {
            statements.extend(self.inline_policy(&name).await.unwrap_or_else(|failure| unread(&failure)));
        }
        Ok(statements)
    }

    async fn inline_names(&self) -> Result<Vec<String>, CallFailure> {
        let (mut names, mut marker) = (Vec::new(), None);
        loop {
            let request = self.iam.list_role_policies().role_name(self.role).set_marker(marker);
            let answer = self.client.call("ListRolePolicies", CallBudget::Other, || request.clone().send()).await?;
            names.extend(answer.policy_names().iter().cloned());
            marker = answer.marker().map(str::to_owned);
            if !answer.is_truncated() || marker.is_none() {
                return Ok(names);
            }
        }
    }

    async fn inline_policy(&self, name: &str) -> StatementsResult {
        let request = self.iam.get_role_policy().role_name(self.role).policy_name(name);
        let answer = self.client.call("GetRolePolicy", CallBudget::Other, || request.clone().send()).await?;
        Ok(document(Some(answer.policy_document())))
    }

    async fn attached(&self) -> StatementsResult {
        let mut statements = Vec::new();
        for arn in self.attached_arns().await? {
            statements.extend(self.attached_policy(&arn).await.unwrap_or_else(|failure| unread(&failure)));
        }
        Ok(statements)
    }

    async fn attached_arns(&self) -> Result<Vec<String>, CallFailure> {
        let (mut arns, mut marker) = (Vec::new(), None);
        loop {
            let request = self.iam.list_attached_role_policies().role_name(self.role).set_marker(marker);
            let answer =
                self.client.call("ListAttachedRolePolicies", CallBudget::Other, || request.clone().send()).await?;
            arns.extend(answer.attached_policies().iter().filter_map(|policy| policy.policy_arn().map(str::to_owned)));
            marker = answer.marker().map(str::to_owned);
            if !answer.is_truncated() || marker.is_none() {
                return Ok(arns);
            }
        }
    }

    /// Reads the policy's default version, which is the one in force.
    async fn attached_policy(&self, arn: &str) -> StatementsResult {
        let request = self.iam.get_policy().policy_arn(arn);
        let answer = self.client.call("GetPolicy", CallBudget::Other, || request.clone().send()).await?;
        let version = answer.policy().and_then(|policy| policy.default_version_id()).unwrap_or_default();
        let request = self.iam.get_policy_version().policy_arn(arn).version_id(version);
        let answer = self.client.call("GetPolicyVersion", CallBudget::Other, || request.clone().send()).await?;
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
    fn a_plus_stays_a_plus_and_an_unreadable_document_is_unknown() {
        let text = "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22a+b%20c%22%7D%7D";
        let actions = |encoded| document(encoded).into_iter().map(|one| one.actions).collect::<Vec<_>>();
        assert_eq!(actions(Some(text)), [Setting::Set(vec!["a+b c".to_owned()])]);
        for wrong in [None, Some(""), Some("%7B")] {
            assert!(actions(wrong).iter().all(|actions| matches!(actions, Setting::Unknown(_))), "{wrong:?}");
            assert_eq!(document(wrong).len(), 2);
        }
    }
}

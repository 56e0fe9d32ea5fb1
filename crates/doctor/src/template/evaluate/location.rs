//! The account, the Region and CloudFormation's pseudo parameters. If they are not given, the same placeholders
//! are used everywhere, so that references to the same resource are the same text. A condition is never decided by a placeholder.
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/pseudo-parameter-reference.html>

use crate::template::evaluate::value::Data;

const STACK: &str = "stack";

/// The account and Region in which a template is deployed, if they are given.
#[derive(Debug, Clone, Default)]
pub struct Location {
    /// The account's twelve digits.
    pub account: Option<String>,
    /// The Region, such as `eu-central-1`.
    pub region: Option<String>,
}

impl Location {
    pub(crate) fn region(&self) -> &str {
        self.region.as_deref().unwrap_or("eu-central-1")
    }

    pub(crate) fn account(&self) -> &str {
        self.account.as_deref().unwrap_or("123456789012")
    }

    /// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>
    fn partition(&self) -> &'static str {
        match self.region().split('-').next() {
            Some("cn") => "aws-cn",
            Some("eusc") => "aws-eusc",
            Some("us") if self.region().starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }

    pub(crate) fn suffix(&self) -> &'static str {
        match self.partition() {
            "aws-cn" => "amazonaws.com.cn",
            "aws-eusc" => "amazonaws.eu",
            _ => "amazonaws.com",
        }
    }

    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition(), self.region(), self.account())
    }

    /// An ARN without Region, as IAM's are.
    pub(crate) fn global_arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}::{}:{resource}", self.partition(), self.account())
    }

    /// Replaces placeholders in a text by `*`.
    pub(crate) fn widest(&self, text: &str) -> String {
        let mut wide = text.replace(STACK, "*");
        if self.region.is_none() {
            wide = wide.replace(self.region(), "*");
        }
        if self.account.is_none() {
            wide = wide.replace(self.account(), "*");
        }
        wide
    }

    /// Returns the value of a pseudo parameter, if the name is one.
    pub(crate) fn pseudo(&self, name: &str) -> Option<Data> {
        let text = |text: &str| Data::Text(text.to_owned());
        Some(match name.strip_prefix("AWS::")? {
            "Region" => text(self.region()),
            "AccountId" => text(self.account()),
            "Partition" => text(self.partition()),
            "StackName" => text(STACK),
            "URLSuffix" => text(self.suffix()),
            "StackId" => {
                Data::Text(self.arn("cloudformation", &format!("stack/{STACK}/00000000-0000-4000-8000-000000000000")))
            }
            "NoValue" => Data::Nothing,
            other => Data::unknown(format!("AWS::{other} is known only at the deployment")),
        })
    }

    /// Returns why the value of a pseudo parameter is a placeholder, if it is one.
    pub(crate) fn placeholder(&self, name: &str) -> Option<String> {
        match name.strip_prefix("AWS::")? {
            "Region" if self.region.is_none() => Some("AWS::Region is unknown: give --region".to_owned()),
            "AccountId" if self.account.is_none() => Some("AWS::AccountId is unknown: give --account".to_owned()),
            "StackName" | "StackId" => Some(format!("{name} is known only at the deployment")),
            _ => None,
        }
    }
}

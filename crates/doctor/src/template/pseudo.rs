//! CloudFormation's pseudo parameters. Before a deployment there is no account and no Region: placeholders stand for them,
//! the same everywhere in an estate, so that what refers to the same thing is the same text.
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/pseudo-parameter-reference.html>

use crate::template::value::Data;

/// The Region, the account and the stack that stand for the real ones.
pub(crate) const REGION: &str = "eu-central-1";
pub(crate) const ACCOUNT: &str = "123456789012";
const STACK: &str = "stack";

/// An ARN of the placeholders.
pub(crate) fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")
}

/// The value of a pseudo parameter, if the name is one.
pub(crate) fn pseudo(name: &str) -> Option<Data> {
    let text = |text: &str| Data::Text(text.to_owned());
    Some(match name.strip_prefix("AWS::")? {
        "Region" => text(REGION),
        "AccountId" => text(ACCOUNT),
        "Partition" => text("aws"),
        "StackName" => text(STACK),
        "URLSuffix" => text("amazonaws.com"),
        "StackId" => Data::Text(arn("cloudformation", &format!("stack/{STACK}/00000000-0000-4000-8000-000000000000"))),
        "NoValue" => Data::Nothing,
        other => Data::Unknown(format!("AWS::{other} is known only to CloudFormation")),
    })
}

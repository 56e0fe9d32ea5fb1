//! Which ARN has each queue and role of the one account and Region that they are in?
//!
//! The names are fixed so that a test can write an ARN down. ECS and `ELBv2` are where the world is: see
//! [`Location`](crate::Location).

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "eu-central-1";

pub(crate) fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

/// IAM has no Regions.
pub(crate) fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

//! Which ARN has each thing of the one account and Region that is played?
//!
//! The names are fixed so that a test can write an ARN down.

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "eu-central-1";

fn arn(service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")
}

pub(crate) fn cluster_arn(name: &str) -> String {
    arn("ecs", &format!("cluster/{name}"))
}

pub(crate) fn service_arn(cluster: &str, name: &str) -> String {
    arn("ecs", &format!("service/{cluster}/{name}"))
}

pub(crate) fn task_arn(cluster: &str, id: &str) -> String {
    arn("ecs", &format!("task/{cluster}/{id}"))
}

pub(crate) fn task_definition_arn(family: &str) -> String {
    arn("ecs", &format!("task-definition/{family}:1"))
}

pub(crate) fn group_arn(name: &str, id: &str) -> String {
    arn("elasticloadbalancing", &format!("targetgroup/{name}/{id}"))
}

pub(crate) fn queue_arn(name: &str) -> String {
    arn("sqs", name)
}

/// IAM has no Regions.
pub(crate) fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

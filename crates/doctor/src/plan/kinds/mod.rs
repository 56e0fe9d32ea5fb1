//! The kinds of resources that are read, and what each of their attributes may refer to.

mod balancing;
mod delivery;
mod roles;
mod services;

pub(crate) use delivery::target;

use crate::template::evaluate::value::Value;

/// A kind of resource of the AWS provider, and the corresponding kind of CloudFormation.
#[derive(Debug)]
pub(crate) struct ResourceKind {
    pub(crate) terraform: &'static str,
    pub(crate) cloudformation: &'static str,
    /// Converts the provider's attributes to CloudFormation's properties.
    pub(crate) properties: fn(&Value) -> Vec<(String, Value)>,
}

impl ResourceKind {
    const fn new(
        terraform: &'static str,
        cloudformation: &'static str,
        properties: fn(&Value) -> Vec<(String, Value)>,
    ) -> Self {
        Self { terraform, cloudformation, properties }
    }
}

/// What an attribute may refer to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinkTarget {
    pub(crate) kinds: &'static [&'static str],
    pub(crate) link: Link,
    /// Whether the attribute is a list of them.
    pub(crate) is_list: bool,
}

/// How an attribute names a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    Arn,
    Id,
    /// `service/CLUSTER/SERVICE`, as in Application Auto Scaling.
    ResourceId,
}

/// Aliases of the provider.
const ALIASES: [(&str, &str); 5] = [
    ("aws_alb", "aws_lb"),
    ("aws_alb_target_group", "aws_lb_target_group"),
    ("aws_alb_listener", "aws_lb_listener"),
    ("aws_alb_listener_rule", "aws_lb_listener_rule"),
    ("aws_codedeploy_deploymentgroup", "aws_codedeploy_deployment_group"),
];

const TARGET_GROUP: &[&str] = &["aws_lb_target_group", "aws_alb_target_group"];

/// Returns the kind of a resource's type, if it is one that is read.
pub(crate) fn of(terraform: &str) -> Option<&'static ResourceKind> {
    let name = canonical(terraform);
    let families = [services::KINDS, balancing::KINDS, delivery::KINDS, roles::KINDS];
    families.into_iter().flatten().find(|kind| kind.terraform == name)
}

pub(crate) fn canonical(kind: &str) -> &str {
    ALIASES.iter().find(|(alias, _)| *alias == kind).map_or(kind, |(_, name)| name)
}

/// Returns what an attribute of a kind may refer to.
pub(crate) fn wanted(kind: &str, attribute: &str) -> Option<LinkTarget> {
    let to = |kinds, link| Some(LinkTarget { kinds, link, is_list: false });
    match (canonical(kind), attribute) {
        ("aws_appautoscaling_target", "resource_id") => to(&["aws_ecs_service"], Link::ResourceId),
        ("aws_cloudwatch_event_target", "arn") => to(&["aws_sqs_queue", "aws_lambda_function"], Link::Arn),
        ("aws_cloudwatch_event_target", "rule") => to(&["aws_cloudwatch_event_rule"], Link::Arn),
        ("aws_lb_listener" | "aws_lb_listener_rule", "arn")
        | ("aws_codedeploy_deployment_group", "name")
        | (_, "target_group_arn" | "alternate_target_group_arn") => to(TARGET_GROUP, Link::Arn),
        ("aws_ecs_task_set", "service") => to(&["aws_ecs_service"], Link::Arn),
        (_, "cluster" | "cluster_name") => to(&["aws_ecs_cluster"], Link::Arn),
        (_, "task_definition") => to(&["aws_ecs_task_definition"], Link::Arn),
        (_, "load_balancer_arn") => to(&["aws_lb", "aws_alb"], Link::Arn),
        (_, "listener_arn") => to(&["aws_lb_listener", "aws_alb_listener"], Link::Arn),
        (_, "role") => to(&["aws_iam_role"], Link::Id),
        (_, "queue_url" | "event_source_arn") => to(&["aws_sqs_queue"], Link::Arn),
        (_, "function_name") => to(&["aws_lambda_function"], Link::Arn),
        (_, "policy_arn") => to(&["aws_iam_policy"], Link::Arn),
        // In a policy document.
        (_, "resources") => Some(LinkTarget { kinds: IN_POLICIES, link: Link::Arn, is_list: true }),
        (_, "subnets") => Some(LinkTarget { kinds: &["aws_subnet"], link: Link::Id, is_list: true }),
        (_, "subnet_id") => to(&["aws_subnet"], Link::Id),
        _ => None,
    }
}

/// Resources that a policy statement names by their plain ARN, without a suffix such as `:*`.
const IN_POLICIES: &[&str] = &["aws_sqs_queue"];

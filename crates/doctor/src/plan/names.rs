//! The names, ids and ARNs of instances. What AWS has not yet assigned is made from the name, or else from the address, so
//! that references to the same resource are the same text.

use serde_json::Value as Json;

use crate::plan::choose::{Choice, Links};
use crate::plan::graph::Instance;
use crate::plan::kinds::{self, Link};
use spotdrain_core::model::arn::last_segment;

impl Links<'_, '_> {
    /// Returns the ARN of an instance, if it is of a kind whose ARN matters here.
    pub(crate) fn arn(&self, instance: &Instance<'_>) -> Option<String> {
        let id = ["arn", "id"].iter().find_map(|key| known(instance, key)).filter(|text| text.starts_with("arn:"));
        let name = name(instance);
        let arn = |service: &str, resource: String| Some(self.location.arn(service, &resource));
        let balancing = |kind: &str| arn("elasticloadbalancing", format!("{kind}/{name}/0123456789abcdef"));
        if id.is_some() {
            return id.map(str::to_owned);
        }
        match kinds::canonical(instance.kind) {
            "aws_ecs_cluster" => arn("ecs", format!("cluster/{name}")),
            "aws_ecs_service" => arn("ecs", format!("service/{}/{name}", self.cluster_name(instance))),
            "aws_ecs_task_definition" => arn("ecs", format!("task-definition/{name}:1")),
            "aws_lb_target_group" => balancing("targetgroup"),
            "aws_lb" => balancing("loadbalancer/net"),
            "aws_lb_listener" => balancing("listener/net"),
            "aws_sqs_queue" => arn("sqs", name),
            "aws_lambda_function" => arn("lambda", format!("function:{name}")),
            "aws_cloudwatch_event_rule" => arn("events", rule_resource(instance, &name)),
            "aws_iam_role" => Some(self.location.global_arn("iam", &format!("role/{name}"))),
            "aws_iam_policy" => Some(self.location.global_arn("iam", &format!("policy/{name}"))),
            _ => None,
        }
    }

    /// Returns the `id` of an instance.
    pub(crate) fn id(&self, instance: &Instance<'_>) -> String {
        if let Some(id) = known(instance, "id") {
            return id.to_owned();
        }
        let location = self.location;
        match kinds::canonical(instance.kind) {
            "aws_sqs_queue" => {
                let (region, suffix, account) = (location.region(), location.suffix(), location.account());
                format!("https://sqs.{region}.{suffix}/{account}/{}", name(instance))
            }
            "aws_iam_role" | "aws_lambda_function" | "aws_cloudwatch_event_rule" => name(instance),
            _ => self.arn(instance).unwrap_or_else(|| instance.address.to_owned()),
        }
    }

    /// Returns the text by which an attribute refers to an instance.
    pub(crate) fn link(&self, instance: &Instance<'_>, link: Link) -> String {
        match link {
            Link::Arn => self.arn(instance).unwrap_or_else(|| self.id(instance)),
            Link::Id => self.id(instance),
            Link::ResourceId => format!("service/{}/{}", self.cluster_name(instance), name(instance)),
        }
    }

    /// The name of a service's cluster, `*` where it is unknown.
    fn cluster_name(&self, service: &Instance<'_>) -> String {
        if let Some(text) = known(service, "cluster") {
            return last_segment(text).to_owned();
        }
        let Some(expression) = service.configuration.and_then(|own| own.pointer("/expressions/cluster")) else {
            let is_default = service.unknown.is_none_or(|all| all.get("cluster").is_none());
            return if is_default { "default".to_owned() } else { "*".to_owned() };
        };
        match self.choose(service, expression, &["aws_ecs_cluster"]) {
            Choice::One(at) => self.graph.instance(at).map_or_else(|| "*".to_owned(), |one| name(one)),
            _ => "*".to_owned(),
        }
    }
}

/// Returns the name that an instance is given, or its address in characters that names may have.
pub(crate) fn name(instance: &Instance<'_>) -> String {
    let attribute = match kinds::canonical(instance.kind) {
        "aws_ecs_task_definition" => "family",
        "aws_lambda_function" => "function_name",
        _ => "name",
    };
    let given = known(instance, attribute).map(str::to_owned);
    given.unwrap_or_else(|| instance.address.replace(|one: char| !one.is_ascii_alphanumeric(), "-"))
}

/// The rule of another bus has the bus in its ARN.
fn rule_resource(rule: &Instance<'_>, name: &str) -> String {
    match known(rule, "event_bus_name") {
        Some(bus) if bus != "default" => format!("rule/{}/{name}", last_segment(bus)),
        _ => format!("rule/{name}"),
    }
}

/// A text that is known and not empty.
pub(crate) fn known<'i>(instance: &'i Instance<'_>, attribute: &str) -> Option<&'i str> {
    instance.values.get(attribute).and_then(Json::as_str).filter(|text| !text.is_empty())
}

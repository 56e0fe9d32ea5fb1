//! The names and ARNs of resources. Before a deployment there is no ARN, so one is made from the name, or else from the
//! logical id.
//! Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html>

use crate::model::setting::Setting;

use crate::template::evaluate::resolve::Resolver;
use crate::template::evaluate::value::Data;
use crate::template::syntax::node::Node;
use spotdrain_core::model::arn::last_segment;

/// Returns the value of `!Ref`.
pub(crate) fn reference(resolver: Resolver<'_>, id: &str) -> String {
    match kind(resolver, id) {
        "AWS::ECS::Cluster"
        | "AWS::Events::Rule"
        | "AWS::IAM::Role"
        | "AWS::Lambda::Function"
        | "AWS::Serverless::Function" => name(resolver, id),
        "AWS::SQS::Queue" => {
            let location = &resolver.stack.location;
            let (region, suffix, account) = (location.region(), location.suffix(), location.account());
            format!("https://sqs.{region}.{suffix}/{account}/{}", name(resolver, id))
        }
        _ => arn_of(resolver, id).unwrap_or_else(|| format!("{}{id}", resolver.stack.prefix)),
    }
}

/// Returns the value of `!GetAtt`, or why it is unknown.
pub(crate) fn attribute(resolver: Resolver<'_>, id: &str, attribute: &str) -> Result<String, String> {
    if resolver.stack.resource(id).is_none() {
        return Err(format!("{id} is not a resource of this template"));
    }
    let found = match attribute {
        "Arn" | "ServiceArn" | "TargetGroupArn" | "TaskDefinitionArn" | "LoadBalancerArn" | "ListenerArn" => {
            arn_of(resolver, id)
        }
        "Name" | "QueueName" | "TargetGroupName" | "RoleName" => Some(name(resolver, id)),
        "SubnetId" | "VpcId" | "GroupId" | "CidrBlock" => Some(reference(resolver, id)),
        _ => None,
    };
    found.ok_or_else(|| format!("!GetAtt {id}.{attribute} is known only after the deployment"))
}

/// A resource's ARN, if the doctor needs it.
pub(crate) fn arn_of(resolver: Resolver<'_>, id: &str) -> Option<String> {
    let name = name(resolver, id);
    let arn = |service: &str, resource: &str| resolver.stack.location.arn(service, resource);
    Some(match kind(resolver, id) {
        "AWS::ECS::Cluster" => arn("ecs", &format!("cluster/{name}")),
        "AWS::ECS::Service" => arn("ecs", &format!("service/{}/{name}", cluster_of(resolver, id))),
        "AWS::ECS::TaskDefinition" => arn("ecs", &format!("task-definition/{name}:1")),
        "AWS::ElasticLoadBalancingV2::TargetGroup" => {
            arn("elasticloadbalancing", &format!("targetgroup/{name}/0123456789abcdef"))
        }
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => {
            arn("elasticloadbalancing", &format!("loadbalancer/net/{name}/0123456789abcdef"))
        }
        "AWS::ElasticLoadBalancingV2::Listener" => {
            arn("elasticloadbalancing", &format!("listener/net/{name}/0123456789abcdef/0123456789abcdef"))
        }
        "AWS::SQS::Queue" => arn("sqs", &name),
        "AWS::Lambda::Function" | "AWS::Serverless::Function" => arn("lambda", &format!("function:{name}")),
        "AWS::Events::Rule" => arn("events", &rule_resource(resolver, id, &name)),
        "AWS::IAM::Role" => resolver.stack.location.global_arn("iam", &format!("role/{name}")),
        _ => return None,
    })
}

/// The ARN of a rule on another bus contains the bus.
fn rule_resource(resolver: Resolver<'_>, id: &str, name: &str) -> String {
    match property_of(resolver, id, "EventBusName") {
        Some(bus) if bus != "default" => format!("rule/{}/{name}", last_segment(&bus)),
        _ => format!("rule/{name}"),
    }
}

fn kind<'a>(resolver: Resolver<'a>, id: &str) -> &'a str {
    resolver.stack.resource(id).and_then(|body| body.get("Type")).and_then(Node::text).unwrap_or_default()
}

/// Returns the name of a resource, or its logical id with only the characters that names may have.
pub(crate) fn name(resolver: Resolver<'_>, id: &str) -> String {
    let property = match kind(resolver, id) {
        "AWS::ECS::Cluster" => "ClusterName",
        "AWS::ECS::Service" => "ServiceName",
        "AWS::ECS::TaskDefinition" => "Family",
        "AWS::SQS::Queue" => "QueueName",
        "AWS::Lambda::Function" | "AWS::Serverless::Function" => "FunctionName",
        "AWS::IAM::Role" => "RoleName",
        _ => "Name",
    };
    let given = property_of(resolver, id, property);
    let own = || format!("{}{id}", resolver.stack.prefix).replace(['/', ':'], "-");
    given.unwrap_or_else(own)
}

fn cluster_of(resolver: Resolver<'_>, id: &str) -> String {
    let cluster = property_of(resolver, id, "Cluster").unwrap_or_else(|| "default".to_owned());
    last_segment(&cluster).to_owned()
}

fn property_of(resolver: Resolver<'_>, id: &str, property: &str) -> Option<String> {
    let node = resolver.stack.resource(id)?.get("Properties")?.get(property)?;
    let value = resolver.deeper()?.value(node);
    match value.as_text() {
        Setting::Set(text) if value.data != Data::Nothing => Some(text),
        _ => None,
    }
}

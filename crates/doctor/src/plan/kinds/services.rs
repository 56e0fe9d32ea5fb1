//! Services, task definitions, clusters, auto scaling and blue/green deployments.
//! Source: <https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/ecs_service>

use crate::plan::kinds::ResourceKind;
use crate::plan::translate::{Names, at, capitalized, json_of, list_of, map, nothing, put, renamed, tags};
use crate::template::evaluate::value::{Data, Value};

pub(super) const KINDS: &[ResourceKind] = &[
    ResourceKind::new("aws_ecs_service", "AWS::ECS::Service", service),
    ResourceKind::new("aws_ecs_task_set", "AWS::ECS::TaskSet", task_set),
    ResourceKind::new("aws_ecs_task_definition", "AWS::ECS::TaskDefinition", task_definition),
    ResourceKind::new("aws_ecs_cluster", "AWS::ECS::Cluster", cluster),
    ResourceKind::new(
        "aws_ecs_cluster_capacity_providers",
        "AWS::ECS::ClusterCapacityProviderAssociations",
        cluster_providers,
    ),
    ResourceKind::new("aws_appautoscaling_target", "AWS::ApplicationAutoScaling::ScalableTarget", scalable_target),
    ResourceKind::new("aws_codedeploy_deployment_group", "AWS::CodeDeploy::DeploymentGroup", deployment_group),
    ResourceKind::new("aws_subnet", "AWS::EC2::Subnet", subnet),
];

const SERVICE: Names = &[
    ("name", "ServiceName"),
    ("cluster", "Cluster"),
    ("task_definition", "TaskDefinition"),
    ("desired_count", "DesiredCount"),
    ("launch_type", "LaunchType"),
    ("platform_version", "PlatformVersion"),
    ("scheduling_strategy", "SchedulingStrategy"),
    ("health_check_grace_period_seconds", "HealthCheckGracePeriodSeconds"),
    ("availability_zone_rebalancing", "AvailabilityZoneRebalancing"),
    ("deployment_minimum_healthy_percent", "DeploymentConfiguration.MinimumHealthyPercent"),
    ("deployment_maximum_percent", "DeploymentConfiguration.MaximumPercent"),
    ("deployment_circuit_breaker.enable", "DeploymentConfiguration.DeploymentCircuitBreaker.Enable"),
    ("network_configuration.subnets", "NetworkConfiguration.AwsvpcConfiguration.Subnets"),
    ("service_connect_configuration.service", "ServiceConnectConfiguration.Services"),
    ("service_registries", "ServiceRegistries"),
    ("vpc_lattice_configurations", "VpcLatticeConfigurations"),
    ("ordered_placement_strategy", "PlacementStrategies"),
    ("placement_constraints", "PlacementConstraints"),
];

const STRATEGY: Names = &[("capacity_provider", "CapacityProvider"), ("base", "Base"), ("weight", "Weight")];

const BALANCER: Names = &[
    ("target_group_arn", "TargetGroupArn"),
    ("container_name", "ContainerName"),
    ("container_port", "ContainerPort"),
    ("advanced_configuration.alternate_target_group_arn", "AdvancedConfiguration.AlternateTargetGroupArn"),
];

fn service(from: &Value) -> Vec<(String, Value)> {
    let mut properties = placed(from, SERVICE);
    // If the count is not set, the provider creates no task; CloudFormation creates one.
    let is_daemon = at(from, "scheduling_strategy").is_some_and(|one| one.data == Data::Text("DAEMON".to_owned()));
    if at(from, "desired_count").is_none() && !is_daemon {
        properties.push(("DesiredCount".to_owned(), Value { line: 0, data: Data::Number(0.into()) }));
    }
    properties.extend(tags(from).map(|tags| ("Tags".to_owned(), tags)));
    // A family with a revision, such as `web:12`, means this plan's task definition.
    for (key, value) in &mut properties {
        if let ("TaskDefinition", Data::Text(text)) = (key.as_str(), &mut value.data) {
            *text = family(text).to_owned();
        }
    }
    properties
}

fn family(text: &str) -> &str {
    let is_revision = |end: &str| !end.is_empty() && end.bytes().all(|one| one.is_ascii_digit());
    match text.rsplit_once(':') {
        Some((family, end)) if !text.starts_with("arn:") && is_revision(end) => family,
        _ => text,
    }
}

/// What a service and a task set have in common.
fn placed(from: &Value, names: Names) -> Vec<(String, Value)> {
    let mut properties = renamed(from, names);
    let item = |names: Names| move |item: &Value| map(renamed(item, names));
    properties.push(("LoadBalancers".to_owned(), list_of(from, "load_balancer", item(BALANCER))));
    let strategy = list_of(from, "capacity_provider_strategy", item(STRATEGY));
    properties.push(("CapacityProviderStrategy".to_owned(), strategy));
    properties
}

const TASK_SET: Names = &[
    ("service", "Service"),
    ("cluster", "Cluster"),
    ("task_definition", "TaskDefinition"),
    ("launch_type", "LaunchType"),
    ("platform_version", "PlatformVersion"),
    ("network_configuration.subnets", "NetworkConfiguration.AwsvpcConfiguration.Subnets"),
    ("service_registries", "ServiceRegistries"),
];

fn task_set(from: &Value) -> Vec<(String, Value)> {
    let mut properties = placed(from, TASK_SET);
    properties.retain(|(_, value)| {
        !matches!(&value.data, Data::Nothing) && !matches!(&value.data, Data::List(all) if all.is_empty())
    });
    properties
}

const TASK_DEFINITION: Names = &[
    ("family", "Family"),
    ("network_mode", "NetworkMode"),
    ("requires_compatibilities", "RequiresCompatibilities"),
    ("runtime_platform.cpu_architecture", "RuntimePlatform.CpuArchitecture"),
    ("runtime_platform.operating_system_family", "RuntimePlatform.OperatingSystemFamily"),
];

fn task_definition(from: &Value) -> Vec<(String, Value)> {
    let mut properties = renamed(from, TASK_DEFINITION);
    if let Some(text) = at(from, "container_definitions") {
        let containers = capitalized(&json_of(&text, "container_definitions"));
        properties.push(("ContainerDefinitions".to_owned(), containers));
    }
    properties
}

fn cluster(from: &Value) -> Vec<(String, Value)> {
    renamed(from, &[("name", "ClusterName")]).into_iter().chain(providers(from)).collect()
}

fn cluster_providers(from: &Value) -> Vec<(String, Value)> {
    renamed(from, &[("cluster_name", "Cluster")]).into_iter().chain(providers(from)).collect()
}

/// An empty list is what the provider has where nothing is set.
fn providers(from: &Value) -> Vec<(String, Value)> {
    let strategy = list_of(from, "default_capacity_provider_strategy", |item| map(renamed(item, STRATEGY)));
    let providers = at(from, "capacity_providers").unwrap_or_else(nothing);
    let both = [("CapacityProviders", providers), ("DefaultCapacityProviderStrategy", strategy)];
    let is_set = |value: &Value| !matches!(&value.data, Data::List(all) if all.is_empty());
    both.into_iter().filter(|(_, value)| is_set(value)).map(|(key, value)| (key.to_owned(), value)).collect()
}

fn scalable_target(from: &Value) -> Vec<(String, Value)> {
    renamed(from, &[("resource_id", "ResourceId"), ("min_capacity", "MinCapacity")])
}

fn deployment_group(from: &Value) -> Vec<(String, Value)> {
    let mut properties = Vec::new();
    let pair = |pair: &Value| {
        let groups = list_of(pair, "target_group", |group| map(renamed(group, &[("name", "Name")])));
        map(vec![("TargetGroups".to_owned(), groups)])
    };
    let pairs = list_of(from, "load_balancer_info.target_group_pair_info", pair);
    put(&mut properties, "LoadBalancerInfo.TargetGroupPairInfoList", pairs);
    properties
}

fn subnet(from: &Value) -> Vec<(String, Value)> {
    let names = [
        ("ipv6_cidr_block", "Ipv6CidrBlock"),
        ("ipv6_native", "Ipv6Native"),
        ("assign_ipv6_address_on_creation", "AssignIpv6AddressOnCreation"),
    ];
    renamed(from, &names)
}

"""The resources that remain of those that the stacks create."""

# The service, its list call, and the key of the list in its answer. The bucket that `sam deploy` keeps for its zips is SAM's
# own stack, and is not counted.
KINDS = {
    "stacks": ("cloudformation", "list_stacks", "StackSummaries"),
    "functions": ("lambda", "list_functions", "Functions"),
    "event source mappings": ("lambda", "list_event_source_mappings", "EventSourceMappings"),
    "rules": ("events", "list_rules", "Rules"),
    "queues": ("sqs", "list_queues", "QueueUrls"),
    "alarms": ("cloudwatch", "describe_alarms", "MetricAlarms"),
    "dashboards": ("cloudwatch", "list_dashboards", "DashboardEntries"),
    "log groups": ("logs", "describe_log_groups", "logGroups"),
    "roles": ("iam", "list_roles", "Roles"),
    "target groups": ("elbv2", "describe_target_groups", "TargetGroups"),
    "load balancers": ("elbv2", "describe_load_balancers", "LoadBalancers"),
    "clusters": ("ecs", "list_clusters", "clusterArns"),
    "VPCs": ("ec2", "describe_vpcs", "Vpcs"),
}


def is_ours(kind, item):
    if kind == "stacks":
        return item["StackStatus"] != "DELETE_COMPLETE" and not item["StackName"].startswith("aws-sam-cli-managed")
    return kind != "VPCs" or item["CidrBlock"] == "10.44.0.0/16"


def of(aws):
    """The remaining resources, by kind."""
    found = {}
    for kind, (service, call, key) in KINDS.items():
        items = getattr(aws.sdk(service), call)().get(key, [])
        found[kind] = [item for item in items if is_ours(kind, item)]
    return {kind: items for kind, items in found.items() if items}

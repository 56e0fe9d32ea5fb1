"""What is still there of all that the stacks make."""

# A command that lists, and where its answer has the list; clusters are asked for below. The bucket that `sam deploy` keeps
# for its zips is SAM's own stack, and not counted.
KINDS = {
    "stacks": (("cloudformation", "list-stacks"), "StackSummaries"),
    "functions": (("lambda", "list-functions"), "Functions"),
    "event source mappings": (("lambda", "list-event-source-mappings"), "EventSourceMappings"),
    "rules": (("events", "list-rules"), "Rules"),
    "queues": (("sqs", "list-queues"), "QueueUrls"),
    "alarms": (("cloudwatch", "describe-alarms"), "MetricAlarms"),
    "dashboards": (("cloudwatch", "list-dashboards"), "DashboardEntries"),
    "log groups": (("logs", "describe-log-groups"), "logGroups"),
    "roles": (("iam", "list-roles"), "Roles"),
    "target groups": (("elbv2", "describe-target-groups"), "TargetGroups"),
    "load balancers": (("elbv2", "describe-load-balancers"), "LoadBalancers"),
    "VPCs": (("ec2", "describe-vpcs", "--filters", "Name=cidr,Values=10.44.0.0/16"), "Vpcs"),
}


def of(aws):
    """By kind, what is left."""
    found = {kind: (aws(*command) or {}).get(key, []) for kind, (command, key) in KINDS.items()}
    found["stacks"] = [
        stack
        for stack in found["stacks"]
        if stack["StackStatus"] != "DELETE_COMPLETE" and not stack["StackName"].startswith("aws-sam-cli-managed")
    ]
    clusters = aws("ecs", "describe-clusters", "--clusters", *(aws("ecs", "list-clusters")["clusterArns"] or ["none"]))
    found["clusters"] = [one for one in clusters["clusters"] if one["status"] == "ACTIVE"]
    return {kind: items for kind, items in found.items() if items}

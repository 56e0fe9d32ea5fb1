# The capacity watch: when could ECS place no task, and when did the next one run? It only watches.

locals {
  watch         = var.capacity_watch ? 1 : 0
  capacity_name = "/aws/events/${var.name}-capacity"
  capacity_arn  = "arn:${data.aws_partition.current.partition}:logs:${local.here}:log-group:${local.capacity_name}"
}

# ECS could not place a task, or a task of a service runs. The function does not get these events: they go straight to a log
# group, where `spotdrain report --capacity-logs` reads them.
resource "aws_cloudwatch_event_rule" "capacity" {
  count       = local.watch
  name        = "${var.name}-capacity"
  description = "Placement failures of services, and Fargate tasks of services that run"
  tags        = var.tags

  event_pattern = jsonencode({
    source      = var.event_sources
    detail-type = ["ECS Service Action", "ECS Task State Change"]
    detail = merge(local.some_clusters ? { clusterArn = var.clusters } : {}, {
      "$or" = [
        { eventName = ["SERVICE_TASK_PLACEMENT_FAILURE"] },
        {
          lastStatus    = ["RUNNING"]
          desiredStatus = ["RUNNING"]
          launchType    = ["FARGATE"]
          group         = [{ prefix = "service:" }]
        },
      ]
    })
  })
}

resource "aws_cloudwatch_event_target" "capacity" {
  count     = local.watch
  rule      = aws_cloudwatch_event_rule.capacity[0].name
  target_id = "log"
  arn       = aws_cloudwatch_log_group.capacity[0].arn
}

# EventBridge's console only offers groups with this prefix.
resource "aws_cloudwatch_log_group" "capacity" {
  count             = local.watch
  name              = local.capacity_name
  retention_in_days = var.log_retention_days
  kms_key_id        = local.kms_key
  tags              = var.tags
}

# EventBridge writes to a log group by the account's policy for it; it takes no role. An account has at most ten of them.
# Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
resource "aws_cloudwatch_log_resource_policy" "capacity" {
  count       = local.watch
  policy_name = "${var.name}-capacity"
  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "CreateStream"
        Effect    = "Allow"
        Principal = { Service = ["events.amazonaws.com", "delivery.logs.amazonaws.com"] }
        Action    = "logs:CreateLogStream"
        Resource  = "${local.capacity_arn}:*"
      },
      {
        Sid       = "OnlyTheRule"
        Effect    = "Allow"
        Principal = { Service = ["events.amazonaws.com", "delivery.logs.amazonaws.com"] }
        Action    = "logs:PutLogEvents"
        Resource  = "${local.capacity_arn}:*:*"
        Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.capacity[0].arn } }
      },
    ]
  })
}

# An event names the providers that were tried, by their ARNs; a service has FARGATE beside FARGATE_SPOT at most.
resource "aws_cloudwatch_log_metric_filter" "capacity" {
  count          = local.watch
  name           = "${var.name}-capacity-unavailable"
  log_group_name = aws_cloudwatch_log_group.capacity[0].name
  pattern        = "{ ($.detail.eventName = \"SERVICE_TASK_PLACEMENT_FAILURE\") && (($.detail.capacityProviderArns[0] = \"*/FARGATE_SPOT\") || ($.detail.capacityProviderArns[1] = \"*/FARGATE_SPOT\")) }"

  metric_transformation {
    namespace = "spotdrain"
    name      = "CapacityUnavailable"
    value     = "1"
  }
}

resource "aws_cloudwatch_metric_alarm" "capacity_unavailable" {
  count               = local.watch
  alarm_name          = "${var.name}-capacity-unavailable"
  alarm_description   = "spotdrain: ECS could not place a task on FARGATE_SPOT. What to do: docs/capacity.md."
  namespace           = "spotdrain"
  metric_name         = "CapacityUnavailable"
  statistic           = "Sum"
  period              = 300
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.alarm_actions
  tags                = var.tags
}

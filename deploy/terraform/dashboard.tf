# The one dashboard.

locals {
  region = data.aws_region.current.id

  widgets = [
    {
      title = "Interruptions by service", stacked = true
      metrics = [
        [{ expression = "SEARCH('{spotdrain,Cluster,Service} MetricName=\"Notices\"', 'Sum', 300)", label = "", id = "notices" }],
      ]
    },
    {
      title = "Notice to deregistered", period = 300
      metrics = [
        ["spotdrain", "NoticeToDeregistered", { stat = "p50", label = "p50" }],
        ["spotdrain", "NoticeToDeregistered", { stat = "p99", label = "p99" }],
        ["spotdrain", "NoticeToDeregistered", { stat = "Maximum", label = "slowest" }],
        ["spotdrain", "NoticeAge", { stat = "p50", label = "age when it came, p50" }],
      ]
    },
    {
      title = "Found already draining: ECS was first", stacked = true, stat = "Sum", period = 300
      metrics = [
        ["spotdrain", "Deregistered", { label = "spotdrain was first" }],
        ["spotdrain", "WouldDeregister", { label = "spotdrain would have been (observe)" }],
        ["spotdrain", "AlreadyDraining", { label = "found already draining" }],
        ["spotdrain", "LeftToHold", { label = "left to the hold" }],
        ["spotdrain", "NotRegistered", { label = "not registered" }],
      ]
    },
    {
      title = "Failures", stat = "Sum", period = 300
      metrics = [
        ["spotdrain", "Failed", { label = "not done" }],
        ["spotdrain", "Malformed", { label = "could not be read" }],
        ["spotdrain", "KeptLastHealthy", { label = "kept: the last healthy target" }],
        ["spotdrain", "Stale", { label = "stale: the address is another task's" }],
        ["spotdrain", "UnknownStopCode", { label = "unknown stop code" }],
        ["AWS/Lambda", "Errors", "FunctionName", aws_lambda_function.spotdrain.function_name, { label = "invocations with an error" }],
        ["AWS/Lambda", "Throttles", "FunctionName", aws_lambda_function.spotdrain.function_name, { label = "invocations that were throttled" }],
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", aws_sqs_queue.dead_letters.name, { stat = "Maximum", label = "dead letters" }],
      ]
    },
    {
      title = "Who deregistered first, by day", stacked = true, stat = "Sum", period = 86400
      metrics = [
        ["spotdrain", "EcsFirst", { label = "ECS" }],
        ["spotdrain", "SpotdrainFirst", { label = "spotdrain" }],
        ["spotdrain", "FirstUnknown", { label = "unknown" }],
      ]
    },
    {
      title = "Notices without a target group, an address or tags", stat = "Sum", period = 300
      metrics = [
        ["spotdrain", "NoTargetGroupNoLoadBalancer", { label = "service without a load balancer" }],
        ["spotdrain", "NoTargetGroupUnresolved", { label = "no target group found" }],
        ["spotdrain", "AddressUnknown", { label = "no address found" }],
        ["spotdrain", "GroupEmptied", { label = "group without a healthy target" }],
        ["spotdrain", "TagsUnknown", { label = "tags of the service unknown" }],
      ]
    },
  ]
}

resource "aws_cloudwatch_dashboard" "spotdrain" {
  dashboard_name = "${var.name}-${local.region}" # dashboards have one name space for all Regions

  dashboard_body = jsonencode({
    widgets = [for number, properties in local.widgets : {
      type       = "metric"
      x          = number % 2 * 12
      y          = floor(number / 2) * 6
      width      = 12
      height     = 6
      properties = merge({ region = local.region, view = "timeSeries" }, properties)
    }]
  })
}

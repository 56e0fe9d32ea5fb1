# The function, its event source and its log.

locals {
  package = coalesce(var.package, "${path.module}/../../target/package/spotdrain-lambda-${var.architecture}.zip")
}

resource "aws_lambda_function" "spotdrain" {
  function_name    = var.name
  description      = "Deregisters interrupted Fargate Spot tasks from their target groups"
  filename         = local.package
  source_code_hash = filebase64sha256(local.package)
  runtime          = "provided.al2023"
  handler          = "bootstrap"
  architectures    = [var.architecture]
  role             = aws_iam_role.spotdrain.arn
  timeout          = 30
  # It needs a tenth of this memory, but the CPU share grows with it, and a cold start is CPU-bound.
  memory_size = 512
  # Without a queue only this limits it to two execution environments, each with half of AWS's rate limit.
  reserved_concurrent_executions = local.by_queue ? -1 : 2
  tags                           = var.tags

  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.spotdrain.name
  }

  dynamic "vpc_config" {
    for_each = local.some_subnets ? [1] : []
    content {
      subnet_ids         = var.vpc_subnets
      security_group_ids = var.vpc_security_groups
    }
  }

  environment {
    variables = {
      SPOTDRAIN_MODE             = var.mode
      SPOTDRAIN_CLUSTERS         = join(",", var.clusters)
      SPOTDRAIN_TARGET_GROUPS    = join(",", var.target_groups)
      SPOTDRAIN_LOAD_BALANCERS   = join(",", var.load_balancers)
      SPOTDRAIN_DISCOVER         = var.discover
      SPOTDRAIN_KEEP_LAST        = var.keep_last
      SPOTDRAIN_FRESH_SECONDS    = var.fresh_seconds
      SPOTDRAIN_CALLS_PER_SECOND = var.calls_per_second
      SPOTDRAIN_CALL_BURST       = var.call_burst
      SPOTDRAIN_EVENT_SOURCES    = join(",", var.event_sources)
      SPOTDRAIN_MESSAGE_TOPIC    = var.message_topic
      SPOTDRAIN_QUEUE_URL        = local.by_queue ? aws_sqs_queue.notices[0].url : "none"
      RUST_LOG                   = "warn,spotdrain=${var.log_level}"
    }
  }

  # Lambda checks on creation whether the role may create network interfaces.
  depends_on = [aws_iam_role_policy.spotdrain]

  lifecycle {
    precondition {
      condition     = local.some_subnets == (var.vpc_security_groups[0] != "none")
      error_message = "vpc_subnets and vpc_security_groups must be set together."
    }
    precondition {
      condition     = local.kms_key == null || strcontains(var.kms_key, ":kms:${data.aws_region.current.id}:")
      error_message = "kms_key must be of this Region, ${data.aws_region.current.id}."
    }
    precondition {
      condition     = var.discover || local.some_groups || local.some_balancers
      error_message = "discover = false needs target_groups or load_balancers, because otherwise there is no target group."
    }
    precondition {
      condition     = !local.some_clusters || alltrue([for arn in var.clusters : strcontains(arn, ":ecs:${local.here}:")])
      error_message = "clusters must be of this Region and account, ${local.here}: events of others do not arrive here."
    }
    precondition {
      condition     = !local.some_groups || alltrue([for arn in var.target_groups : strcontains(arn, ":elasticloadbalancing:${local.here}:")])
      error_message = "target_groups must be of this Region and account, ${local.here}: others cannot hold its tasks."
    }
    precondition {
      condition     = !local.some_balancers || alltrue([for arn in var.load_balancers : strcontains(arn, ":elasticloadbalancing:${local.here}:")])
      error_message = "load_balancers must be of this Region and account, ${local.here}: others cannot hold its tasks."
    }
  }
}

resource "aws_lambda_event_source_mapping" "notices" {
  count            = local.by_queue ? 1 : 0
  event_source_arn = aws_sqs_queue.notices[0].arn
  function_name    = aws_lambda_function.spotdrain.arn
  # No batching window, so that a notice does not wait for others. Under load batches fill anyway.
  batch_size                         = 10
  maximum_batching_window_in_seconds = 0
  function_response_types            = ["ReportBatchItemFailures"]

  # Two execution environments, each with half of the account's rate limit.
  scaling_config {
    maximum_concurrency = 2
  }

  # Lambda checks on creation whether the role may read the queue.
  depends_on = [aws_iam_role_policy.spotdrain]
}

resource "aws_lambda_permission" "rule" {
  count         = local.by_queue ? 0 : 1
  statement_id  = "OnlyTheRule"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.spotdrain.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.notices.arn
}

# Lambda retries after one minute and after two more. Only the first is within the notice's two minutes.
resource "aws_lambda_function_event_invoke_config" "direct" {
  count                        = local.by_queue ? 0 : 1
  function_name                = aws_lambda_function.spotdrain.function_name
  qualifier                    = "$LATEST"
  maximum_event_age_in_seconds = 120
  maximum_retry_attempts       = 1

  destination_config {
    on_failure {
      destination = aws_sqs_queue.dead_letters.arn
    }
  }

  # Lambda checks on creation whether the role may send there.
  depends_on = [aws_iam_role_policy.spotdrain]
}

resource "aws_cloudwatch_log_group" "spotdrain" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = local.kms_key
  tags              = var.tags
}

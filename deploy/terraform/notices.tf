# From the event to the function: rule, queue, dead letters.

data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

locals {
  by_queue       = var.delivery == "queue"
  some_clusters  = var.clusters[0] != "all"
  some_groups    = var.target_groups[0] != "none"
  some_balancers = var.load_balancers[0] != "none"
  some_subnets   = var.vpc_subnets[0] != "none"
  kms_key        = var.kms_key == "none" ? null : var.kms_key
  here           = "${data.aws_region.current.id}:${data.aws_caller_identity.current.account_id}"
}

# Spot notices of tasks that still have their network interface, in every form that is known: either of the two stop codes,
# or the reason where the code is absent or new. The function ignores other events that match, with a reason.
resource "aws_cloudwatch_event_rule" "notices" {
  name        = "${var.name}-notices"
  description = "Spot interruptions of tasks that are not yet down"
  tags        = var.tags

  event_pattern = jsonencode({
    source      = var.event_sources
    detail-type = ["ECS Task State Change"]
    detail = merge(local.some_clusters ? { clusterArn = var.clusters } : {}, {
      desiredStatus = ["STOPPED"]
      lastStatus    = [{ anything-but = ["DEPROVISIONING", "STOPPED", "DELETED"] }]
      "$or" = [
        { stopCode = ["SpotInterruption", "TerminationNotice"] },
        { stoppedReason = [{ prefix = "Your Spot Task was interrupted" }] },
      ]
    })
  })
}

resource "aws_cloudwatch_event_target" "notices" {
  rule      = aws_cloudwatch_event_rule.notices.name
  target_id = "spotdrain"
  arn       = local.by_queue ? aws_sqs_queue.notices[0].arn : aws_lambda_function.spotdrain.arn

  # After two minutes the task is gone, and its notice is useless.
  retry_policy {
    maximum_event_age_in_seconds = 120
    maximum_retry_attempts       = 185
  }

  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }
}

resource "aws_sqs_queue" "notices" {
  count = local.by_queue ? 1 : 0
  name  = "${var.name}-notices"
  tags  = var.tags

  # SQS's own key, or yours. With alias/aws/sqs EventBridge could not deliver, because its policy cannot be changed.
  sqs_managed_sse_enabled = local.kms_key == null ? true : null
  kms_master_key_id       = local.kms_key
  # As short as the function's timeout allows, so that failed messages are received again while the task still has time.
  visibility_timeout_seconds = 30

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = 12
  })
}

# Messages that the rule could not deliver, or that failed twelve times; in direct mode, failed events.
resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.name}-dead-letters"
  sqs_managed_sse_enabled   = local.kms_key == null ? true : null
  kms_master_key_id         = local.kms_key
  message_retention_seconds = 1209600 # two weeks, SQS's maximum
  tags                      = var.tags
}

resource "aws_sqs_queue_policy" "notices" {
  count     = local.by_queue ? 1 : 0
  queue_url = aws_sqs_queue.notices[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.only_the_rule[aws_sqs_queue.notices[0].name], [
      # Denies all other senders, because the function trusts what is in the queue. The Allow above cannot ensure that, because a
      # principal of this account needs no more than an Allow in its own identity policy. Both conditions must be in one
      # statement, where they are combined with AND: the sender is not the rule, and not redrive_role. As two statements they
      # would block everybody: a negated operator is true for a key that the request lacks, and the rule's requests have no
      # aws:PrincipalArn, the role's no aws:SourceArn. Without redrive_role only the rule remains.
      {
        Sid       = "NobodyElse"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.notices[0].arn
        Condition = { ArnNotEquals = merge(
          { "aws:SourceArn" = aws_cloudwatch_event_rule.notices.arn },
          var.redrive_role == "none" ? {} : { "aws:PrincipalArn" = var.redrive_role },
        ) }
      },
    ])
  })
}

resource "aws_sqs_queue_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  policy    = jsonencode({ Version = "2012-10-17", Statement = local.only_the_rule[aws_sqs_queue.dead_letters.name] })
}

locals {
  # The policy statements that both queues have.
  only_the_rule = { for queue in concat(aws_sqs_queue.notices, [aws_sqs_queue.dead_letters]) : queue.name => [
    # The rule sends the notices, and undeliverable events. SQS's redrive policy needs no permission.
    {
      Sid       = "OnlyTheRule"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = queue.arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_cloudwatch_event_rule.notices.arn } }
    },
    # Denies every request without TLS.
    {
      Sid       = "OnlyTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = queue.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    },
  ] }
}

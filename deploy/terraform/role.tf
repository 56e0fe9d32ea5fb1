# Only what is called, on what can be named. It cannot register, create or delete anything.

resource "aws_iam_role" "spotdrain" {
  name_prefix = var.name
  description = "What the function spotdrain may do"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      # Lambda takes the role for the function.
      {
        Effect    = "Allow"
        Principal = { Service = "lambda.amazonaws.com" }
        Action    = "sts:AssumeRole"
      },
    ]
  })
}

locals {
  arn = "arn:${data.aws_partition.current.partition}"
  # Services and tasks of the named clusters only.
  of_clusters = local.some_clusters ? { Condition = { ArnEquals = { "ecs:cluster" = var.clusters } } } : {}
  tagged      = var.only_tagged_target_groups ? { Condition = { StringEquals = { "aws:ResourceTag/spotdrain" = "on" } } } : {}

  statements = concat(
    # The state and the port of the targets are read before anything is done. AWS has no resources for this action.
    [{
      Sid      = "ReadTargets"
      Effect   = "Allow"
      Action   = "elasticloadbalancing:DescribeTargetHealth"
      Resource = "*"
    }],
    # The target groups of the named load balancers. AWS has no resources for this action.
    [for is_so in [local.some_balancers] : {
      Sid      = "ReadLoadBalancers"
      Effect   = "Allow"
      Action   = "elasticloadbalancing:DescribeTargetGroups"
      Resource = "*"
    } if is_so],
    # The one change: in the groups that are named ...
    [for is_so in [local.some_groups] : {
      Sid      = "DeregisterFromNamedGroups"
      Effect   = "Allow"
      Action   = "elasticloadbalancing:DeregisterTargets"
      Resource = var.target_groups
    } if is_so],
    # ... and in those that services or load balancers name. They are not known before the function runs, so this covers all
    # groups of the account and Region, or the tagged ones of them.
    [for is_so in [var.discover || local.some_balancers] : merge({
      Sid      = "DeregisterFromDiscoveredGroups"
      Effect   = "Allow"
      Action   = "elasticloadbalancing:DeregisterTargets"
      Resource = "${local.arn}:elasticloadbalancing:${local.here}:targetgroup/*/*"
    }, local.tagged) if is_so],
    # The service of the task names its target groups, and its tag may restrict what is done.
    [for is_so in [var.discover] : merge({
      Sid      = "FindTargetGroups"
      Effect   = "Allow"
      Action   = "ecs:DescribeServices"
      Resource = "${local.arn}:ecs:${local.here}:service/*"
    }, local.of_clusters) if is_so],
    # A revision names target groups that the service does not, such as those of a deployment that is under way.
    [for is_so in [var.discover] : merge({
      Sid      = "ReadServiceRevisions"
      Effect   = "Allow"
      Action   = "ecs:DescribeServiceRevisions"
      Resource = ["${local.arn}:ecs:${local.here}:service/*", "${local.arn}:ecs:${local.here}:service-revision/*"]
    }, local.of_clusters) if is_so],
    # Whether a task still has its address, before a late event is acted on.
    [merge({
      Sid      = "AskWhoseAddress"
      Effect   = "Allow"
      Action   = "ecs:DescribeTasks"
      Resource = "${local.arn}:ecs:${local.here}:task/*"
    }, local.of_clusters)],
    # Which tasks are stopping, before few healthy targets of a group would stay. The call has no resource of its own.
    [merge({
      Sid      = "AskWhichTasksStop"
      Effect   = "Allow"
      Action   = "ecs:ListTasks"
      Resource = "*"
    }, local.of_clusters)],
    # Lambda receives, hides and deletes this queue's messages with the function's role, and so does the function.
    [for queue in aws_sqs_queue.notices : {
      Sid    = "OwnQueue"
      Effect = "Allow"
      Action = [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:GetQueueAttributes",
      ]
      Resource = queue.arn
    }],
    # Without a queue Lambda leaves here, with the function's role, the event that failed.
    [for is_so in [!local.by_queue] : {
      Sid      = "OwnDeadLetters"
      Effect   = "Allow"
      Action   = "sqs:SendMessage"
      Resource = aws_sqs_queue.dead_letters.arn
    } if is_so],
    # Lambda writes the log with the function's role; the group is there already.
    [{
      Sid      = "OwnLog"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.spotdrain.arn}:*"
    }],
  )
}

resource "aws_iam_role_policy" "spotdrain" {
  name   = "spotdrain"
  role   = aws_iam_role.spotdrain.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}

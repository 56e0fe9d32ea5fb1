# Only the calls that the code makes, on named resources where AWS supports them. It cannot register, create or delete anything.

resource "aws_iam_role" "spotdrain" {
  name_prefix = var.name
  description = "The permissions of the function spotdrain"
  tags        = var.tags

  permissions_boundary = (
    var.permissions_boundary == "none" ? null
    : "${local.arn}:iam::${data.aws_caller_identity.current.account_id}:policy/${var.permissions_boundary}"
  )

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      # Lambda assumes the role for the function.
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

  network_interface_actions = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
  ]

  statements = concat(
    # Reads the state and port of the targets first. AWS supports no resources for this action.
    [{
      Sid      = "ReadTargets"
      Effect   = "Allow"
      Action   = "elasticloadbalancing:DescribeTargetHealth"
      Resource = "*"
    }],
    # Reads the target groups of the named load balancers. AWS supports no resources for this action.
    [for is_so in [local.some_balancers] : {
      Sid      = "ReadLoadBalancers"
      Effect   = "Allow"
      Action   = "elasticloadbalancing:DescribeTargetGroups"
      Resource = "*"
    } if is_so],
    # The only change: deregisters targets in the named groups ...
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
    # Reads the target groups of the task's service, and its tag, which may restrict what is done.
    [for is_so in [var.discover] : merge({
      Sid      = "FindTargetGroups"
      Effect   = "Allow"
      Action   = "ecs:DescribeServices"
      Resource = "${local.arn}:ecs:${local.here}:service/*"
    }, local.of_clusters) if is_so],
    # Reads target groups that only a revision of the service has, such as those of a deployment in progress.
    [for is_so in [var.discover] : merge({
      Sid      = "ReadServiceRevisions"
      Effect   = "Allow"
      Action   = "ecs:DescribeServiceRevisions"
      Resource = ["${local.arn}:ecs:${local.here}:service/*", "${local.arn}:ecs:${local.here}:service-revision/*"]
    }, local.of_clusters) if is_so],
    # Checks whether a task still has its address, before a late notice is handled.
    [merge({
      Sid      = "AskWhoseAddress"
      Effect   = "Allow"
      Action   = "ecs:DescribeTasks"
      Resource = "${local.arn}:ecs:${local.here}:task/*"
    }, local.of_clusters)],
    # Lists the stopping tasks, if few healthy targets of a group would stay. AWS supports only clusters as a condition.
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
    # Without a queue, Lambda sends failed events here, with the function's role.
    [for is_so in [!local.by_queue] : {
      Sid      = "OwnDeadLetters"
      Effect   = "Allow"
      Action   = "sqs:SendMessage"
      Resource = aws_sqs_queue.dead_letters.arn
    } if is_so],
    # Lambda writes the log with the function's role; the log group already exists.
    [{
      Sid      = "OwnLog"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.spotdrain.arn}:*"
    }],
    # Publishes the message about a sweep.
    [for topic in var.message_topic == "none" ? [] : [var.message_topic] : {
      Sid      = "OwnMessages"
      Effect   = "Allow"
      Action   = "sns:Publish"
      Resource = topic
    }],
    # SQS decrypts this queue's messages with the role's permission; in direct mode, Lambda sends failed events to the
    # dead-letter queue with it. The key is used only through SQS.
    [for key in local.kms_key[*] : {
      Sid       = "OwnKey"
      Effect    = "Allow"
      Action    = local.by_queue ? ["kms:Decrypt"] : ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = key
      Condition = { StringLike = { "kms:ViaService" = "sqs.${data.aws_region.current.id}.*" } }
    }],
    # In a VPC, Lambda creates the function's network interfaces with the role, before they have an id or a tag.
    [for is_so in [local.some_subnets] : {
      Sid      = "OwnNetworkInterfaces"
      Effect   = "Allow"
      Action   = local.network_interface_actions
      Resource = "*"
    } if is_so],
    # Denies the same to the function's code: only its requests have the key lambda:SourceFunctionArn.
    [for is_so in [local.some_subnets] : {
      Sid       = "NotByTheCode"
      Effect    = "Deny"
      Action    = local.network_interface_actions
      Resource  = "*"
      Condition = { ArnLike = { "lambda:SourceFunctionArn" = "${local.arn}:lambda:${local.here}:function:*" } }
    } if is_so],
  )
}

resource "aws_iam_role_policy" "spotdrain" {
  name   = "spotdrain"
  role   = aws_iam_role.spotdrain.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}

# The parameters of ../template.yaml in Terraform's spelling, with the same defaults; a test compares them. Values that the function
# would reject at its start are rejected here, by the plan.

variable "name" {
  description = "the name of the resources, or its prefix"
  type        = string
  default     = "spotdrain"

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,40}$", var.name))
    error_message = "name must be 1 to 40 letters, digits, - or _."
  }
}

variable "package" {
  description = "the function's zip; null for the one that scripts/package built for the architecture"
  type        = string
  default     = null
}

# ------------------------------------------------------------------------------------------------------ scope

variable "mode" {
  description = "SPOTDRAIN_MODE: observe logs what would be deregistered and changes nothing; enforce deregisters"
  type        = string
  default     = "observe"

  validation {
    condition     = contains(["enforce", "observe"], var.mode)
    error_message = "mode must be enforce or observe."
  }
}

variable "clusters" {
  description = "SPOTDRAIN_CLUSTERS: all, or the ARNs of the clusters in scope, for the rule, the function and its role"
  type        = list(string)
  default     = ["all"]

  validation {
    condition = length(var.clusters) > 0 && (var.clusters == tolist(["all"]) || alltrue([
      for arn in var.clusters : can(regex("^arn:aws[a-z0-9-]*:ecs:[a-z0-9-]+:[0-9]{12}:cluster/[A-Za-z0-9_-]{1,255}$", arn))
    ]))
    error_message = "clusters must be [\"all\"], or ARNs of ECS clusters (arn:aws:ecs:REGION:ACCOUNT:cluster/NAME)."
  }
}

variable "target_groups" {
  description = "SPOTDRAIN_TARGET_GROUPS: none, or ARNs of target groups in addition to those of the task's service"
  type        = list(string)
  default     = ["none"]

  validation {
    condition = length(var.target_groups) > 0 && (var.target_groups == tolist(["none"]) || alltrue([
      for arn in var.target_groups : can(regex("^arn:aws[a-z0-9-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:targetgroup/[A-Za-z0-9_-]{1,255}/[A-Za-z0-9_-]{1,255}$", arn))
    ]))
    error_message = "target_groups must be [\"none\"], or ARNs of target groups (arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID)."
  }
}

variable "load_balancers" {
  description = "SPOTDRAIN_LOAD_BALANCERS: none, or ARNs of load balancers whose target groups are searched for the task"
  type        = list(string)
  default     = ["none"]

  validation {
    condition = length(var.load_balancers) > 0 && (var.load_balancers == tolist(["none"]) || alltrue([
      for arn in var.load_balancers : can(regex("^arn:aws[a-z0-9-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:loadbalancer/(app|net|gwy)/[A-Za-z0-9_-]{1,255}/[A-Za-z0-9_-]{1,255}$", arn))
    ]))
    error_message = "load_balancers must be [\"none\"], or ARNs of load balancers (arn:aws:elasticloadbalancing:REGION:ACCOUNT:loadbalancer/net/NAME/ID)."
  }
}

variable "discover" {
  description = "SPOTDRAIN_DISCOVER: false uses only the target groups that target_groups and load_balancers name"
  type        = bool
  default     = true
}

variable "only_tagged_target_groups" {
  description = "true: of the discovered groups, the role may change only those with the tag spotdrain = on"
  type        = bool
  default     = false
}

variable "keep_last" {
  description = "SPOTDRAIN_KEEP_LAST: keep the last healthy target of a group"
  type        = bool
  default     = true
}

variable "fresh_seconds" {
  description = "SPOTDRAIN_FRESH_SECONDS: up to this age, a notice is handled without asking ECS whether the task still has its address"
  type        = number
  default     = 10

  validation {
    condition     = var.fresh_seconds == floor(var.fresh_seconds) && var.fresh_seconds >= 0 && var.fresh_seconds <= 120
    error_message = "fresh_seconds must be a whole number from 0 to 120."
  }
}

variable "event_sources" {
  description = "SPOTDRAIN_EVENT_SOURCES: event sources that the rule and the function accept; the simulator needs another one than aws.ecs"
  type        = list(string)
  default     = ["aws.ecs"]

  validation {
    condition     = length(var.event_sources) > 0 && alltrue([for source in var.event_sources : can(regex("^[A-Za-z0-9._/-]{1,256}$", source))])
    error_message = "event_sources must be event sources, such as aws.ecs and spotdrain.drill."
  }
}

# --------------------------------------------------------------------------------------------------------- operation

variable "delivery" {
  description = "queue retries within seconds and handles a storm in batches; direct has no queue, and one retry after a minute"
  type        = string
  default     = "queue"

  validation {
    condition     = contains(["queue", "direct"], var.delivery)
    error_message = "delivery must be queue or direct."
  }
}

variable "redrive_role" {
  description = "none, or the ARN of the IAM role that may redrive dead letters to the queue; besides it, only the rule may send"
  type        = string
  default     = "none"

  validation {
    condition     = can(regex("^(none|arn:aws[a-z0-9-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,576})$", var.redrive_role))
    error_message = "redrive_role must be none, or the ARN of an IAM role (arn:aws:iam::ACCOUNT:role/NAME)."
  }
}

variable "architecture" {
  description = "the architecture of the zip (scripts/package x86_64 or arm64)"
  type        = string
  default     = "x86_64"

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture must be x86_64 or arm64."
  }
}

variable "calls_per_second" {
  description = "SPOTDRAIN_CALLS_PER_SECOND: the rate limit of each of the two execution environments, half of the account's (4)"
  type        = number
  default     = 2

  validation {
    condition     = var.calls_per_second >= 0.1 && var.calls_per_second <= 1000
    error_message = "calls_per_second must be a number from 0.1 to 1000."
  }
}

variable "call_burst" {
  description = "SPOTDRAIN_CALL_BURST: the burst of each of the two execution environments, half of the account's (20)"
  type        = number
  default     = 10

  validation {
    condition     = var.call_burst == floor(var.call_burst) && var.call_burst >= 1 && var.call_burst <= 1000
    error_message = "call_burst must be a whole number from 1 to 1000."
  }
}

# -------------------------------------------------------------------------------------------------------- alarms and log

variable "alarm_topic" {
  description = "none, or the ARN of the SNS topic that the alarms go to"
  type        = string
  default     = "none"

  validation {
    condition     = can(regex("^(none|arn:aws[a-z0-9-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256})$", var.alarm_topic))
    error_message = "alarm_topic must be none, or the ARN of a standard SNS topic (arn:aws:sns:REGION:ACCOUNT:NAME)."
  }
}

variable "message_topic" {
  description = "SPOTDRAIN_MESSAGE_TOPIC: none, or the ARN of the SNS topic that gets one message about each sweep of interruptions"
  type        = string
  default     = "none"

  validation {
    condition     = can(regex("^(none|arn:aws[a-z0-9-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256})$", var.message_topic))
    error_message = "message_topic must be none, or the ARN of a standard SNS topic (arn:aws:sns:REGION:ACCOUNT:NAME)."
  }
}

variable "log_level" {
  description = "the log level of the function; every notice is logged at info"
  type        = string
  default     = "info"

  validation {
    condition     = contains(["error", "warn", "info", "debug"], var.log_level)
    error_message = "log_level must be error, warn, info or debug."
  }
}

variable "log_retention_days" {
  description = "how long the log is kept"
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be a number of days that CloudWatch Logs has, such as 7, 14, 30 or 90."
  }
}

variable "capacity_watch" {
  description = "true: ECS's placement failures and tasks that run are written to a log group of their own, with an alarm"
  type        = bool
  default     = false
}

# ------------------------------------------------------------------------------------------- rules of your organization

variable "permissions_boundary" {
  description = "none, or the path and name of the IAM policy in this account that is the permissions boundary of the function's role"
  type        = string
  default     = "none"

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-][A-Za-z0-9+=,.@_/-]{0,575}$", var.permissions_boundary))
    error_message = "permissions_boundary must be none, or the path and name of an IAM policy (NAME or PATH/NAME), and not its ARN."
  }
}

variable "kms_key" {
  description = "none, or the ARN of the KMS key that encrypts queues and logs; its policy must allow EventBridge and CloudWatch Logs"
  type        = string
  default     = "none"

  validation {
    condition     = can(regex("^(none|arn:aws[a-z0-9-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]{1,128})$", var.kms_key))
    error_message = "kms_key must be none, or the ARN of a KMS key (arn:aws:kms:REGION:ACCOUNT:key/ID), not of an alias."
  }
}

variable "vpc_subnets" {
  description = "none, or the subnets of the function; they need a way to the APIs of ELB, ECS and SQS"
  type        = list(string)
  default     = ["none"]

  validation {
    condition = length(var.vpc_subnets) > 0 && (var.vpc_subnets == tolist(["none"]) || alltrue([
      for id in var.vpc_subnets : can(regex("^subnet-[0-9a-f]{8,17}$", id))
    ]))
    error_message = "vpc_subnets must be [\"none\"], or ids of subnets (subnet-0123456789abcdef0)."
  }
}

variable "vpc_security_groups" {
  description = "none, or the security groups of the function; they must let HTTPS out"
  type        = list(string)
  default     = ["none"]

  validation {
    condition = length(var.vpc_security_groups) > 0 && (var.vpc_security_groups == tolist(["none"]) || alltrue([
      for id in var.vpc_security_groups : can(regex("^sg-[0-9a-f]{8,17}$", id))
    ]))
    error_message = "vpc_security_groups must be [\"none\"], or ids of security groups (sg-0123456789abcdef0)."
  }
}

variable "tags" {
  description = "tags of the resources, in addition to the default tags of the provider"
  type        = map(string)
  default     = {}
}

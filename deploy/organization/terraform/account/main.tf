# spotdrain in one account and Region, with its metrics and logs shared with the monitoring account.

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.50"
    }
  }
}

variable "name" {
  description = "the name of the resources, or its prefix"
  type        = string
}

variable "mode" {
  description = "observe logs what would be deregistered and changes nothing; enforce deregisters"
  type        = string
}

variable "package" {
  description = "the function's zip"
  type        = string
}

variable "architecture" {
  description = "the architecture of the zip"
  type        = string
}

variable "permissions_boundary" {
  description = "none, or the name of the permissions boundary of the function's role, which must exist in the account"
  type        = string
}

variable "sink" {
  description = "the ARN of the monitoring account's sink in this Region"
  type        = string
}

module "spotdrain" {
  source = "../../../terraform"

  name                 = var.name
  mode                 = var.mode
  package              = var.package
  architecture         = var.architecture
  permissions_boundary = var.permissions_boundary
}

# An account has at most one link to a sink.
resource "aws_oam_link" "monitoring" {
  label_template  = "$AccountName"
  sink_identifier = var.sink
  resource_types  = ["AWS::CloudWatch::Metric", "AWS::Logs::LogGroup"]

  link_configuration {
    metric_configuration {
      filter = "Namespace = 'spotdrain'"
    }
    log_group_configuration {
      filter = "LogGroupName = '/aws/lambda/${var.name}' OR LogGroupName = '/aws/events/${var.name}-capacity'"
    }
  }
}

output "function_name" {
  description = "The function"
  value       = module.spotdrain.function_name
}

output "log_group_name" {
  description = "Its log, one record for each notice"
  value       = module.spotdrain.log_group_name
}

# The sink of the monitoring account in one Region. The dashboard is in ../../monitoring.yaml.

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.50"
    }
  }
}

variable "organization_id" {
  description = "the organization whose accounts may link to the sink"
  type        = string
}

# An account has at most one sink in a Region.
resource "aws_oam_sink" "monitoring" {
  name = "spotdrain"
}

# The accounts of the organization may share metrics and logs, and no other types of resources.
resource "aws_oam_sink_policy" "monitoring" {
  sink_identifier = aws_oam_sink.monitoring.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OrganizationLinks"
      Effect    = "Allow"
      Principal = "*"
      Action    = ["oam:CreateLink", "oam:UpdateLink"]
      Resource  = "*"
      Condition = {
        StringEquals                = { "aws:PrincipalOrgID" = var.organization_id }
        "ForAllValues:StringEquals" = { "oam:ResourceTypes" = ["AWS::CloudWatch::Metric", "AWS::Logs::LogGroup"] }
      }
    }]
  })
}

# A link can be created only after the policy allows it.
output "sink" {
  description = "The sink's ARN"
  value       = aws_oam_sink_policy.monitoring.sink_identifier
}

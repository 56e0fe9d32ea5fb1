# spotdrain for the clusters of this account and Region, or for those that are named: TF_VAR_clusters='["arn:aws:ecs:…"]'.

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.40"
    }
  }
}

provider "aws" {
  default_tags {
    tags = { Application = "spotdrain" }
  }
}

variable "clusters" {
  description = "all, or the ARNs of the clusters in scope"
  type        = list(string)
  default     = ["all"]
}

variable "mode" {
  description = "observe logs what would be deregistered and changes nothing; enforce deregisters"
  type        = string
  default     = "observe"
}

variable "event_sources" {
  description = "event sources that are accepted; the simulator needs another one than aws.ecs"
  type        = list(string)
  default     = ["aws.ecs"]
}

variable "architecture" {
  description = "the architecture given to scripts/package"
  type        = string
  default     = "x86_64"
}

module "spotdrain" {
  source = "../"

  clusters      = var.clusters
  mode          = var.mode
  event_sources = var.event_sources
  architecture  = var.architecture
}

output "spotdrain" {
  description = "the outputs of the module"
  value       = module.spotdrain
}

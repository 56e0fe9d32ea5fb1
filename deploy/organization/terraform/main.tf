# spotdrain in two accounts and two Regions, and a sink in a monitoring account. Terraform needs one provider for each account and
# Region, and one module call for each provider: copy the blocks for yours. How: docs/organizations.md.

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.50"
    }
  }
}

variable "accounts" {
  description = "the ids of the accounts"
  type        = object({ monitoring = string, shop = string, search = string })
}

variable "organization_id" {
  description = "the organization whose accounts may link to the sinks (o-exampleorgid)"
  type        = string
}

variable "deploying_role" {
  description = "the name of the role in every account that Terraform assumes"
  type        = string
  default     = "OrganizationAccountAccessRole"
}

variable "mode" {
  description = "observe logs what would be deregistered and changes nothing; enforce deregisters"
  type        = string
  default     = "observe"
}

variable "package" {
  description = "the function's zip"
  type        = string
  default     = null
}

variable "architecture" {
  description = "the architecture of the zip"
  type        = string
  default     = "x86_64"
}

variable "permissions_boundary" {
  description = "none, or the name of the permissions boundary of the function's role, which must exist in every account"
  type        = string
  default     = "none"
}

locals {
  deploy = {
    name                 = "spotdrain"
    mode                 = var.mode
    package              = coalesce(var.package, "${path.module}/../../../target/package/spotdrain-lambda-${var.architecture}.zip")
    architecture         = var.architecture
    permissions_boundary = var.permissions_boundary
  }
  roles = { for name, id in var.accounts : name => "arn:aws:iam::${id}:role/${var.deploying_role}" }
}

# ---------------------------------------------------------------------------------------------------- the providers

provider "aws" {
  alias  = "monitoring_frankfurt"
  region = "eu-central-1"
  assume_role { role_arn = local.roles.monitoring }
}

provider "aws" {
  alias  = "monitoring_ireland"
  region = "eu-west-1"
  assume_role { role_arn = local.roles.monitoring }
}

provider "aws" {
  alias  = "shop_frankfurt"
  region = "eu-central-1"
  assume_role { role_arn = local.roles.shop }
}

provider "aws" {
  alias  = "shop_ireland"
  region = "eu-west-1"
  assume_role { role_arn = local.roles.shop }
}

provider "aws" {
  alias  = "search_frankfurt"
  region = "eu-central-1"
  assume_role { role_arn = local.roles.search }
}

# ------------------------------------------------------------------------------------------- the monitoring account

module "monitoring_frankfurt" {
  source          = "./monitoring"
  providers       = { aws = aws.monitoring_frankfurt }
  organization_id = var.organization_id
}

module "monitoring_ireland" {
  source          = "./monitoring"
  providers       = { aws = aws.monitoring_ireland }
  organization_id = var.organization_id
}

# ------------------------------------------------------------------------------------------ the accounts with services

module "shop_frankfurt" {
  source               = "./account"
  providers            = { aws = aws.shop_frankfurt }
  sink                 = module.monitoring_frankfurt.sink
  name                 = local.deploy.name
  mode                 = local.deploy.mode
  package              = local.deploy.package
  architecture         = local.deploy.architecture
  permissions_boundary = local.deploy.permissions_boundary
}

module "shop_ireland" {
  source               = "./account"
  providers            = { aws = aws.shop_ireland }
  sink                 = module.monitoring_ireland.sink
  name                 = local.deploy.name
  mode                 = local.deploy.mode
  package              = local.deploy.package
  architecture         = local.deploy.architecture
  permissions_boundary = local.deploy.permissions_boundary
}

module "search_frankfurt" {
  source               = "./account"
  providers            = { aws = aws.search_frankfurt }
  sink                 = module.monitoring_frankfurt.sink
  name                 = local.deploy.name
  mode                 = local.deploy.mode
  package              = local.deploy.package
  architecture         = local.deploy.architecture
  permissions_boundary = local.deploy.permissions_boundary
}

output "functions" {
  description = "The functions, by account and Region"
  value = {
    shop_frankfurt   = module.shop_frankfurt.function_name
    shop_ireland     = module.shop_ireland.function_name
    search_frankfurt = module.search_frankfurt.function_name
  }
}

"""The Terraform module on the same cloud, compared with the resources of the template."""

import json
import os
import pathlib
import shutil
import time

from cloud import ROOT, WORK

EXAMPLE = ROOT / "deploy" / "terraform" / "example"


def plugins():
    """The folder with the provider, for machines without the registry: `tf-plugins`, or the value of TF_PLUGINS."""
    places = [os.environ.get("TF_PLUGINS"), "/opt/tf-plugins", pathlib.Path.home() / "tf-plugins", ROOT / "tf-plugins"]
    return next((pathlib.Path(place) for place in places if place and pathlib.Path(place).is_dir()), None)


def missing():
    if shutil.which("terraform") is None:
        return "terraform is not on the path"
    return None if plugins() else "no folder tf-plugins with the provider (TF_PLUGINS can name one)"


# The provider's settings for a single endpoint for all services, and for a cloud that is not AWS.
OVERRIDE = """
provider "aws" {
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = false
}
"""


class Terraform:
    """Works on a copy of the module, so that the example's folder does not change."""

    def __init__(self, aws):
        self.aws = aws
        self.folder = WORK / "terraform"
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(ROOT / "deploy" / "terraform", self.folder, ignore=shutil.ignore_patterns(".terraform*"))
        main = self.folder / "example" / "main.tf"
        text = main.read_text().replace('provider "aws" {', OVERRIDE.strip().removesuffix("}"), 1)
        zip_file = ROOT / "target" / "package" / f"spotdrain-lambda-{os.environ['E2E_ARCH']}.zip"
        main.write_text(text.replace('source = "../"', f'source = "../"\n  package = "{zip_file}"'))

    def __call__(self, *words):
        return self.aws.run(["terraform", f"-chdir={self.folder / 'example'}", *words])

    def apply(self, parameters):
        self("init", "-input=false", "-no-color", f"-plugin-dir={plugins()}")
        # Terraform reads a string literally, and everything else as an expression, such as JSON.
        text = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
        self.variables = [f"-var={name}={value}" for name, value in text.items()]
        self("apply", "-auto-approve", "-input=false", "-no-color", *self.variables)
        return json.loads(self("output", "-json"))["spotdrain"]["value"]

    def destroy(self):
        self("destroy", "-auto-approve", "-input=false", "-no-color", *self.variables)


def made(aws, names):
    """The properties of a deployment without resource names, for comparison."""
    function = aws("lambda", "get-function", "--function-name", names["function"])["Configuration"]
    rule = aws("events", "describe-rule", "--name", names["rule"])
    target = aws("events", "list-targets-by-rule", "--rule", names["rule"])["Targets"][0]
    role = function["Role"].rpartition("/")[2]
    policies = aws("iam", "list-role-policies", "--role-name", role)["PolicyNames"]
    policy = aws("iam", "get-role-policy", "--role-name", role, "--policy-name", policies[0])["PolicyDocument"]
    mapping = aws("lambda", "list-event-source-mappings", "--function-name", names["function"])["EventSourceMappings"][0]
    queues = {}
    for name in ("queue", "dead_letters"):
        told = aws("sqs", "get-queue-attributes", "--queue-url", names[name], "--attribute-names", "All")["Attributes"]
        queues[name] = {key: told.get(key) for key in ("VisibilityTimeout", "SqsManagedSseEnabled", "MessageRetentionPeriod")}
        statements = json.loads(told["Policy"])["Statement"]
        queues[name]["policy"] = sorted((one["Sid"], one["Effect"], one["Action"]) for one in statements)
        queues[name]["tries"] = json.loads(told.get("RedrivePolicy", "{}")).get("maxReceiveCount")
    del queues["queue"]["VisibilityTimeout"]  # shortened for the poison message
    environment = function["Environment"]["Variables"]
    assert environment.pop("SPOTDRAIN_QUEUE_URL") == names["queue"], "the function must know its own queue"
    return {
        "function": {key: function[key] for key in ("Runtime", "Handler", "Architectures", "MemorySize", "Timeout", "CodeSha256")},
        "environment": environment,
        "pattern": json.loads(rule["EventPattern"]),
        "retries": target["RetryPolicy"],
        "rights": sorted((one["Sid"], json.dumps(one["Action"])) for one in policy["Statement"]),
        "mapping": {key: mapping.get(key) for key in ("BatchSize", "FunctionResponseTypes", "ScalingConfig")},
        "queues": queues,
    }


def check(aws, table, stack, parameters):
    reason = missing()
    if reason:
        table.add("Terraform", f"skipped: {reason}")
        return
    terraform, begin = Terraform(aws), time.monotonic()
    outputs = terraform.apply(parameters)
    table.add("Terraform module (terraform apply)", "applied", time.monotonic() - begin)
    theirs = made(
        aws,
        {
            "function": outputs["function_name"],
            "rule": outputs["rule_name"],
            "queue": outputs["queue_url"],
            "dead_letters": outputs["dead_letter_queue_url"],
        },
    )
    ours = made(
        aws,
        {
            "function": stack["FunctionName"],
            "rule": stack["RuleName"],
            "queue": stack["QueueUrl"],
            "dead_letters": stack["DeadLetterQueueUrl"],
        },
    )
    for part, expected in ours.items():
        assert theirs[part] == expected, f"{part}: the template made {expected}, and Terraform {theirs[part]}"
    table.add("what it made", f"as the template: {', '.join(ours)}")
    begin = time.monotonic()
    terraform.destroy()
    table.add("the module (terraform destroy)", "destroyed", time.monotonic() - begin)

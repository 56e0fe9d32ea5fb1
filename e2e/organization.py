"""The template for StackSets, deployed as a stack set deploys it in an account: from a bucket, with the organization's rules."""

import os
import time

import copies
from aws import wait
from cloud import REGION, ROOT

STACK, PREFIX, BUCKET, VERSION, BOUNDARY = "StackSet-spotdrain-1", "everywhere", "example-code", "0.0.1", "team"


def check(aws, table):
    begin = time.monotonic()
    arch = os.environ["E2E_ARCH"]
    s3, cloudformation = aws.sdk("s3"), aws.sdk("cloudformation")
    bucket, key = f"{BUCKET}-{REGION}", f"spotdrain-lambda-{VERSION}-{arch}.zip"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=bucket, Key=key, Body=(ROOT / "target" / "package" / f"spotdrain-lambda-{arch}.zip").read_bytes())
    kms = aws.sdk("kms").create_key()["KeyMetadata"]["Arn"]
    parameters = {"CodeBucket": BUCKET, "Architecture": arch, "NamePrefix": PREFIX, "PermissionsBoundary": BOUNDARY, "KmsKey": kms}
    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=copies.for_stack_sets(VERSION),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )

    def status():
        return cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]

    wait("the stack of an account", lambda: not status().endswith("IN_PROGRESS"))
    assert status() == "CREATE_COMPLETE", cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
    function = aws("lambda", "get-function", "--function-name", PREFIX)["Configuration"]
    # ministack's CloudFormation drops a role's permissions boundary: only that the stack is created with one is shown.
    assert function["Role"].rpartition("/")[2].startswith(STACK), function["Role"]
    for name in ("notices", "dead-letters"):
        url = aws("sqs", "get-queue-url", "--queue-name", f"{PREFIX}-{name}")["QueueUrl"]
        found = aws("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "All")["Attributes"]
        assert found["KmsMasterKeyId"] == kms, found
    rule = aws("events", "describe-rule", "--name", f"{PREFIX}-notices")
    assert rule["State"] == "ENABLED", rule
    table.add("the template for StackSets, in one account", "from its bucket; names and key as given", time.monotonic() - begin)
    aws.delete(STACK)
    s3.delete_object(Bucket=bucket, Key=key)
    s3.delete_bucket(Bucket=bucket)

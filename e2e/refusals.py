"""Invalid parameters: each is rejected before anything is created, with the expected value."""

from botocore.exceptions import ClientError

import copies
from cloud import WORK

GROUP = "arn:aws:elasticloadbalancing:eu-central-1:000000000000:targetgroup/a/b"

WRONG = [
    ({"Clusters": "example"}, "must be all, or ARNs of ECS clusters"),
    ({"Clusters": "all,arn:aws:ecs:eu-central-1:000000000000:cluster/a"}, "must be all or a list"),
    ({"TargetGroups": "arn:aws:ecs:eu-central-1:000000000000:cluster/a"}, "must be none, or ARNs of target groups"),
    ({"TargetGroups": GROUP + "=0"}, "must be none, or ARNs of target groups"),
    ({"LoadBalancers": GROUP}, "must be none, or ARNs of load balancers"),
    ({"Discover": "false"}, "needs TargetGroups or LoadBalancers"),
    ({"RedriveRole": "redrive"}, "must be none, or the ARN of an IAM role"),
    ({"KmsKey": "alias/aws/sqs"}, "not of an alias"),
    ({"VpcSubnets": "subnet-0123456789abcdef0"}, "VpcSubnets needs VpcSecurityGroups"),
    ({"Mode": "off"}, "AllowedValues"),
    ({"CallBurst": "0"}, "whole number from 1 to 1000"),
]


def check(aws, table):
    cloudformation = aws.sdk("cloudformation")
    template = copies.in_json((WORK / "deploy" / "template.yaml").read_text())
    for parameters, expected in WRONG:
        given = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
        try:
            cloudformation.create_stack(
                StackName="wrong", TemplateBody=template, Capabilities=["CAPABILITY_IAM"], Parameters=given
            )
        except ClientError as refused:
            if expected not in str(refused):
                raise AssertionError(f"{parameters}: refused, but told as {refused}") from refused
        else:
            raise AssertionError(f"{parameters}: not refused")
    table.add(f"{len(WRONG)} wrong parameters", "each refused before anything was made, with what was expected")

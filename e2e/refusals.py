"""Wrong parameters: each is refused before anything is made, with a sentence that says what was expected."""

from aws import Refused
from cloud import WORK

GROUP = "arn:aws:elasticloadbalancing:eu-central-1:000000000000:targetgroup/a/b"

WRONG = [
    ({"Clusters": "example"}, "must be all, or ARNs of ECS clusters"),
    ({"Clusters": "all\\,arn:aws:ecs:eu-central-1:000000000000:cluster/a"}, "either all, or a list"),
    ({"TargetGroups": "arn:aws:ecs:eu-central-1:000000000000:cluster/a"}, "must be none, or ARNs of target groups"),
    ({"TargetGroups": GROUP + "=0"}, "must be none, or ARNs of target groups"),
    ({"Discover": "false"}, "needs TargetGroups"),
    ({"Mode": "off"}, "AllowedValues"),
    ({"CallBurst": "0"}, "whole number from 1 to 1000"),
]


def check(aws, table):
    template = f"file://{WORK / 'deploy' / 'expanded.json'}"
    for parameters, expected in WRONG:
        words = [f"ParameterKey={name},ParameterValue={value}" for name, value in parameters.items()]
        command = ["cloudformation", "create-stack", "--stack-name", "wrong", "--template-body", template]
        try:
            aws(*command, "--capabilities", "CAPABILITY_IAM", "--parameters", *words)
        except Refused as refused:
            if expected not in str(refused):
                raise AssertionError(f"{parameters}: refused, but told as {refused}") from refused
        else:
            raise AssertionError(f"{parameters}: not refused")
    table.add(f"{len(WRONG)} wrong parameters", "each refused before anything was made, with what was expected")

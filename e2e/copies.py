"""Copies of the templates that the local cloud accepts, and all changes that this needs, with reasons."""

import json
import pathlib
import shutil
import subprocess

from samtranslator.yaml_helper import yaml_parse

from cloud import ACCOUNT, ROOT, WORK

DEPLOY = ROOT / "deploy"
ZIP = ROOT / "target" / "package" / "spotdrain-lambda.zip"


# ministack evaluates every ECS call by the cluster's ARN, where AWS uses the service's or the task's, and it does not know
# the key ecs:cluster. All other permissions are enforced as in the template.
RIGHTS = {
    ":service/*\n": ":cluster/*\n",
    ":task/*\n": ":cluster/*\n",
    "{ ArnEquals: { ecs:cluster:": "{ ArnEqualsIfExists: { ecs:cluster:",
}


# On AWS aws:PrincipalArn is a role's ARN also for a session of the role; in ministack it is the session's ARN, which
# the parameter RedriveRole must then accept.
REDRIVE_ROLE, REDRIVE_SESSION = "redrive", "e2e"
REDRIVE_ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/{REDRIVE_ROLE}/{REDRIVE_SESSION}"
ROLE_PATTERN = {"^(none|arn:aws[a-z0-9-]*:iam::[0-9]{12}:role/": "^(none|arn:aws[a-z0-9-]*:(iam|sts)::[0-9]{12}:(assumed-)?role/"}

# The alarms with metric math, which ministack does not have: the first and the last line to cut.
COMPUTED_ALARMS = [
    ("  # Reports each new dead letter.", "  # A notice that waits a minute"),
    ("  # There were notices with target groups", "  UnknownStopCodeAlarm:"),
]


def template():
    """deploy/template.yaml without the alarms with metric math."""
    text = (DEPLOY / "template.yaml").read_text().replace("../target/package/spotdrain-lambda.zip", str(ZIP))
    return written(WORK / "deploy" / "template.yaml", accepted(text))


def for_stack_sets(version):
    """The same for the template that scripts/stackset-template writes."""
    done = subprocess.run([ROOT / "scripts" / "stackset-template", version], check=True, capture_output=True, text=True)
    return in_json(accepted(pathlib.Path(done.stdout.strip()).read_text()))


def in_json(text):
    """A template with the long names of functions: ministack does not know `!Contains`, which sam writes as `Fn::Contains`."""
    return json.dumps(yaml_parse(text))


def accepted(text):
    """A template without what the local cloud does not have."""
    for first, after in COMPUTED_ALARMS:
        begin, end = text.index(first), text.index(after)
        text = text[:begin] + text[end:]
    for ours, theirs in (RIGHTS | ROLE_PATTERN).items():
        if ours not in text:
            raise AssertionError(f"the template has no {ours!r} any more: look whether this copy is still needed")
        text = text.replace(ours, theirs)
    return text


def example():
    """deploy/example/template.yaml, with spotdrain's template beside it."""
    template()
    shutil.copy(DEPLOY / "samconfig.toml", WORK / "deploy")
    outer = (DEPLOY / "example" / "template.yaml").read_text()
    topic = "        AlarmTopic: !Ref AlarmTopic\n"
    outer = outer.replace(topic, f"{topic}        RedriveRole: {REDRIVE_ARN}\n")
    path = written(WORK / "deploy" / "example" / "template.yaml", outer)
    shutil.copy(DEPLOY / "example" / "samconfig.toml", path.parent)
    return path


def written(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path

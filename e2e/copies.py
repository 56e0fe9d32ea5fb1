"""The templates as the local cloud can take them. What is changed, and why, stands here and nowhere else."""

import json
import shutil

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from cloud import ROOT, WORK

DEPLOY = ROOT / "deploy"
ZIP = ROOT / "target" / "package" / "spotdrain-lambda.zip"


class NoManagedPolicies:
    """SAM asks AWS for the names of managed policies. The template has none."""

    def load(self):
        return {}


# ministack judges every call of ECS by the cluster's ARN, where AWS has the service's or the task's, and it does not know
# the key ecs:cluster. All other rights are enforced as the template gives them.
RIGHTS = {
    ":service/*\n": ":cluster/*\n",
    ":task/*\n": ":cluster/*\n",
    "{ ArnEquals: { ecs:cluster:": "{ ArnEqualsIfExists: { ecs:cluster:",
}


def template():
    """deploy/template.yaml, but without its alarm on a computation of several metrics: ministack has none of these."""
    text = (DEPLOY / "template.yaml").read_text().replace("../target/package/spotdrain-lambda.zip", str(ZIP))
    begin, end = text.index("  # Notices were seen and registrations"), text.index("  UnknownStopCodeAlarm:")
    text = text[:begin] + text[end:]
    for ours, theirs in RIGHTS.items():
        if ours not in text:
            raise AssertionError(f"the template has no {ours!r} any more: look whether this copy is still needed")
        text = text.replace(ours, theirs)
    return written(WORK / "deploy" / "template.yaml", text)


def example():
    """deploy/example/template.yaml around the same template, expanded: ministack expands none that is within another."""
    parsed = yaml_parse(template().read_text())
    function = parsed["Resources"]["Function"]["Properties"]
    function["CodeUri"] = "s3://a/b"  # the place of the local file, for which SAM's own library has no word
    expanded = transform(parsed, {}, NoManagedPolicies())
    expanded["Resources"]["Function"]["Properties"]["Code"] = str(ZIP)
    text = json.dumps(expanded, indent=1)
    written(WORK / "deploy" / "expanded.json", text)
    shutil.copy(DEPLOY / "samconfig.toml", WORK / "deploy")
    outer = (DEPLOY / "example" / "template.yaml").read_text()
    path = written(WORK / "deploy" / "example" / "template.yaml", outer.replace("../template.yaml", "../expanded.json"))
    shutil.copy(DEPLOY / "example" / "samconfig.toml", path.parent)
    return path


def written(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path

"""The aws command, sam, and the SDK where running the command for each of fifty calls would take half a minute."""

import json
import os
import pathlib
import subprocess
import sys
import time

import botocore.session

from cloud import REGION, ROOT


class Refused(Exception):
    """A command that failed, with its output."""


class Aws:
    def __init__(self, cloud, credentials=None):
        self.cloud = cloud
        self.credentials = credentials or {}

    def session(self, role, name):
        """The same cloud, called by a session of a role."""
        arn = self("iam", "get-role", "--role-name", role)["Role"]["Arn"]
        said = self("sts", "assume-role", "--role-arn", arn, "--role-session-name", name)["Credentials"]
        keys = {"AWS_ACCESS_KEY_ID": "AccessKeyId", "AWS_SECRET_ACCESS_KEY": "SecretAccessKey", "AWS_SESSION_TOKEN": "SessionToken"}
        return Aws(self.cloud, {variable: said[key] for variable, key in keys.items()})

    def run(self, command):
        done = subprocess.run(
            [str(part) for part in command],
            env=self.cloud.environment() | self.credentials,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise Refused((done.stdout + done.stderr).strip())
        return done.stdout

    def __call__(self, *words):
        """Runs an aws command and returns its answer."""
        program = pathlib.Path(sys.executable).with_name("aws")
        said = self.run([program, "--endpoint-url", self.cloud.endpoint, "--output", "json", *words])
        return json.loads(said) if said.strip() else None

    def sdk(self, service):
        session = botocore.session.Session()
        known = self.cloud.environment() | self.credentials
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        session.set_credentials(*(known.get(name) for name in names))
        return session.create_client(
            service, region_name=REGION, endpoint_url=self.cloud.endpoint, verify=str(self.cloud.certificate)
        )

    def deploy(self, stack, template, parameters):
        """Deploys as the README says: sam deploy, with the samconfig.toml in the template's folder."""
        overrides = [f"{name}={value}" for name, value in parameters.items()]
        command = [os.environ["E2E_SAM"], "deploy", "--template", template, "--stack-name", stack]
        self.run([*command, "--parameter-overrides", *overrides])
        return self.outputs(stack)

    def outputs(self, stack):
        told = self("cloudformation", "describe-stacks", "--stack-name", stack)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in told["Outputs"]}

    def delete(self, stack):
        """Waits without the command's own waiter, which polls only every half minute."""
        identity = self("cloudformation", "describe-stacks", "--stack-name", stack)["Stacks"][0]["StackId"]
        self("cloudformation", "delete-stack", "--stack-name", stack)
        cloudformation = self.sdk("cloudformation")

        def status():
            return cloudformation.describe_stacks(StackName=identity)["Stacks"][0]["StackStatus"]

        wait(f"{stack} is deleted", lambda: status() == "DELETE_COMPLETE")

    def targets(self, group):
        told = self("elbv2", "describe-target-health", "--target-group-arn", group)["TargetHealthDescriptions"]
        stays = [target["Target"]["Id"] for target in told if target["TargetHealth"]["State"] == "healthy"]
        return sorted(stays)


def wait(what, is_so, seconds=60):
    """Polls until a condition is true, and returns how long that took."""
    begin = time.monotonic()
    while True:
        if is_so():
            return time.monotonic() - begin
        if time.monotonic() - begin > seconds:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.1)

"""The end-to-end test: deploy, interrupt, check the targets; a poison message; invalid parameters; direct delivery; an account of
an organization; Terraform; delete everything."""

import json
import os
import sys
import time

import copies
import organization
import patterns
import refusals
import remains
import terraform
from aws import Aws, Refused, wait
from cloud import ACCOUNT, REGION, ROOT, Cloud
from notices import Service, put
from table import Table

SIMULATOR = "spotdrain.drill"
EXAMPLE = "spotdrain-example"
ALONE = "spotdrain"


def address(number):
    """Addresses of tasks. ministack's tasks have none, so the targets are registered here, and the events carry their addresses."""
    return f"10.44.1.{number}"


class Stage:
    """The deployed example, with six targets in its group."""

    def __init__(self, aws, table):
        self.aws, self.table = aws, table
        parameters = {
            "Mode": "enforce",
            "EventSources": f"aws.ecs,{SIMULATOR}",
            "Architecture": os.environ["E2E_ARCH"],
        }
        begin = time.monotonic()
        self.example = aws.deploy(EXAMPLE, copies.example(), parameters)
        self.spotdrain = aws.outputs(self.example["SpotdrainStack"])
        self.group = self.example["TargetGroupArn"]
        self.service = Service(self.example["ClusterArn"], self.example["ServiceName"])
        table.add("example, with spotdrain in it (sam deploy)", "CREATE_COMPLETE", time.monotonic() - begin)
        self.kinds = set(remains.of(aws))  # created later than this must be gone at the end
        self.stay = {address(number) for number in range(11, 17)}
        targets = [f"Id={one},Port=5044" for one in sorted(self.stay)]
        aws("elbv2", "register-targets", "--target-group-arn", self.group, "--targets", *targets)
        assert self.in_group() == self.stay, self.in_group()
        table.add("six targets", "all healthy in the example's group")

    def in_group(self):
        return set(self.aws.targets(self.group))

    def expect(self, what, *gone):
        """Checks that exactly these targets are deregistered, and that the others remain when all messages are done."""
        self.stay -= set(gone)
        seconds = wait(what, lambda: not self.in_group() & set(gone))
        wait(f"{what}: the queue empties", lambda: self.waiting("QueueUrl") == 0)
        assert self.in_group() == self.stay, f"{what}: {self.in_group()} instead of {self.stay}"
        self.table.add(what, f"left: {', '.join(gone) or 'none'}; stayed: {len(self.stay)}", seconds)

    def waiting(self, queue):
        """The number of messages in a queue, visible or in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.spotdrain[queue]
        told = self.aws("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", *names)
        return sum(int(told["Attributes"][name]) for name in names)

    def event(self, sample, number, **changes):
        return self.service.event(SIMULATOR, sample, f"task{number}", address(number), **changes)


def notices(stage):
    """Three notices, in three forms, among other events: exactly the three targets are deregistered."""
    put(
        stage.aws,
        stage.event("spot-interruption.json", 11),
        stage.event("no-stop-code.json", 12),
        stage.event("termination-notice.json", 13),
        stage.event("scale-in.json", 14),
        stage.event("stopped.json", 15),
        stage.event("not-stopping.json", 16),
    )
    gone = [address(number) for number in (11, 12, 13)]
    stage.expect("notices of three forms, among a scale-in, a stopped and a running task", *gone)


def other_cluster(stage):
    """A notice of another cluster does not pass the rule."""
    elsewhere = Service(stage.service.cluster + "-other", stage.service.service)
    put(stage.aws, elsewhere.event(SIMULATOR, "spot-interruption.json", "task14", address(14)))
    put(stage.aws, stage.event("repeated.json", 11))
    stage.expect("a notice of another cluster, and one again whose target is gone")


def poison(stage):
    """An unreadable message is received twelve times and becomes a dead letter; the notice delivered with it is done at once."""
    aws = stage.aws
    # With half a minute between the attempts it would take six minutes.
    aws("sqs", "set-queue-attributes", "--queue-url", stage.spotdrain["QueueUrl"], "--attributes", "VisibilityTimeout=1")
    bad = stage.event("spot-interruption.json", 16, taskArn="no ARN at all")
    bad_id, _ = put(aws, bad, stage.event("spot-interruption.json", 14))
    stage.stay -= {address(14)}
    seconds = wait("the notice beside the poison", lambda: stage.in_group() == stage.stay)
    stage.table.add("a poison message and a notice", f"left: {address(14)}; stayed: {len(stage.stay)}", seconds)
    url = stage.spotdrain["DeadLetterQueueUrl"]
    seconds += wait("the poison in the dead-letter queue", lambda: stage.waiting("DeadLetterQueueUrl") == 1)
    wait("the queue empties", lambda: stage.waiting("QueueUrl") == 0)
    letter = aws("sqs", "receive-message", "--queue-url", url)["Messages"][0]
    assert json.loads(letter["Body"])["id"] == bad_id, letter["Body"]
    stage.table.add("the poison, twelve times", "dead-letter queue: that one message; queue: empty", seconds)
    put(aws, stage.event("spot-interruption.json", 15))
    stage.expect("a notice after the poison", address(15))


def log(stage):
    """The template's log group has a record for each notice, with its outcome."""
    lines = stage.aws("logs", "filter-log-events", "--log-group-name", stage.spotdrain["LogGroupName"])["events"]
    lines = [json.loads(line["message"]) for line in lines if line["message"].startswith("{")]
    records = [line["record"] for line in lines if line.get("message") == "notice"]
    outcomes = [row["outcome"] for record in records for row in record["registrations"]]
    assert outcomes.count("Deregistered") == 5, outcomes
    malformed = [line for line in lines if line.get("message") == "a message cannot be read"]
    assert malformed and "detail.taskArn" in malformed[0]["path"], malformed
    metrics = {metric["Name"] for line in lines if "_aws" in line for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert {"Notices", "Deregistered", "NoticeToDeregistered", "Malformed", "Failed"} <= metrics, metrics
    told = f"{outcomes.count('Deregistered')} Deregistered, {len(outcomes) - 5} others; {len(malformed)} unreadable"
    stage.table.add("the function's log group", told)


def report(stage):
    """spotdrain report reads the same log group: each task once, and simulated notices only if they are asked for."""
    group = stage.spotdrain["LogGroupName"]
    lines = stage.aws("logs", "filter-log-events", "--log-group-name", group)["events"]
    lines = [json.loads(line["message"]) for line in lines if line["message"].startswith("{")]
    records = [line["record"] for line in lines if line.get("message", "").startswith("notice")]
    command = [ROOT / "target/debug/spotdrain", "report", "--logs", group, "--since", "1d", "--json"]
    counted = json.loads(stage.aws.run([*command, "--simulated"]))
    assert counted["interruptions"] == len({record["task"] for record in records}), counted
    assert (counted["deregistered"], counted["problems"]["unreadable_messages"]) == (5, 1), counted
    assert counted["by_zone"] and counted["lines"]["unreadable"] == 0, counted
    real = json.loads(stage.aws.run(command))
    assert (real["interruptions"], real["left_out"]["simulated"]) == (0, len(records)), real
    try:
        stage.aws.run([ROOT / "target/debug/spotdrain", "report", "--logs", "/no/such/group"])
        raise AssertionError("a log group that does not exist was read")
    except Refused as refused:
        assert "log group /no/such/group does not exist" in str(refused), refused
    stage.table.add("spotdrain report, of that log group", counted["sentences"][0]["text"])


def role(stage):
    """IAM's simulator allows the deployed role what it needs, and nothing harmful."""
    function = stage.aws("lambda", "get-function", "--function-name", stage.spotdrain["FunctionName"])["Configuration"]
    harm = ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeleteTargetGroup", "ecs:StopTask", "sqs:SendMessage"]
    needed = ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:DescribeTargetHealth"]
    command = ["iam", "simulate-principal-policy", "--policy-source-arn", function["Role"], "--resource-arns", stage.group]
    told = stage.aws(*command, "--action-names", *needed, *harm)["EvaluationResults"]
    allowed = [result["EvalActionName"] for result in told if result["EvalDecision"] == "allowed"]
    assert sorted(allowed) == sorted(needed), told
    stage.table.add("the role, by IAM's simulator", f"{len(needed)} needed actions allowed, {len(harm)} others denied")


def session_of(stage, role, *statements):
    """A session of a new role, with the permissions in these statements."""
    aws, root = stage.aws, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"}]}
    rights = {"Version": "2012-10-17", "Statement": list(statements)}
    aws("iam", "create-role", "--role-name", role, "--assume-role-policy-document", json.dumps(trust))
    aws("iam", "put-role-policy", "--role-name", role, "--policy-name", "queues", "--policy-document", json.dumps(rights))
    return aws.session(role, copies.REDRIVE_SESSION)


def redrive(stage):
    """Only the redrive role may send to the queue, and the dead letter that it redrives is handled."""
    aws, queue, dead = stage.aws, stage.spotdrain["QueueUrl"], stage.spotdrain["DeadLetterQueueUrl"]
    begin = time.monotonic()
    actions = ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage"]
    rights = {"Effect": "Allow", "Action": actions, "Resource": f"arn:aws:sqs:{REGION}:{ACCOUNT}:*"}
    stranger, redriver = session_of(stage, "stranger", rights), session_of(stage, copies.REDRIVE_ROLE, rights)
    for who, caller in {"the account's root": aws, "a role with the right to send": stranger}.items():
        try:
            caller("sqs", "send-message", "--queue-url", queue, "--message-body", "{}")
        except Refused as refused:
            assert "AccessDenied" in str(refused), refused
        else:
            raise AssertionError(f"{who} could send to the queue")
    stage.table.add("root and a stranger send to the queue", "both refused by its policy", time.monotonic() - begin)
    # A notice that the function can handle, instead of the poison message, which would only fail again.
    aws("sqs", "purge-queue", "--queue-url", dead)
    aws("elbv2", "register-targets", "--target-group-arn", stage.group, "--targets", f"Id={address(17)},Port=5044")
    stage.stay |= {address(17)}
    # What SQS does with the caller's permissions in a message move task, which ministack does not have. With the SDK, because a notice
    # that is older than ten seconds is handled only if ECS knows its task.
    root, moves = aws.sdk("sqs"), redriver.sdk("sqs")
    body = stage.service.message(SIMULATOR, "spot-interruption.json", "task17", address(17))
    root.send_message(QueueUrl=dead, MessageBody=body)
    letter = moves.receive_message(QueueUrl=dead)["Messages"][0]
    assert letter["Body"] == body, letter
    moves.send_message(QueueUrl=queue, MessageBody=letter["Body"])
    moves.delete_message(QueueUrl=dead, ReceiptHandle=letter["ReceiptHandle"])
    stage.expect("a dead letter that the redrive role has moved back", address(17))
    for role in ("stranger", copies.REDRIVE_ROLE):
        aws("iam", "delete-role-policy", "--role-name", role, "--policy-name", "queues")
        aws("iam", "delete-role", "--role-name", role)


def mailbox_of_topic(aws):
    """A new SNS topic, and the URL of a queue that gets its messages as chat integrations do."""
    topic = aws("sns", "create-topic", "--name", "interruptions")["TopicArn"]
    url = aws("sqs", "create-queue", "--queue-name", "mailbox")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:mailbox"
    allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**allow, "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}]})
    aws("sqs", "set-queue-attributes", "--queue-url", url, "--attributes", json.dumps({"Policy": policy}))
    raw = ["--attributes", "RawMessageDelivery=true"]
    aws("sns", "subscribe", "--topic-arn", topic, "--protocol", "sqs", "--notification-endpoint", arn, *raw)
    return topic, url


def alone(stage):
    """The template alone, without a queue, for one named target group."""
    aws, source = stage.aws, "spotdrain.direct"
    begin = time.monotonic()
    topic, mailbox = mailbox_of_topic(aws)
    parameters = {
        "MessageTopic": topic,
        "Mode": "enforce",
        "Delivery": "direct",
        "EventSources": f"aws.ecs,{source}",
        "Discover": "false",
        "TargetGroups": stage.group,
        "Architecture": os.environ["E2E_ARCH"],
    }
    outputs = aws.deploy(ALONE, copies.template(), parameters)
    stage.table.add("template alone, direct, one group (sam deploy)", "CREATE_COMPLETE", time.monotonic() - begin)
    rule = aws("events", "describe-rule", "--name", outputs["RuleName"])
    samples, passed = patterns.check(aws, rule["EventPattern"])
    stage.table.add(f"its rule's pattern and {samples} samples", f"TestEventPattern: {passed} pass, as in the tests")
    aws("elbv2", "register-targets", "--target-group-arn", stage.group, "--targets", f"Id={address(21)},Port=5044")
    stage.stay |= {address(21)}
    put(aws, stage.service.event(source, "spot-interruption.json", "task21", address(21)))
    stage.expect("a direct notice", address(21))
    messages = []
    look = ["sqs", "receive-message", "--queue-url", mailbox, "--wait-time-seconds", "2"]
    seconds = wait("the message about the sweep", lambda: messages.append(aws(*look)) or messages[-1])
    content = json.loads(messages[-1]["Messages"][0]["Body"])["content"]
    assert content["title"] == "1 Spot task interrupted" and "all deregistered within" in content["description"], content
    stage.table.add("the message to the SNS topic", content["description"], seconds)
    # ministack's rules do not retry a function, so this event goes to Lambda's own queue, where AWS's rules put theirs.
    poison = json.dumps({"id": "poison", "source": source, "detail-type": "ECS Task State Change"})
    invoke = ["lambda", "invoke", "--function-name", outputs["FunctionName"], "--invocation-type", "Event"]
    aws(*invoke, "--payload", poison, os.devnull)
    url = outputs["DeadLetterQueueUrl"]
    letters = []
    receive = ["sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "2"]
    seconds = wait("the direct poison as a dead letter", lambda: letters.append(aws(*receive)) or letters[-1])
    letter = json.loads(letters[-1]["Messages"][0]["Body"])
    assert letter["requestPayload"]["id"] == "poison", letter
    stage.table.add("a direct poison, tried twice", f"dead-letter queue: {letter['responsePayload']['errorType']}", seconds)
    aws("sns", "delete-topic", "--topic-arn", topic)
    aws("sqs", "delete-queue", "--queue-url", mailbox)


def take_away(stage):
    aws, begin = stage.aws, time.monotonic()
    for stack in (ALONE, EXAMPLE):
        aws.delete(stack)
    before = stage.kinds
    left = remains.of(aws)
    assert not left, f"left behind: {left}"
    assert before == set(remains.KINDS), f"not seen even while it was there: {set(remains.KINDS) - before}"
    stage.table.add("both stacks deleted", f"nothing is left of {len(remains.KINDS)} kinds of resources", time.monotonic() - begin)


def main():
    table, begin = Table(), time.monotonic()
    with Cloud() as cloud:
        aws = Aws(cloud)
        stage = Stage(aws, table)
        notices(stage)
        other_cluster(stage)
        poison(stage)
        log(stage)
        report(stage)
        role(stage)
        redrive(stage)
        refusals.check(aws, table)
        alone(stage)
        organization.check(aws, stage.table)
        if "--terraform" in sys.argv[1:]:
            same = {"clusters": [stage.service.cluster], "event_sources": ["aws.ecs", SIMULATOR], "mode": "enforce"}
            terraform.check(aws, table, stage.spotdrain, same)
        take_away(stage)
    # The cloud has told its functions to end; their processes are gone a moment later.
    wait("the functions' processes end", lambda: not cloud.left())
    print(f"\n{table}\n\nend to end: all as it should be, in {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    sys.exit(main())

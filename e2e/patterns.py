"""The deployed rule's pattern and every sample, tested with TestEventPattern.

`cargo test` has its own matcher: its answers, compared there with the function's classification of each sample, are in a
snapshot. Here the cloud must give the same answers.
"""

import json

from cloud import ROOT

TESTS = ROOT / "crates" / "cli" / "tests" / "deployment"
SNAPSHOT = TESTS / "snapshots" / "deployment__rule__the_rules_pattern_and_every_sample.snap"


def samples():
    """The answers in the snapshot: a sample, its event, and whether it passes; for a batch, each message."""
    for line in SNAPSHOT.read_text().split("---\n")[2].splitlines():
        name, _, answer = line.partition(": ")
        file, _, number = name.partition(" ")
        event = json.loads((ROOT / "events" / file).read_text())
        if number:
            event = json.loads(event["Records"][int(number)]["body"])
        yield name, event, answer.startswith("passes")


def check(aws, pattern):
    """Returns the number of samples, and how many of them pass."""
    events = aws.sdk("events")
    passed = []
    for name, event, expected in samples():
        # The API requires the fields that every event has; some malformed samples lack them.
        if not {"id", "source", "account", "time", "region", "resources", "detail-type", "detail"} <= event.keys():
            continue
        passes = events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]
        if passes != expected:
            raise AssertionError(f"{name}: TestEventPattern says {passes}, and the matcher of the tests {expected}")
        passed.append(passes)
    return len(passed), sum(passed)
